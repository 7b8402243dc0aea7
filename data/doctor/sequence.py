"""Rules on successive frames: they continue each other, in the right order, in all variables.

Advection gives the direction of time: the wind carries temperature, so downwind of warm air the
next frame is warmer. And geopotential that is one frame late fits the temperature of the frame
before better than the temperature of its own.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from data.constants import DRY_AIR_GAS_CONSTANT
from data.doctor.balance import COARSEST, THICKEST_LAYER, geostrophic, gradient
from data.doctor.case import Case, Map, area, correlation, departure, pairs
from data.doctor.finding import Finding
from data.wording import hour, listed

# Least correlation of zonal departures in two frames 6 to 9 h apart. Real files, 6 to 8 h apart:
# 0.91 to 0.98 on levels, 0.77 to 0.94 at the surface; 12 h apart, 0.82 or more for z and t.
FOLLOWING = {
    "geopotential": 0.5,
    "temperature": 0.5,
    "u_component_of_wind": 0.4,
    "v_component_of_wind": 0.4,
    "specific_humidity": 0.4,
    "mean_sea_level_pressure": 0.4,
    "2m_temperature": 0.3,
    "10m_u_component_of_wind": 0.3,
    "10m_v_component_of_wind": 0.3,
}


def continuity(case: Case) -> Iterator[Finding]:
    """Each frame continues the one before: weather does not change completely within hours."""
    weights = area(case.digest, 0, 90)
    torn: dict[tuple[int, int], dict[str, float]] = {}
    for first, second in pairs(case.digest, np.timedelta64(9, "h")):
        for name, least in FOLLOWING.items():
            before, after = case.sound(name, first), case.sound(name, second)
            fits = [
                correlation(
                    departure(before[level].coarse), departure(after[level].coarse), weights
                )
                for level in before
                if level in after
            ]
            # The worst level counts, as a single one may have been exchanged.
            if fits and min(fits) < least:
                torn.setdefault((first, second), {})[name] = min(fits)
    if torn:
        (first, second), names = next(iter(torn.items()))
        more = f" (and at {len(torn) - 1} other times)" if len(torn) > 1 else ""
        yield Finding(
            "continuity",
            "error",
            f"{listed(sorted(names))} at {hour(case.digest.times[second])} do not follow from"
            f" {hour(case.digest.times[first])}: correlation"
            f" {min(names.values()):.2f}, and of real weather above 0.75{more}",
            "look which of the two frames carries a wrong time, or is turned or damaged",
        )


# Correlation of the change of a field in 6 or 12 h with its advection, mean over 300 to 850 hPa,
# 25° to 70°. Real files: temperature 0.27 (one level at 10°) to 0.66, humidity 0.5 to 0.6, the
# winds 0.3 to 0.7; with the frames exchanged, the negative.
BACKWARDS = -0.12
CARRIED = ("temperature", "specific_humidity", "u_component_of_wind", "v_component_of_wind")


def sequence(case: Case) -> Iterator[Finding]:
    """The later frame is the one to which the wind leads."""
    if 360 / case.digest.longitude.size > COARSEST:
        return
    for first, second in pairs(case.digest, np.timedelta64(12, "h")):
        fits = {name: _carried(case, name, first, second) for name in CARRIED}
        against = {name: fit for name, fit in fits.items() if fit is not None and fit < BACKWARDS}
        if against:
            both = f"{hour(case.digest.times[first])} and {hour(case.digest.times[second])}"
            yield Finding(
                "sequence",
                "error",
                f"between {both} {listed(against)} move against the wind that carries them"
                f" (correlation {min(against.values()):.2f})",
                f"look whether the two frames of {listed(against)} are exchanged, or all fields"
                " mirrored (east and west)",
            )
            return


def _carried(case: Case, name: str, first: int, second: int) -> float | None:
    """Correlation of a field's change with its advection, in zonal departures."""
    weights = area(case.digest, 25, 70)
    before, after = case.sound(name, first), case.sound(name, second)
    fits = []
    for level in before:
        if level is None or not 300 <= level <= 850 or level not in after:
            continue
        wind = _wind(case, first, second, level)
        if wind is None:
            continue
        east, north = gradient(case, (before[level].coarse + after[level].coarse) / 2)
        carries = np.where(weights > 0, -wind[0] * east - wind[1] * north, 0.0)
        change = after[level].coarse - before[level].coarse
        fits.append(correlation(departure(change), departure(carries), weights))
    return float(np.mean(fits)) if fits else None


def _wind(case: Case, first: int, second: int, level: int) -> tuple[Map, Map] | None:
    """Mean wind (m s-1) of two frames: geostrophic, or the wind itself without geopotential."""

    def between(name: str) -> Map | None:
        before, after = case.sound(name, first), case.sound(name, second)
        if level not in before or level not in after:
            return None
        return np.asarray((before[level].coarse + after[level].coarse) / 2)

    z = between("geopotential")
    if z is not None:
        return geostrophic(case, z)
    u, v = between("u_component_of_wind"), between("v_component_of_wind")
    return None if u is None or v is None else (u, v)


# Misfit of thickness and temperature from different frames over that from the same frame. Real
# files: 1.7 (6 h at 10°) to 6 (12 h at 10°); with geopotential or temperature one frame late, 0.16
# to 0.55.
OTHER_FRAME = 0.8


def lag(case: Case) -> Iterator[Finding]:
    """Geopotential and temperature are of the same time."""
    for first, second in pairs(case.digest, np.timedelta64(12, "h")):
        misfits = _misfits(case, first, second)
        if misfits is None:
            continue
        same = min(misfits[0, 0], misfits[1, 1])
        crossed = {(first, second): misfits[0, 1], (second, first): misfits[1, 0]}
        (z, t), least = min(crossed.items(), key=lambda item: item[1])
        if least < OTHER_FRAME * same:
            yield Finding(
                "lag",
                "error",
                f"geopotential at {hour(case.digest.times[z])} goes with temperature at"
                f" {hour(case.digest.times[t])}, and not with that of its own time",
                "look which of the two is a frame late, and give each its own time",
            )
            return


def _misfits(case: Case, first: int, second: int) -> np.ndarray | None:
    """Misfits of thickness and temperature (K², summed over layers), [frame of z, frame of t]."""
    z = [case.sound("geopotential", time) for time in (first, second)]
    t = [case.sound("temperature", time) for time in (first, second)]
    levels = sorted(x for x in z[0] if x is not None and x >= 200 and x in z[1])
    levels = [x for x in levels if x in t[0] and x in t[1]]
    weights = area(case.digest, 25, 90)
    total: np.ndarray | None = None
    for upper, lower in pairwise(levels):
        layer = float(np.log(lower / upper))
        if layer > THICKEST_LAYER:
            continue
        implied = [
            departure(f[upper].coarse - f[lower].coarse) / (DRY_AIR_GAS_CONSTANT * layer) for f in z
        ]
        stated = [departure(f[upper].coarse + f[lower].coarse) / 2 for f in t]
        apart = np.array([[(weights * (a - b) ** 2).sum() for b in stated] for a in implied])
        total = apart if total is None else total + apart
    return total
