"""Rules that compare zonal means with ERA5's climate of the day: size, hemisphere, season.

"latitude" and "season" ask whether another reading of the same numbers (latitude the other way
round, another day of the year) fits much better than the labels. So a planet with a climate of its
own, some kelvins off everywhere, passes. Real analyses (five files, 1959 to 2026, in January,
March, June, August and October) have a root-mean-square z of 0.1 to 0.5 as labelled.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from data.constants import DRY_AIR_GAS_CONSTANT, STANDARD_GRAVITY
from data.doctor.case import Case, at_levels, at_time
from data.doctor.era5 import YEAR, known, usual
from data.doctor.finding import Finding, Worst, worst_by_kind
from data.variables import VARIABLES
from data.wording import listed

JUDGED = (
    *("temperature", "geopotential", "u_component_of_wind", "v_component_of_wind"),
    *("specific_humidity", "2m_temperature", "mean_sea_level_pressure", "10m_u_component_of_wind"),
)
# Rows beyond 85° hold few points and next to none of the globe's area.
LAST_LATITUDE = 85.0
# Spreads (see `era5`) are those of band means, which stay below 3 in real weather; the largest of
# the real files is 2.0. Stratospheric warmings and the quasi-biennial oscillation, the largest
# departures known, reach 4 with the allowances made for them, as does a simulated planet 8 K off.
WARN_Z, ERROR_Z = 5.0, 15.0
# Departures of global means, which weather does not move. The largest of the real files is 1.8 K
# (50 hPa, 1959; the stratosphere has since cooled by 2 K).
WARN_KELVIN = 4.0
WARN_PASCAL = 800.0
WARN_METRES = 50.0  # of 1000 hPa; 4 in the real files
# Another reading counts if its misfit is below 0.6 of the labelled one and below 0.9, and if the
# labelled one is above 0.5.
MUCH_BETTER, FITS, MISFITS = 0.6, 0.9, 0.5
SEASON_DAYS = 12  # candidates round the year
# Days by which dates and season differ. Summer and winter exchanged stop a forecast. Less is a
# warning: the weather is real, and the date decides no more than sunlight and clock.
WARN_DAYS, ERROR_DAYS = 45, 150


class Bands(NamedTuple):
    """Zonal means of a variable at one time, to compare with ERA5's climate."""

    levels: tuple[int | None, ...]
    means: Float[np.ndarray, "level lat"]
    weights: Float[np.ndarray, " lat"]
    latitude: Float[np.ndarray, " lat"]

    def z(
        self, name: str, day: int | float, *, flipped: bool = False
    ) -> Float[np.ndarray, "level lat"]:
        """Departure from the climate in spreads; `flipped` turns the latitude around."""
        latitude = -self.latitude if flipped else self.latitude
        climate = usual(name, day, tuple(level or 1000 for level in self.levels), latitude)
        assert climate is not None
        return np.asarray((self.means - climate.mean) / climate.spread)

    def misfit(self, name: str, day: int | float, *, flipped: bool = False) -> float:
        """Root-mean-square z, weighted by area."""
        z = self.z(name, day, flipped=flipped)
        return float(np.sqrt((z**2 @ self.weights).mean()))


def bands(case: Case, name: str, time: int | None) -> Bands | None:
    """Zonal means on the levels that the climate covers, or None without any."""
    fields = {
        level: field
        for level, field in case.sound(name, time).items()
        if level is None or known(level)
    }
    if not fields:
        return None
    inside = np.abs(case.digest.latitude) <= LAST_LATITUDE
    weights = case.digest.weights[inside, 0]
    means = np.stack([field.coarse.mean(1)[inside] for field in fields.values()])
    latitude = case.digest.latitude[inside]
    return Bands(tuple(fields), means, weights / weights.sum(), latitude)


def climate(case: Case) -> Iterator[Finding]:
    """No latitude band and no global mean is far from the climate of the day."""
    for name in JUDGED:
        worst = worst_by_kind(_far_bands(case, name)).get(name)
        if worst is not None:
            others = sorted({str(level) for level in worst.levels} - {"None"})
            yield Finding(
                "climate",
                "error" if worst.size > ERROR_Z else "warning",
                worst.text + (f" (so at {len(others)} levels)" if len(others) > 1 else ""),
                "look at units, levels, latitude and date of this variable",
            )
        elif shifts := _shifted_means(case, name):
            level = max(shifts, key=lambda at: abs(shifts[at]))
            yield Finding(
                "climate",
                "error" if name == "specific_humidity" and _is_dry(case) else "warning",
                f"the global mean of {name}{at_levels(shifts)} is up to"
                f" {shifts[level]:+.3g} {VARIABLES[name].units} from ERA5's climate of the day,"
                " and weather does not move it",
                "compare with another analysis of the same time before trusting this one",
            )


# Part of the climate's specific humidity that the globe has at least on the lowest level. Real
# files: 0.9; a planet 10 K colder than the Earth: 0.5. Read as g kg-1: 0.001.
DRY = 0.2


def _is_dry(case: Case) -> bool:
    """Whether there is next to no vapour near the ground, at some time."""
    for _, day, zonal in _dated_bands(case, "specific_humidity"):
        low = max(range(len(zonal.levels)), key=lambda row: zonal.levels[row] or 0)
        level = zonal.levels[low] or 0
        expected = usual("specific_humidity", day, (level,), zonal.latitude)
        assert expected is not None
        if level >= 400 and zonal.means[low] @ zonal.weights < DRY * float(
            (expected.mean @ zonal.weights)[0]
        ):
            return True
    return False


