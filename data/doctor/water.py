"""Rules on water: humidity, ascent of moist air, precipitation."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from data.canonical.humidity import saturation_vapour_pressure
from data.canonical.precipitation import NAMES_WITHOUT_PERIOD
from data.doctor.case import Case, Map, area, at_time, correlation, departure, pairs
from data.doctor.digest import Field
from data.doctor.finding import Finding
from data.plausible_ranges import plausible_mean
from data.variables import VARIABLES
from data.wording import hour

# Global mean of analyses and of forecasts of one and six hours: 2.7 to 3.2 mm a day.
RAIN_PER_HOUR = 0.12e-3  # m
RAIN_FACTOR = 1.7  # about halfway, in ratios, to the next window in use (3, 6, 12, 24 h)

# Negative part of the humidity on a level. Real files: none; the ripples of a spectral truncation
# make some thousandths.
NEGATIVE_WARNING, NEGATIVE_ERROR = 0.01, 0.1


def humidity(case: Case) -> Iterator[Finding]:
    """Humidity is not negative, and not more than air can hold."""
    findings = (_negative(case, time) or _too_moist(case, time) for time in case.digest.indices)
    first = next((finding for finding in findings if finding is not None), None)
    if first is not None:
        yield first
    lowest: dict[str, float] = {}
    for (name, _, _), field in case.digest.fields.items():
        if name in ("relative_humidity", "specific_humidity") and not field.empty:
            lowest[name] = min(lowest.get(name, 0.0), field.low)
    for name, low in lowest.items():
        # 1e-6 is the stratosphere's humidity; smaller values come from float16 and packing.
        if low < (-0.5 if name == "relative_humidity" else -1e-6):
            yield Finding(
                "humidity",
                "note",
                f"{name} reaches {low:.3g} {VARIABLES[name].units}, slightly negative, as spectral"
                " analyses and interpolation leave it",
                "nothing: negative relative humidity counts as dry air; clip it if you like",
            )
    yield from _supersaturated(case)


def _supersaturated(case: Case) -> Iterator[Finding]:
    """A note on relative humidity above 100 %."""
    name = "relative_humidity"
    most = max((f.high for (n, _, _), f in case.digest.fields.items() if n == name), default=0.0)
    if 105 < most < 200:
        yield Finding(
            "humidity",
            "note",
            f"{name} reaches {most:.0f} %, as cold air over ice and packing leave it",
            "nothing; models read specific humidity",
        )


def _negative(case: Case, time: int | None) -> Finding | None:
    """More negative specific humidity than numerics make, at 300 hPa and below."""
    parts = {}
    for level, field in case.sound("specific_humidity", time).items():
        if level is not None and level >= 300:
            weighted = case.digest.weights * field.coarse
            parts[level] = float(-weighted.clip(max=0).sum() / np.abs(weighted).sum())
    if not parts or max(parts.values()) < NEGATIVE_WARNING:
        return None
    level = max(parts, key=lambda at: parts[at])
    return Finding(
        "humidity",
        "error" if parts[level] > NEGATIVE_ERROR else "warning",
        f"specific_humidity at {level} hPa{at_time(case.digest, time)} is negative in places, and"
        f" {parts[level]:.0%} of its amount lies below zero",
        "look for damage, fill values or a wrong offset; clip at 0 what is left",
    )


def _too_moist(case: Case, time: int | None) -> Finding | None:
    """More specific humidity than air of its temperature can hold, at 500 hPa and below."""
    q = case.sound("specific_humidity", time)
    t = case.sound("temperature", time)
    rows = np.abs(case.digest.latitude) < 60
    over = {
        level: float((relative_humidity(q[level], t[level], level) > 1.2)[rows].mean())
        for level in q
        if level is not None and level >= 500 and level in t
    }
    # Real files: at most one block in a thousand; with humidity turned or mirrored against
    # temperature, 1.5 to 12 %.
    if not over or max(over.values()) < 0.008:
        return None
    level = max(over, key=lambda at: over[at])
    return Finding(
        "humidity",
        "warning",
        f"specific_humidity at {level} hPa{at_time(case.digest, time)} is more than 1.2 times what"
        f" air of its temperature can hold, on {over[level]:.1%} of the globe",
        "check units, levels, times and orientation of humidity and temperature",
    )


def relative_humidity(q: Field, t: Field, level: int) -> Map:
    """Specific humidity over that of saturated air, on the coarse grid."""
    pressure = saturation_vapour_pressure(xr.DataArray(t.coarse)).values
    # clipped where the temperature is absurd, which other rules report
    saturated = (0.622 * pressure / (100.0 * level - 0.378 * pressure)).clip(1e-9)
    return np.asarray(q.coarse / saturated, dtype=np.float64)


# Correlation of vertical velocity and relative humidity in zonal departures, mean over 400 to 700
# hPa. NCEP's: -0.26 (2.5°) to -0.40 (5°); upside down, turned by half or mirrored: -0.07 to 0.04.
ASCENT_ERROR, ASCENT_WARNING = 0.12, -0.03
ASCENT_BETTER = 0.15  # another reading that is nearer to -1 by this much is the right one


def ascent(case: Case) -> Iterator[Finding]:
    """Moist air rises: `vertical_velocity` is in Pa s-1, negative upwards, and in its place."""
    name = "vertical_velocity"
    weights = area(case.digest, 0, 70)
    for time in case.digest.indices:
        w, q, t = (case.sound(n, time) for n in (name, "specific_humidity", "temperature"))
        moist = {
            level: departure(relative_humidity(q[level], t[level], level))
            for level in w
            if level is not None and 400 <= level <= 700 and level in q and level in t
        }
        if not moist:
            continue
        up = {level: departure(w[level].coarse) for level in moist}
        labelled, *others = (
            float(np.mean([correlation(_turned(up[x], turn), moist[x], weights) for x in moist]))
            for turn in ("", "upside down", "mirrored", "by half")
        )
        if labelled > ASCENT_WARNING or min(others) < labelled - ASCENT_BETTER:
            wrong = labelled > ASCENT_ERROR
            yield Finding(
                "ascent",
                "error" if wrong else "warning",
                f"{name} points upwards where the air is dry{at_time(case.digest, time)}"
                if wrong
                else f"{name} and humidity are not those of the same air"
                f"{at_time(case.digest, time)} (correlation {labelled:.2f})",
                "change its sign: it must be in Pa s-1, negative where air rises"
                if wrong
                else "look for a wrong time, level or orientation of vertical_velocity",
            )
            return


def _turned(field: Map, turn: str) -> Map:
    if turn == "upside down":
        return field[::-1]
    if turn == "mirrored":
        return field[:, ::-1]
    return np.roll(field, field.shape[1] // 2, axis=1) if turn == "by half" else field


def precipitation(case: Case) -> Iterator[Finding]:
    """Precipitation is in metres over its window, not since the start of a forecast."""
    names = {n for n, _, _ in case.digest.fields if _is_rain(n)}
    for name in sorted(names):
        fields = {
            time: f
            for time in case.digest.moments(name)
            if (f := case.digest.field(name, time)) is not None
        }
        if not fields:
            continue
        mean = float(np.mean([f.mean for f in fields.values()]))
        growing = _grows(case, fields)
        if growing is not None:
            yield Finding(
                "precipitation",
                "error" if name in VARIABLES else "warning",
                f"{name} nowhere decreases from {growing}: a sum since the start of a forecast",
                "take differences of successive times",
            )
        elif name in NAMES_WITHOUT_PERIOD:
            yield _unknown_period(name, mean)
        else:
            yield from _window(name, mean)


def _is_rain(name: str) -> bool:
    return name.startswith("total_precipitation") or name in NAMES_WITHOUT_PERIOD


def _grows(case: Case, fields: dict[int | None, Field]) -> str | None:
    """The period over which the sum only grew, everywhere; None without one."""
    growing: list[tuple[int, int]] = []
    for first, second in pairs(case.digest, np.timedelta64(12, "h")):
        if first not in fields or second not in fields:
            continue
        before, after = fields[first].coarse, fields[second].coarse
        wet = before > 1e-5
        # In real weather rain ends behind every front: a third of the wet blocks gets less.
        grown = (after > before + 1e-5).any()  # a repeated frame is for the rule "repeated"
        if grown and wet.sum() > 10 and (after[wet] < before[wet] - 1e-7).mean() < 0.01:
            growing.append((first, second))
    if not growing:
        return None
    first, second = growing[0][0], growing[-1][1]
    return f"{hour(case.digest.times[first])} to {hour(case.digest.times[second])}"


def _unknown_period(name: str, mean: float) -> Finding:
    """The likely window of precipitation that does not state one, by its global mean (m)."""
    if mean > 0.02:
        return Finding(
            "precipitation",
            "warning",
            f"{name} has a global mean of {mean:.3g}, as if it were in mm",
            "convert it to metres, and say its period in its name or in cell_methods",
        )
    likely = mean / RAIN_PER_HOUR
    return Finding(
        "precipitation",
        "note",
        f"{name} does not say over how many hours it is summed; its global mean of"
        f" {1e3 * mean:.2g} mm is that of about {likely:.2g} h, so it is not used as"
        " total_precipitation_6hr",
        "sum it over six hours, and say so in its name or in cell_methods",
    )


def _window(name: str, mean: float) -> Iterator[Finding]:
    """Whether the global mean (m) fits the window in the name."""
    hours = 1 if name == "total_precipitation" else int(name.rpartition("_")[2].rstrip("hr"))
    usual_mean = RAIN_PER_HOUR * hours
    _, high = plausible_mean(name)
    # The rules "units" and "constant" report millimetres and no rain at all.
    if 0 < mean <= high and not usual_mean / RAIN_FACTOR <= mean <= usual_mean * RAIN_FACTOR:
        yield Finding(
            "precipitation",
            "warning",
            f"{name} has a global mean of {1e3 * mean:.2g} mm, and {hours} h of rain bring"
            f" {1e3 * usual_mean:.2g} mm: it looks like {max(mean / RAIN_PER_HOUR, 0.1):.2g} h",
            f"check the window: the sum must be over the {hours} h before each time, in metres",
        )
