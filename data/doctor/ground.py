"""The marks that the ground leaves on the air, and the rule "shift".

Wind is slow over land, air is cold over high ground, and pressure levels below the ground are
extrapolated. The numbers in the comments are correlations of zonal departures in the real files, as
labelled and turned by eighths of the globe.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from data.constants import DRY_AIR_GAS_CONSTANT
from data.doctor import era5
from data.doctor.case import Case, Map, area, correlation, departure
from data.doctor.digest import Digest
from data.doctor.finding import Finding

PRESSURE = "the pattern of mean pressure"
# Degrees by which the fields may lie east of their labels, and the shift that is an error. In the
# real files, at every time and on every grid up to 10°, the ground fits best at 0 or 2.5°.
SHIFTS, FEWEST = np.arange(-45.0, 45.1, 2.5), 5.0
# The correlation there, and how much better it must be. Real files: at least 0.37 as labelled.
ENOUGH, BETTER = 0.3, 0.02


class Evidence(NamedTuple):
    """A map that should correlate with a reference over the Earth's ground, and its name."""

    name: str
    field: Map
    turned: Callable[[float], Map]  # the reference so many degrees west of where it is
    weights: Map

    def reference(self) -> Map:
        """The reference where it is."""
        return self.turned(0.0)


def shift(case: Case) -> Iterator[Finding]:
    """The ground's marks lie neither east nor west of the Earth's ground."""
    fits: list[list[float]] = []
    for time in case.digest.indices:
        for of_ground in evidence(case, time):
            if of_ground.name != PRESSURE:
                field = departure(of_ground.field)
                fits.append(
                    [
                        correlation(field, departure(of_ground.turned(by)), of_ground.weights)
                        for by in SHIFTS
                    ]
                )
    if not fits:
        return
    mean = np.mean(fits, axis=0)
    best, labelled = int(mean.argmax()), float(mean[SHIFTS == 0][0])
    if abs(SHIFTS[best]) >= FEWEST and mean[best] > max(ENOUGH, labelled + BETTER):
        yield Finding(
            "shift",
            "error",
            f"the ground shows in the fields {abs(SHIFTS[best]):g}° {_side(SHIFTS[best])} of where"
            f" it is (correlation {mean[best]:.2f} there, {labelled:.2f} as labelled)",
            "look where the longitudes begin, and whether they are centres of cells or edges",
        )


def _side(by: float) -> str:
    return "east" if by < 0 else "west"


def _over(digest: Digest, table: Callable[..., Map]) -> Callable[[float], Map]:
    """A map of the Earth on the digest's grid, so many degrees west of where it is."""
    return lambda by: table(digest.latitude, (digest.longitude + by) % 360)


def evidence(case: Case, time: int | None) -> Iterator[Evidence]:
    """Every map of a time that the ground should show in."""
    digest = case.digest
    land, height = _over(digest, era5.land), _over(digest, era5.orography)
    inhabited = area(digest, 0, 75)
    speed = _lowest_wind(case, time)
    if speed is not None:
        # -0.43 to -0.58, turned -0.2 to 0.2
        yield Evidence("the wind near the ground", -speed, land, inhabited)
    at_2m = case.sound("2m_temperature", time).get(None)
    if at_2m is not None:
        # -0.31 (June) to -0.65, turned -0.2 to 0.2
        yield Evidence("2m_temperature", -at_2m.coarse, height, inhabited)
    pressure = case.sound("surface_pressure", time).get(None)
    if pressure is not None:
        yield Evidence("surface_pressure", -pressure.coarse, height, inhabited)  # -0.94, -0.98
    below_ground = _extrapolation(case, time)
    if below_ground is not None:
        # 0.43 to 0.74, turned -0.2 to 0.15
        yield Evidence("geopotential and temperature", below_ground, height, inhabited)
    rough = _roughness(case, time)
    if rough is not None:
        # 0.36 to 0.42, turned 0.07 at the most
        yield Evidence("the roughness of the fields on 850 hPa", rough, height, area(digest, 0, 60))
    day = digest.day(time)
    sea_level = case.sound("mean_sea_level_pressure", time).get(None)
    geopotential = case.sound("geopotential", time)
    low = max((level for level in geopotential if level is not None), default=0)
    if sea_level is None and low >= 850:
        sea_level = geopotential[low]
    if sea_level is not None and day is not None:
        usual = _over(digest, partial(era5.sea_level_pressure, day))
        # 0.1 to 0.57, turned by half -0.33 to 0.15
        yield Evidence("the pattern of mean pressure", sea_level.coarse, usual, area(digest, 0, 60))


def _lowest_wind(case: Case, time: int | None) -> Map | None:
    u = case.sound("10m_u_component_of_wind", time).get(None)
    v = case.sound("10m_v_component_of_wind", time).get(None)
    if u is None or v is None:
        upper_u = case.sound("u_component_of_wind", time)
        upper_v = case.sound("v_component_of_wind", time)
        levels = [level for level in upper_u if level and level >= 950 and level in upper_v]
        if not levels:
            return None
        u, v = upper_u[max(levels)], upper_v[max(levels)]
    return np.asarray(np.hypot(u.coarse, v.coarse))


def _extrapolation(case: Case, time: int | None) -> Map | None:
    """Hydrostatic misfit near the ground (K), large where levels are below the ground."""
    z, t = case.sound("geopotential", time), case.sound("temperature", time)
    levels = sorted(level for level in z if level in t and level is not None and level >= 500)
    total: Map | None = None
    for upper, lower in pairwise(levels):
        # In one layer from 500 to 850 hPa the curvature of the profile hides it (correlation 0.1).
        if lower < 700 or np.log(lower / upper) > 0.4:
            continue
        thickness = (z[upper].coarse - z[lower].coarse) / (
            DRY_AIR_GAS_CONSTANT * np.log(lower / upper)
        )
        misfit = thickness - (t[upper].coarse + t[lower].coarse) / 2
        amount = np.abs(misfit - np.median(misfit, axis=1, keepdims=True))
        total = amount if total is None else total + amount
    return total


ROUGH_UP_TO = 3.75  # degrees: on coarser grids extrapolated fields are not rough


def _roughness(case: Case, time: int | None) -> Map | None:
    """Differences between neighbours on 850 hPa, large where the level is below the ground."""
    z, t = case.sound("geopotential", time), case.sound("temperature", time)
    if 850 not in z or 850 not in t or 360 / case.digest.longitude.size > ROUGH_UP_TO:
        return None
    total = np.zeros(z[850].coarse.shape)
    for field in (z[850].coarse, t[850].coarse):
        around = (np.roll(field, 1, axis=1) + np.roll(field, -1, axis=1)) / 2
        amount = np.sqrt(np.abs(field - around))
        total += amount / amount.std()
    return total
