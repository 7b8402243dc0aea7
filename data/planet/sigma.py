"""Interpolation between the model's sigma levels and pressure levels.

Between two model levels temperature, wind and humidity are linear in ln p, and geopotential is the
hydrostatic integral of that temperature, so that thickness and temperature agree exactly. Between
the lowest model level and the surface, temperature is linear to the surface temperature T*.

**Below the ground** wind, humidity and vertical velocity keep their value at the lowest model
level. Temperature follows T = T* (p/ps)^(RΓ/g), where T* extrapolates the lowest level to the
surface with Γ = 6.5 K/km, and geopotential is its hydrostatic integral. Over ground above 2500 m, Γ
is reduced so that the temperature at sea level does not exceed 298 K; between 2000 and 2500 m, in
proportion. Reduction to mean sea level uses the same column with limits for very warm (290.5 K) and
very cold (255 K) ground. These are the rules of ECMWF's post-processing as implemented in CDO
(`extrapolate_T`, `extrapolate_P`) and NCL (`vinth2p_ecmwf`), with the exact power law in place of
their third-order series.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from data.constants import STANDARD_GRAVITY, STANDARD_LAPSE_RATE

SigmaField = Float[np.ndarray, "sigma lat lon"]
LevelField = Float[np.ndarray, "level lat lon"]
Field = Float[np.ndarray, "lat lon"]

# The constants of SPEEDY, not of `data.constants`, so that analyses agree with the model's
# dynamics.
DRY_AIR = 287.0  # J kg-1 K-1, gas constant; close to the model's akap·cpd
HEAT_CAPACITY = 1004.0  # J kg-1 K-1, dry air at constant pressure
VIRTUAL = 0.608  # Tv = T (1 + 0.608 q)

PLATEAU_STARTS, PLATEAU_HOLDS, PLATEAU_LIMIT = 2000.0, 2500.0, 298.0  # m, m, K
WARM_GROUND, COLD_GROUND = 290.5, 255.0  # K


class SigmaFields(NamedTuple):
    """The atmosphere at one time on the model's levels, float64, in catalogue units.

    `sigma` (pressure over surface pressure) ascends, so the lowest level is the last. `rain` is the
    precipitation of the six hours before (m), `skin` the temperature of the surface (K).
    """

    sigma: Float[np.ndarray, " sigma"]
    temperature: SigmaField
    u: SigmaField
    v: SigmaField
    humidity: SigmaField
    geopotential: SigmaField
    omega: SigmaField
    surface_pressure: Field
    surface_geopotential: Field
    land: Field
    skin: Field
    rain: Field


class PressureFields(NamedTuple):
    """Fields on pressure levels, top first, in catalogue units."""

    temperature: LevelField
    u: LevelField
    v: LevelField
    humidity: LevelField
    geopotential: LevelField
    omega: LevelField


def on_pressure_levels(air: SigmaFields, levels: tuple[int, ...]) -> PressureFields:
    """Every upper-air field on `levels` (hPa), by the rules in the docstring of this module."""
    ground = ground_temperature(air)
    # The surface is one more node, where fields other than temperature keep their lowest value.
    nodes = np.log(np.append(air.sigma, 1.0))
    temperature = np.concatenate([air.temperature, ground[None]])
    humidity = _with_surface(air.humidity)
    geopotential = np.concatenate([air.geopotential, air.surface_geopotential[None]])
    virtual = temperature * (1 + VIRTUAL * humidity)
    steady = [_with_surface(field) for field in (air.u, air.v, air.humidity, air.omega)]
    exponent = _underground_exponent(ground, air.surface_geopotential)
    columns: list[tuple[Field, ...]] = []
    for level in levels:
        x = np.log(100.0 * level / air.surface_pressure)
        place = _Place.of(nodes, x)
        below = np.maximum(x, 0.0)
        warmed = ground * np.exp(exponent * below)
        t = np.where(x > 0, warmed, place.linear(temperature))
        sunk = air.surface_geopotential - DRY_AIR * virtual[-1] * _power_integral(exponent, below)
        z = np.where(x > 0, sunk, place.hydrostatic(geopotential, virtual))
        columns.append((t, *(place.linear(field) for field in steady), z))
    t, u, v, q, omega, z = (np.stack(fields) for fields in zip(*columns, strict=True))
    return PressureFields(t, u, v, q, z, omega)


def mean_sea_level_pressure(air: SigmaFields) -> Field:
    """Pressure (Pa) at which the column, extrapolated below the ground, has zero geopotential."""
    ground = ground_temperature(air)
    height = air.surface_geopotential / STANDARD_GRAVITY
    at_sea_level = ground + STANDARD_LAPSE_RATE * height
    lapse = np.full_like(ground, STANDARD_LAPSE_RATE)
    cold = ground < COLD_GROUND
    hot = at_sea_level > WARM_GROUND
    above_ground = np.where(np.abs(height) > 1e-3, height, 1e-3)  # the quotient's limit is not used
    lapse = np.where(hot & (ground <= WARM_GROUND), (WARM_GROUND - ground) / above_ground, lapse)
    lapse = np.where(hot & (ground > WARM_GROUND), 0.0, lapse)
    ground = np.where(hot & (ground > WARM_GROUND), (WARM_GROUND + ground) / 2, ground)
    ground = np.where(cold, (COLD_GROUND + ground) / 2, ground)
    exponent = DRY_AIR * lapse / STANDARD_GRAVITY
    depth = _power_depth(exponent, air.surface_geopotential / (DRY_AIR * ground))
    return np.asarray(air.surface_pressure * np.exp(depth))


def ground_temperature(air: SigmaFields) -> Field:
    """T* (K): temperature of the lowest model level, extrapolated to the surface with 6.5 K/km."""
    exponent = DRY_AIR * STANDARD_LAPSE_RATE / STANDARD_GRAVITY
    return np.asarray(air.temperature[-1] * (1 + exponent * (1 / air.sigma[-1] - 1)))


def surface_pressure(
    levels: tuple[int, ...],
    geopotential: LevelField,
    temperature: LevelField,
    humidity: LevelField,
    surface_geopotential: Field,
) -> Field:
    """Pressure (Pa) at which a column on pressure levels (hPa) meets the ground.

    The inverse of `on_pressure_levels`: hydrostatic between levels, 6.5 K/km below the lowest.
    """
    nodes = np.log(100.0 * np.array(levels))
    virtual = temperature * (1 + VIRTUAL * humidity)
    # The lowest level above the ground, and a first guess between it and the next.
    upper = np.clip((geopotential >= surface_geopotential).sum(axis=0) - 1, 0, len(levels) - 2)
    top, bottom = (_taken(geopotential, upper + k) for k in (0, 1))
    warm = _taken(virtual, upper + 1) - _taken(virtual, upper)
    depth = nodes[upper + 1] - nodes[upper]
    bend = DRY_AIR * depth * warm / 2
    f = (surface_geopotential - top) / (bottom - top)
    for _ in range(4):  # contracts by |bend / (bottom - top)|, below 0.1 for layers of weather
        f = (surface_geopotential - top - bend * f * (1 - f)) / (bottom - top)
    exponent = DRY_AIR * STANDARD_LAPSE_RATE / STANDARD_GRAVITY
    depth_below = (geopotential[-1] - surface_geopotential) / (DRY_AIR * virtual[-1])
    under = nodes[-1] + _power_depth(np.full_like(f, exponent), depth_below)
    inside = nodes[upper] + f * depth
    log_pressure = np.where(geopotential[-1] > surface_geopotential, under, inside)
    return np.asarray(np.exp(log_pressure))


def from_pressure_levels(
    field: LevelField,
    levels: tuple[int, ...],
    sigma: Float[np.ndarray, " sigma"],
    pressure: Field,
) -> SigmaField:
    """A field on the model's levels, linear in ln p, extrapolated linearly above the top level."""
    nodes = np.log(100.0 * np.array(levels))
    return np.stack([_Place.of(nodes, np.log(s * pressure)).line(field) for s in sigma])