def _dated_bands(case: Case, name: str) -> Iterator[tuple[int | None, float, Bands]]:
    """Time, day of the year and zonal means, where all are known."""
    for time in case.digest.indices:
        day, zonal = case.digest.day(time), bands(case, name, time)
        if day is not None and zonal is not None:
            yield time, day, zonal


def _far_bands(case: Case, name: str) -> Iterator[tuple[str, Worst]]:
    """The farthest band of each level and time that has one beyond `WARN_Z` spreads."""
    for time, day, zonal in _dated_bands(case, name):
        z = zonal.z(name, day)
        for row, level in enumerate(zonal.levels):
            most = int(np.abs(z[row]).argmax())
            size = float(abs(z[row, most]))
            if size > WARN_Z:
                text = (
                    f"{name}{at_levels([level])}{at_time(case.digest, time)} is"
                    f" {zonal.means[row, most]:.4g} {VARIABLES[name].units} on average at"
                    f" latitude {zonal.latitude[most]:.0f}, {size:.0f} spreads"
                    f" {'above' if z[row, most] > 0 else 'below'} ERA5's climate of the day"
                )
                yield name, Worst(size, text, (level,))


def _shifted_means(case: Case, name: str) -> dict[int | None, float]:
    """By level, the latest shift of the global mean beyond the allowance."""
    shifts: dict[int | None, float] = {}
    for _, day, zonal in _dated_bands(case, name):
        shifts |= _shift(name, zonal, day)
    return shifts


def _shift(name: str, zonal: Bands, day: float) -> dict[int | None, float]:
    """By level, the shift of the global mean, if it is beyond the allowance."""
    expected = usual(name, day, tuple(level or 1000 for level in zonal.levels), zonal.latitude)
    assert expected is not None
    off = (zonal.means - expected.mean) @ zonal.weights
    means = expected.mean @ zonal.weights
    return {
        level: float(value)
        for level, value, mean in zip(zonal.levels, off, means, strict=True)
        if abs(value) > _shift_allowed(name, level, float(mean))
    }


def _shift_allowed(name: str, level: int | None, mean: float) -> float:
    """How far a global mean may be from the climate's."""
    if name in ("temperature", "2m_temperature"):
        # Above 100 hPa single winters and decades differ by more.
        return WARN_KELVIN * (2.0 if level is not None and level < 100 else 1.0)
    if name == "mean_sea_level_pressure":
        return WARN_PASCAL
    if name == "geopotential" and level is not None:
        thickness = DRY_AIR_GAS_CONSTANT * WARN_KELVIN * float(np.log(1000 / level))
        return STANDARD_GRAVITY * WARN_METRES + thickness
    if name == "specific_humidity" and level is not None and level >= 400:
        return 0.5 * mean  # real files: 12 %
    return float("inf")


def latitude(case: Case) -> Iterator[Finding]:
    """Fields lie on their own hemisphere: not upside down against the latitude."""
    flipped: dict[str, list[str]] = {}
    for name in JUDGED:
        if name == "v_component_of_wind":
            continue  # its zonal means are small, and nearly odd
        for time in case.digest.indices:
            zonal = bands(case, name, time)
            if zonal is None:
                continue
            day = case.digest.day(time)
            if day is not None and zonal.misfit(name, day) <= 0.8 * MISFITS:
                continue
            days = YEAR * np.arange(SEASON_DAYS) / SEASON_DAYS + (day or 0.0)
            of_year = [zonal.misfit(name, moment) for moment in days]
            labelled = of_year[0] if day is not None else min(of_year)
            # Without a date, the best day of the year counts.
            others = days if day is None else days[:1]
            other = min(zonal.misfit(name, moment, flipped=True) for moment in others)
            fits = other < min(MUCH_BETTER * labelled, FITS)
            # If a wrong date explains it better, the rule "season" reports it.
            if labelled > 0.8 * MISFITS and fits and other < min(of_year):
                flipped.setdefault(name, []).append(at_time(case.digest, time))
    if flipped:
        when = sorted({moment for moments in flipped.values() for moment in moments})
        yield Finding(
            "latitude",
            "error",
            f"{listed(sorted(flipped))} fit ERA5's climate with latitude the other way round, and"
            f" not as labelled{listed(when, 3)}",
            "turn the fields (or the latitude coordinate) around, not both",
        )


def season(case: Case) -> Iterator[Finding]:
    """Fields belong to the season of their dates."""
    for time in case.digest.indices:
        day = case.digest.day(time)
        if day is None:
            continue
        zonal = {
            name: of_name
            for name in ("temperature", "geopotential", "specific_humidity", "2m_temperature")
            if (of_name := bands(case, name, time)) is not None
        }
        if not zonal or _joint(zonal, day) <= MISFITS:
            continue
        apart = np.arange(SEASON_DAYS) * YEAR / SEASON_DAYS
        misfits = [_joint(zonal, day + shift) for shift in apart]
        labelled, best = misfits[0], int(np.argmin(misfits))
        off = min(apart[best], YEAR - apart[best])
        upside_down = _joint(zonal, day, flipped=True)
        if off >= WARN_DAYS and misfits[best] < min(MUCH_BETTER * labelled, FITS, upside_down):
            yield Finding(
                "season",
                "error" if off >= ERROR_DAYS else "warning",
                f"the fields{at_time(case.digest, time)} fit ERA5's climate of a time of the year"
                f" about {off:.0f} days away from the date that they carry",
                "check the dates: day and month exchanged, or hours counted from another day?",
            )
            return


def _joint(zonal: dict[str, Bands], day: float, *, flipped: bool = False) -> float:
    """Root-mean-square misfit of several variables."""
    squares = [of_name.misfit(name, day, flipped=flipped) ** 2 for name, of_name in zonal.items()]
    return float(np.sqrt(np.mean(squares)))
