"""Rules on numbers, field by field: units, gaps, constants, repetitions, water."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from data.doctor.case import Case, at_levels, at_time, hour, pairs, wrong_units
from data.doctor.digest import RAIN_OF_UNKNOWN_PERIOD, Field
from data.doctor.finding import Finding, listed
from data.humidity import saturation_vapour_pressure
from data.variables import VARIABLES, plausible_mean, plausible_values

# Given over sea or over land only, or nowhere else than where there is some.
MASKED = ("sea_surface_temperature", "sea_ice_cover", "snow_depth")
MASKED_WORDS = ("soil", "lake", "vegetation", "wave", "ice")
# Fields that hold still for hours, or hold nothing on many levels.
SLOW = (*MASKED, "land_sea_mask")
OFTEN_NOTHING = (
    *("specific_cloud_liquid_water_content", "specific_cloud_ice_water_content"),
    *("fraction_of_cloud_cover", "vertical_velocity", "relative_humidity", "specific_humidity"),
    *("convective_available_potential_energy", "ozone_mass_mixing_ratio"),
)
# What analyses and forecasts of an hour, and of six, bring to the globe: 2.7 to 3.2 mm a day.
RAIN_PER_HOUR = 0.12e-3  # m
RAIN_FACTOR = 1.7  # half of the way, in ratios, to the next window in use (3, 6, 12, 24 h)


def units(case: Case) -> Iterator[Finding]:
    """Means and extremes that the catalogue's unit allows; one finding for each variable."""
    told: dict[str, tuple[str, list[int | None]]] = {}
    extreme: dict[str, tuple[str, list[int | None]]] = {}
    for (name, _, level), field in case.digest.fields.items():
        if name not in VARIABLES or field.empty:
            continue
        complaint = wrong_units(name, level, field) if field.whole else None
        complaint = complaint or _wrong_size(name, level, field)
        if complaint:
            told.setdefault(name, (complaint, []))[1].append(level)
        elif (far := _extreme(name, level, field)) is not None:
            extreme.setdefault(name, (far, []))[1].append(level)
    for name, (complaint, where) in told.items():
        sentence, _, remedy = complaint.rpartition("; ")
        more = len(set(where)) - 1
        yield Finding(
            "units",
            "error",
            sentence + (f" (and alike on {more} more levels)" if more > 0 else ""),
            remedy,
        )
    for name, (far, _) in extreme.items():
        if name not in told:
            yield Finding("units", "warning", far, "look for fill values, damage or a wrong unit")


def _extreme(name: str, level: int | None, field: Field) -> str | None:
    low, high = plausible_values(name, level)
    if name == "specific_humidity" and level is not None and level < 50:
        high = max(high, 1e-3)
    if low <= field.low and field.high <= high:
        return None
    unit = VARIABLES[name].units
    return (
        f"{name}{at_levels([level])} runs from {field.low:.4g} to {field.high:.4g} {unit}, and"
        f" weather stays between {low:.4g} and {high:.4g}"
    )


def _wrong_size(name: str, level: int | None, field: Field) -> str | None:
    """Units that leave the mean where it was: of winds, and of heights near the ground."""
    if name == "geopotential" and level is not None and level > 900 and field.deviation < 250:
        # about 800 m2 s-2 at 1000 hPa; a planet without weather stays above 250 as well
        return (
            f"geopotential at {level} hPa varies by {field.deviation:.3g} only, as if it were in"
            " metres of height; multiply it by 9.80665, or let the file state its units"
        )
    if not name.endswith("component_of_wind"):
        low, high = VARIABLES[name].bounds
        width = high - low
        if field.low < low - width or field.high > high + width:
            return (
                f"{name}{at_levels([level])} runs from {field.low:.4g} to {field.high:.4g}"
                f" {VARIABLES[name].units}; look for fill values, damage or a wrong unit"
            )
        return None
    if field.deviation < 0.2:
        return (
            f"{name}{at_levels([level])} varies by {field.deviation:.2g} m s-1 only, which is no"
            " wind; look at the units, or for another field in its place"
        )
    # 10 m: 5 to 6 m/s in every analysis; in knots 10, in km/h 19
    if name.startswith("10m") and field.deviation > 8.5:
        return (
            f"{name} varies by {field.deviation:.3g} m s-1, and on Earth by 4 to 6, as if it were"
            " in knots or km/h; convert it to m s-1"
        )
    return None


