"""Rules that compare zonal means with ERA5's climate of the day: size, hemisphere, season.

What decides is always whether another reading of the same numbers (latitude the other way round,
another day of the year) fits much better than the one that the labels say, so a planet with a
climate of its own, some kelvins off everywhere, passes. Of real analyses (five files, from 1959
to 2026, in January, March, June, August and October) the root-mean-square z is 0.1 to 0.5 as
labelled.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from data.canonical.humidity import DRY_AIR
from data.constants import STANDARD_GRAVITY
from data.doctor.case import Case, at_levels, at_time
from data.doctor.climatology import YEAR, known, usual
from data.doctor.finding import Finding, listed
from data.variables import VARIABLES

JUDGED = (
    *("temperature", "geopotential", "u_component_of_wind", "v_component_of_wind"),
    *("specific_humidity", "2m_temperature", "mean_sea_level_pressure", "10m_u_component_of_wind"),
)
# Beyond 85° a row is a few points, and next to nothing of the globe.
LAST_LATITUDE = 85.0
# The spread (see ``climatology``) holds the extremes of single points no longer, so band means of
# real weather stay below 3: the largest of the real files is 2.0. Stratospheric warmings and the
# quasi-biennial oscillation, the largest departures there are, reach 4 by the allowances made for
# them. A simulated planet 8 K off reaches 4.
WARN_Z, ERROR_Z = 5.0, 15.0
# Global means: 1.8 K is the largest of the real files (50 hPa, 1959), where the climate has since
# cooled by 2 K. Weather does not move them at all.
WARN_KELVIN = 4.0
WARN_PASCAL = 800.0
WARN_METRES = 50.0  # of 1000 hPa; 4 in the real files
# Another reading must fit this much better, and well.
MUCH_BETTER, FITS, MISFITS = 0.6, 0.9, 0.5
SEASON_DAYS = 12  # candidates round the year
WARN_DAYS, ERROR_DAYS = 45, 75


class Bands(NamedTuple):
    """Zonal means of a variable at a time, and what is usual for some day."""

    levels: tuple[int | None, ...]
    means: Float[np.ndarray, "level lat"]
    weights: Float[np.ndarray, " lat"]
    latitude: Float[np.ndarray, " lat"]

    def z(
        self, name: str, day: int | float, *, flipped: bool = False
    ) -> Float[np.ndarray, "level lat"]:
        """Departure from the usual in spreads; ``flipped``: with latitude the other way round."""
        latitude = -self.latitude if flipped else self.latitude
        found = usual(name, day, tuple(level or 1000 for level in self.levels), latitude)
        assert found is not None
        return np.asarray((self.means - found.mean) / found.spread)

    def misfit(self, name: str, day: int | float, *, flipped: bool = False) -> float:
        """Root-mean-square z."""
        z = self.z(name, day, flipped=flipped)
        return float(np.sqrt((z**2 @ self.weights).mean()))


def bands(case: Case, name: str, time: int | None) -> Bands | None:
    """The levels of a variable that can be compared, or None."""
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
    """No latitude band, and no global mean, far from what is usual on the day."""
    for name in JUDGED:
        worst: tuple[float, str, list[int | None]] | None = None
        shifted: dict[int | None, float] = {}
        for time in case.digest.indices:
            day, found = case.digest.day(time), bands(case, name, time)
            if day is None or found is None:
                continue
            z = found.z(name, day)
            for row, level in enumerate(found.levels):
                most = int(np.abs(z[row]).argmax())
                if abs(z[row, most]) > WARN_Z:
                    where = (
                        f"{name}{at_levels([level])}{at_time(case.digest, time)} is"
                        f" {found.means[row, most]:.4g} {VARIABLES[name].units} on average at"
                        f" latitude {found.latitude[most]:.0f}, {abs(z[row, most]):.0f} spreads"
                        f" {'above' if z[row, most] > 0 else 'below'} ERA5's climate of the day"
                    )
                    if worst is None or abs(z[row, most]) > worst[0]:
                        worst = (float(abs(z[row, most])), where, worst[2] if worst else [])
                    worst[2].append(level)
            shifted |= _shift(name, found, day)
        if worst is not None:
            others = sorted({str(level) for level in worst[2]} - {"None"})
            yield Finding(
                "climate",
                "error" if worst[0] > ERROR_Z else "warning",
                worst[1] + (f" (so at {len(others)} levels)" if len(others) > 1 else ""),
                "look at units, levels, latitude and date of this variable",
            )
        elif shifted:
            level = max(shifted, key=lambda at: abs(shifted[at]))
            yield Finding(
                "climate",
                "warning",
                f"the global mean of {name}{at_levels(shifted)} is up to"
                f" {shifted[level]:+.3g} {VARIABLES[name].units} from ERA5's climate of the day,"
                " and weather does not move it",
                "compare with another analysis of the same time before trusting this one",
            )


def _shift(name: str, found: Bands, day: float) -> dict[int | None, float]:
    """Levels at which the global mean is off, and by how much."""
    expected = usual(name, day, tuple(level or 1000 for level in found.levels), found.latitude)
    assert expected is not None
    off = (found.means - expected.mean) @ found.weights
    means = expected.mean @ found.weights
    return {
        level: float(value)
        for level, value, mean in zip(found.levels, off, means, strict=True)
        if abs(value) > _shift_allowed(name, level, float(mean))
    }


def _shift_allowed(name: str, level: int | None, mean: float) -> float:
    """How far a global mean may be from the usual one."""
    if name in ("temperature", "2m_temperature"):
        # Above 100 hPa single winters and decades differ by more.
        return WARN_KELVIN * (2.0 if level is not None and level < 100 else 1.0)
    if name == "mean_sea_level_pressure":
        return WARN_PASCAL
    if name == "geopotential" and level is not None:
        return STANDARD_GRAVITY * WARN_METRES + DRY_AIR * WARN_KELVIN * float(np.log(1000 / level))
    if name == "specific_humidity" and level is not None and level >= 400:
        return 0.5 * mean  # 12 % in the real files
    return float("inf")


def latitude(case: Case) -> Iterator[Finding]:
    """Fields on their own hemisphere: not upside down against the coordinate."""
    flipped: dict[str, list[str]] = {}
    for name in JUDGED:
        if name == "v_component_of_wind":
            continue  # its zonal means are small, and nearly odd
        for time in case.digest.indices:
            found = bands(case, name, time)
            if found is None:
                continue
            day = case.digest.day(time)
            if day is not None and found.misfit(name, day) <= 0.8 * MISFITS:
                continue
            days = YEAR * np.arange(SEASON_DAYS) / SEASON_DAYS + (day or 0.0)
            of_year = [found.misfit(name, moment) for moment in days]
            labelled = of_year[0] if day is not None else min(of_year)
            # Without a date, any that fits will do.
            others = days if day is None else days[:1]
            other = min(found.misfit(name, moment, flipped=True) for moment in others)
            fits = other < min(MUCH_BETTER * labelled, FITS)
            # A wrong date may explain the same; then "season" says so.
            if labelled > 0.8 * MISFITS and fits and other < min(of_year):
                flipped.setdefault(name, []).append(at_time(case.digest, time))
    # Several variables, or one by itself, at one time or at all: it is wrong either way.
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
    """Fields of the season that their dates say."""
    for time in case.digest.indices:
        day = case.digest.day(time)
        if day is None:
            continue
        found = {
            name: of_name
            for name in ("temperature", "geopotential", "specific_humidity", "2m_temperature")
            if (of_name := bands(case, name, time)) is not None
        }
        if not found or _joint(found, day) <= MISFITS:
            continue
        apart = np.arange(SEASON_DAYS) * YEAR / SEASON_DAYS
        misfits = [_joint(found, day + shift) for shift in apart]
        labelled, best = misfits[0], int(np.argmin(misfits))
        off = min(apart[best], YEAR - apart[best])
        upside_down = _joint(found, day, flipped=True)
        if off >= WARN_DAYS and misfits[best] < min(MUCH_BETTER * labelled, FITS, upside_down):
            yield Finding(
                "season",
                "error" if off >= ERROR_DAYS else "warning",
                f"the fields{at_time(case.digest, time)} fit ERA5's climate of a time of the year"
                f" about {off:.0f} days away from the date that they carry",
                "check the dates: day and month exchanged, or hours counted from another day?",
            )
            return


def _joint(found: dict[str, Bands], day: float, *, flipped: bool = False) -> float:
    squares = [of_name.misfit(name, day, flipped=flipped) ** 2 for name, of_name in found.items()]
    return float(np.sqrt(np.mean(squares)))