class _Place(NamedTuple):
    """The place of ln p between nodes: index of the upper one, fraction of the way, distance."""

    upper: np.ndarray
    fraction: np.ndarray
    depth: np.ndarray

    @classmethod
    def of(cls, nodes: Float[np.ndarray, " node"], x: Field) -> "_Place":
        upper = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, nodes.size - 2)
        depth = nodes[upper + 1] - nodes[upper]
        return cls(upper, (x - nodes[upper]) / depth, depth)

    def linear(self, field: Float[np.ndarray, "node lat lon"]) -> Field:
        """Linear between the nodes, constant beyond them."""
        return self._replace(fraction=np.clip(self.fraction, 0, 1)).line(field)

    def line(self, field: Float[np.ndarray, "node lat lon"]) -> Field:
        """Linear between the nodes and above the first, constant below the last."""
        above, below = _taken(field, self.upper), _taken(field, self.upper + 1)
        return np.asarray(above + np.minimum(self.fraction, 1.0) * (below - above))

    def hydrostatic(
        self,
        geopotential: Float[np.ndarray, "node lat lon"],
        virtual: Float[np.ndarray, "node lat lon"],
    ) -> Field:
        """Geopotential through the nodes, with slope -R Tv for a Tv linear in ln p."""
        f = self.fraction
        warming = _taken(virtual, self.upper + 1) - _taken(virtual, self.upper)
        bend = DRY_AIR * self.depth * warming / 2
        return np.asarray(self.line(geopotential) + bend * f * (1 - f))


def _underground_exponent(ground: Field, surface_geopotential: Field) -> Field:
    """RΓ/g below the ground, with Γ reduced under high plateaus."""
    height = surface_geopotential / STANDARD_GRAVITY
    at_sea_level = ground + STANDARD_LAPSE_RATE * height
    limited = np.minimum(at_sea_level, PLATEAU_LIMIT)
    share = np.clip((height - PLATEAU_STARTS) / (PLATEAU_HOLDS - PLATEAU_STARTS), 0, 1)
    reached = at_sea_level + share * (limited - at_sea_level)
    lapse = np.maximum(reached - ground, 0.0) / np.maximum(height, PLATEAU_STARTS)
    lapse = np.where(height > PLATEAU_STARTS, lapse, STANDARD_LAPSE_RATE)
    return np.asarray(DRY_AIR * lapse / STANDARD_GRAVITY)


def _power_integral(exponent: Field, x: Field) -> Field:
    """(exp(a x) - 1) / a, and x where a is zero."""
    small = np.abs(exponent) < 1e-9
    return np.where(small, x, np.expm1(exponent * x) / np.where(small, 1.0, exponent))


def _power_depth(exponent: Field, y: Field) -> Field:
    """The inverse of `_power_integral`: ln(1 + a y) / a, and y where a is zero."""
    small = np.abs(exponent) < 1e-9
    return np.where(small, y, np.log1p(exponent * y) / np.where(small, 1.0, exponent))


def _with_surface(field: SigmaField) -> Float[np.ndarray, "node lat lon"]:
    return np.concatenate([field, field[-1:]])


def _taken(field: Float[np.ndarray, "node lat lon"], index: np.ndarray) -> Field:
    return np.asarray(np.take_along_axis(field, index[None], axis=0)[0])
