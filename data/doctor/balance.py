"""Geostrophic and hydrostatic balance on the coarse grid, for the rules that need them.

Balance holds on any rotating planet with an atmosphere, to the accuracy of differences on a coarse
grid; no climate is involved. Correlations are of departures from the zonal mean, so that what every
planet has in common, cold poles and westerlies, does not count.
"""

from typing import NamedTuple

import numpy as np

from data.constants import DRY_AIR_GAS_CONSTANT, EARTH_RADIUS, EARTH_ROTATION
from data.doctor.case import Case, Map, area, correlation, departure, slope

# Temperature is not linear in ln(p) through layers thicker than a factor of two in pressure: from
# 10 to 20 hPa that makes an error of 1 K, from 1 to 2 hPa 2.5 K.
THICKEST_LAYER = 0.72  # ln(p₂/p₁)
COARSEST = 12.0  # degrees: balance still shows on grids of 10°, not on those of 20°


class Balance(NamedTuple):
    """The wind on one level against the wind that balances pressure, as correlations and slopes."""

    level: int | None
    u: float
    v: float
    u_like_v: float  # of u with the balancing v
    v_like_u: float
    u_slope: float
    v_slope: float


def thickness(case: Case, time: int | None, upper: int, lower: int) -> Map | None:
    """Difference of geopotential between two levels (m2 s-2), or None where it is not known.

    Taken from geopotential, or else from temperature by the hydrostatic equation.
    """
    z, t = case.sound("geopotential", time), case.sound("temperature", time)
    if upper in z and lower in z:
        return np.asarray(z[upper].coarse - z[lower].coarse)
    layer = float(np.log(lower / upper))
    if upper not in t or lower not in t or layer > THICKEST_LAYER:
        return None
    return np.asarray(DRY_AIR_GAS_CONSTANT * layer * (t[upper].coarse + t[lower].coarse) / 2)


def balance(case: Case, level: int | None, u: Map, v: Map, potential: Map) -> Balance:
    """The wind (m s-1) against the geostrophic wind of `potential` (m2 s-2).

    Compared between 25° and 70°: nearer to the equator there is no balance, nearer to the poles
    rows are short.
    """
    weights = area(case.digest, 25, 70)
    outside = weights == 0
    balanced_u, balanced_v = (np.where(outside, 0.0, x) for x in geostrophic(case, potential))
    u, v = np.where(outside, 0.0, u), np.where(outside, 0.0, v)
    u_part, v_part = departure(balanced_u), departure(balanced_v)
    return Balance(
        level,
        correlation(departure(u), u_part, weights),
        correlation(departure(v), v_part, weights),
        correlation(departure(u), v_part, weights),
        correlation(departure(v), u_part, weights),
        slope(u, balanced_u, weights),
        slope(v, balanced_v, weights),
    )


def geostrophic(case: Case, potential: Map) -> tuple[Map, Map]:
    """Geostrophic eastward and northward wind (m s-1); meaningless within 6° of the equator."""
    eastward, northward = gradient(case, potential)
    sine = np.sin(np.deg2rad(case.digest.latitude))[:, None]
    coriolis = 2 * EARTH_ROTATION * np.where(np.abs(sine) < 0.1, 1.0, sine)
    return np.asarray(-northward / coriolis), np.asarray(eastward / coriolis)


def gradient(case: Case, field: Map) -> tuple[Map, Map]:
    """Derivatives eastward and northward (per metre)."""
    latitude = np.deg2rad(case.digest.latitude)
    step = 2 * np.pi / case.digest.longitude.size
    northward = np.gradient(field, latitude, axis=0) / EARTH_RADIUS
    row_radius = EARTH_RADIUS * np.cos(latitude)[:, None].clip(1e-3)
    eastward = (np.roll(field, -1, axis=1) - np.roll(field, 1, axis=1)) / (2 * step) / row_radius
    return eastward, northward