def gaps(case: Case) -> Iterator[Finding]:
    """Missing values, where the variable has a value everywhere."""
    holes: dict[str, list[tuple[int | None, int | None, Field]]] = {}
    empty: dict[str, dict[int | None, list[int | None]]] = {}
    for (name, time, level), field in case.digest.fields.items():
        if field.whole or _masked(name):
            continue
        if field.empty:
            empty.setdefault(name, {}).setdefault(level, []).append(time)
        else:
            holes.setdefault(name, []).append((time, level, field))
    for name, where in empty.items():
        yield from _empty(case, name, where)
    for name, places in holes.items():
        time, level, field = places[0]
        row, column = field.first_gap or (0, 0)
        latitude = float(case.dataset["latitude"].values[row])
        longitude = float(case.dataset["longitude"].values[column])
        count = len(places)
        yield Finding(
            "gaps",
            "error",
            f"{name} has holes in {count} field(s); the first, {field.gaps} of {field.size} points"
            f"{at_levels([level])}{at_time(case.digest, time)}, begins at latitude {latitude:g},"
            f" longitude {longitude:g}",
            "fetch the file again, or fill the holes from another analysis",
        )


def _empty(
    case: Case, name: str, where: dict[int | None, list[int | None]]
) -> Iterator[Finding]:
    always = len(case.digest.moments(name))
    never = [level for level, at in where.items() if len(at) == always]
    sometimes = [(level, at) for level, at in where.items() if len(at) < always]
    task = case.task
    needed = task is not None and name in task.inputs
    if never:
        wanted = [level for level in never if needed and (level is None or level in task.levels)]  # type: ignore[union-attr]  # needed implies a task
        yield Finding(
            "gaps",
            "error" if wanted else "note",
            f"{name} has no values at all{at_levels(never)}",
            "add these fields" if wanted else "nothing, unless a model needs these levels",
        )
    if sometimes:
        level, at = sometimes[0]
        when = [hour(case.digest.times[time]) for time in at if time is not None]
        yield Finding(
            "gaps",
            "error",
            f"{name} has no values{at_levels([x for x, _ in sometimes])} at {listed(when)}",
            "fetch these times again",
        )


def _masked(name: str) -> bool:
    if name in MASKED:
        return True
    words = name.split("_")
    return any(word in words for word in MASKED_WORDS)


def constant(case: Case) -> Iterator[Finding]:
    """Fields that have one value everywhere, or zeros where a chunk is missing."""
    flat: dict[str, list[int | None]] = {}
    zero: dict[str, list[int | None]] = {}
    for (name, _, level), field in case.digest.fields.items():
        if field.empty or name in OFTEN_NOTHING or name in MASKED:
            continue
        if field.high == field.low:
            flat.setdefault(name, []).append(level)
        # Packing rounds winds to 0.1 m/s at worst: one point in a hundred is zero by that.
        elif name.endswith("component_of_wind") and field.zeros > 0.05:
            zero.setdefault(name, []).append(level)
    for name, where in flat.items():
        static = VARIABLES[name].kind == "static" if name in VARIABLES else False
        value = next(f.low for (n, _, _), f in case.digest.fields.items() if n == name)
        yield Finding(
            "constant",
            "note" if static else "error",
            f"{name} is the same everywhere{at_levels(where)} ({value:.4g})",
            "nothing, if the planet is meant to be like this"
            if static
            else "fetch the file again: a chunk or message is missing",
        )
    for name, where in zero.items():
        yield Finding(
            "constant",
            "error",
            f"{name} is exactly 0 in large parts{at_levels(where)}",
            "fetch the file again: chunks are missing, and read as zeros",
        )


def repeated(case: Case) -> Iterator[Finding]:
    """The same field at two times, or on two levels."""
    seen: dict[tuple[str, bytes], tuple[int | None, int | None]] = {}
    times_alike: dict[str, set[str]] = {}
    levels_alike: dict[str, list[int | None]] = {}
    for (name, time, level), field in case.digest.fields.items():
        kind = VARIABLES[name].kind if name in VARIABLES else "surface"
        if field.empty or field.high == field.low or kind == "static" or name in SLOW:
            continue
        if _masked(name) or name in RAIN_OF_UNKNOWN_PERIOD:
            continue
        first = seen.setdefault((name, field.fingerprint), (time, level))
        if first == (time, level):
            continue
        if first[0] == time:
            levels_alike.setdefault(name, []).extend([first[1], level])
        elif time is not None and first[0] is not None:
            both = f"{hour(case.digest.times[first[0]])} and {hour(case.digest.times[time])}"
            times_alike.setdefault(both, set()).add(name)
    for both, names in times_alike.items():
        yield Finding(
            "repeated",
            "error",
            f"{listed(sorted(names))} are the same, point by point, at {both}",
            "fetch the later frame again: one was written twice",
        )
    for name, where in levels_alike.items():
        if name not in OFTEN_NOTHING:
            yield Finding(
                "repeated",
                "error",
                f"{name} is the same, point by point,{at_levels(where)}",
                "fetch these levels again: one was written twice",
            )


def humidity(case: Case) -> Iterator[Finding]:
    """Not negative, and not above what air can hold."""
    lowest: dict[str, float] = {}
    for (name, _, _), field in case.digest.fields.items():
        if name in ("relative_humidity", "specific_humidity") and not field.empty:
            lowest[name] = min(lowest.get(name, 0.0), field.low)
    for name, low in lowest.items():
        # 1e-6: the stratosphere's own humidity; below that float16 and packing are at work
        if low < (-0.5 if name == "relative_humidity" else -1e-6):
            yield Finding(
                "humidity",
                "note",
                f"{name} reaches {low:.3g} {VARIABLES[name].units}, slightly negative, as spectral"
                " analyses and interpolation leave it",
                "nothing: negative relative humidity counts as dry air; clip it if you like",
            )
    for time in case.digest.indices:
        finding = _too_moist(case, time)
        if finding is not None:
            yield finding
            return


def _too_moist(case: Case, time: int | None) -> Finding | None:
    q = case.sound("specific_humidity", time)
    t = case.sound("temperature", time)
    rows = np.abs(case.digest.latitude) < 60
    for level in sorted((level for level in q if level and level >= 500), reverse=True):
        if level not in t:
            continue
        pressure = saturation_vapour_pressure(xr.DataArray(t[level].coarse)).values
        saturated = 0.622 * pressure / (100.0 * level - 0.378 * pressure)
        over = float((q[level].coarse > 1.5 * saturated)[rows].mean())
        # Of real air less than one block in a thousand.
        if over > 0.05:
            return Finding(
                "humidity",
                "warning",
                f"specific_humidity at {level} hPa{at_time(case.digest, time)} is 1.5 times what"
                f" air of its temperature can hold, on {over:.0%} of the globe",
                "check units, levels and times of humidity and temperature",
            )
    return None


def precipitation(case: Case) -> Iterator[Finding]:
    """Metres, over the stated window, not since the start of a forecast."""
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
        elif name in RAIN_OF_UNKNOWN_PERIOD:
            yield _unknown_period(name, mean)
        else:
            yield from _window(name, mean)


def _is_rain(name: str) -> bool:
    return name.startswith("total_precipitation") or name in RAIN_OF_UNKNOWN_PERIOD


def _grows(case: Case, fields: dict[int | None, Field]) -> str | None:
    """Between which times a sum only grew, everywhere."""
    alone: list[tuple[int, int]] = []
    for first, second in pairs(case.digest, np.timedelta64(12, "h")):
        if first not in fields or second not in fields:
            continue
        before, after = fields[first].coarse, fields[second].coarse
        wet = before > 1e-5
        # In real weather rain ends behind every front: a third of wet blocks has less afterwards.
        if wet.sum() > 10 and (after[wet] < before[wet] - 1e-7).mean() < 0.01:
            alone.append((first, second))
    if not alone:
        return None
    first, second = alone[0][0], alone[-1][1]
    return f"{hour(case.digest.times[first])} to {hour(case.digest.times[second])}"


def _unknown_period(name: str, mean: float) -> Finding:
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
    hours = 1 if name == "total_precipitation" else int(name.rpartition("_")[2].rstrip("hr"))
    usual_mean = RAIN_PER_HOUR * hours
    _, high = plausible_mean(name)
    # in mm, and no rain at all, are the business of "units" and "constant"
    if 0 < mean <= high and not usual_mean / RAIN_FACTOR <= mean <= usual_mean * RAIN_FACTOR:
        yield Finding(
            "precipitation",
            "warning",
            f"{name} has a global mean of {1e3 * mean:.2g} mm, and {hours} h of rain bring"
            f" {1e3 * usual_mean:.2g} mm: it looks like {max(mean / RAIN_PER_HOUR, 0.1):.2g} h",
            f"check the window: the sum must be over the {hours} h before each time, in metres",
        )


