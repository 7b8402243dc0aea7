"""Analyses: the catalogue's variables from the model's fields, and back.

The model has no values at 2 m and 10 m. They follow from a logarithmic profile between the surface
and the lowest model level, some 430 m up: 2 m temperature lies between skin temperature and that of
the lowest level brought down dry adiabatically, and 10 m wind is a fraction of that on the lowest
level.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float

from data.constants import STANDARD_GRAVITY
from data.planet.sigma import (
    HEAT_CAPACITY,
    Field,
    SigmaFields,
    from_pressure_levels,
    mean_sea_level_pressure,
    on_pressure_levels,
    surface_pressure,
)

ATMOSPHERIC = (
    "geopotential",
    "temperature",
    "u_component_of_wind",
    "v_component_of_wind",
    "specific_humidity",
    "vertical_velocity",
)
SURFACE = (
    "2m_temperature",
    "10m_u_component_of_wind",
    "10m_v_component_of_wind",
    "mean_sea_level_pressure",
    "total_precipitation_6hr",
)
STATIC = ("geopotential_at_surface", "land_sea_mask")
PLANET_VARIABLES = (*ATMOSPHERIC, *SURFACE)  # all that vary in time

# Eight model levels support about as many pressure levels. 50 hPa lies between the two highest;
# 1000 hPa lies below the lowest, but most users need it.
LEVELS = (50, 100, 200, 300, 500, 700, 850, 925, 1000)
HIGHEST_LEVEL, LOWEST_LEVEL = 30, 1000  # hPa: the top model level lies at 25 hPa

# Roughness lengths (m). Land is grass and fields with trees; its length for heat is shorter.
ROUGHNESS_SEA = 1e-4
ROUGHNESS_LAND = 0.1
ROUGHNESS_LAND_HEAT = 1e-3


def analysis(air: SigmaFields, levels: tuple[int, ...]) -> dict[str, np.ndarray]:
    """All `PLANET_VARIABLES` by name, float32, on `levels` (hPa) and at the surface."""
    upper = on_pressure_levels(air, levels)
    height = np.maximum(air.geopotential[-1] - air.surface_geopotential, 0) / STANDARD_GRAVITY
    brought_down = air.temperature[-1] + STANDARD_GRAVITY / HEAT_CAPACITY * height
    warmth = logarithmic_share(2.0, height, air.land, ROUGHNESS_LAND_HEAT)
    wind = logarithmic_share(10.0, height, air.land, ROUGHNESS_LAND)
    fields = {
        "geopotential": upper.geopotential,
        "temperature": upper.temperature,
        "u_component_of_wind": upper.u,
        "v_component_of_wind": upper.v,
        "specific_humidity": upper.humidity,
        "vertical_velocity": upper.omega,
        "2m_temperature": air.skin + warmth * (brought_down - air.skin),
        "10m_u_component_of_wind": wind * air.u[-1],
        "10m_v_component_of_wind": wind * air.v[-1],
        "mean_sea_level_pressure": mean_sea_level_pressure(air),
        "total_precipitation_6hr": air.rain,
    }
    return {name: field.astype(np.float32) for name, field in fields.items()}


def logarithmic_share(z: float, height: Field, land: Field, rough_land: float) -> Field:
    """Fraction of the way from the surface to `height` that a neutral profile reaches at `z`.

    It is ln(1 + z/z0) / ln(1 + height/z0), averaged over land and sea with their roughness z0 (m).

    Args:
        z: height above the ground (m).
        height: height of the upper value above the ground (m).
        land: fraction of land.
        rough_land: roughness length of land (m).
    """
    over_land, over_sea = (
        np.log1p(z / z0) / np.log1p(np.maximum(height, z) / z0)
        for z0 in (rough_land, ROUGHNESS_SEA)
    )
    return np.asarray(over_sea + land * (over_land - over_sea))


def model_fields(
    fields: Mapping[str, np.ndarray],
    levels: tuple[int, ...],
    sigma: Float[np.ndarray, " sigma"],
    surface_geopotential: Field,
) -> SigmaFields:
    """Initial fields for a model, from fields on pressure levels and on its grid.

    Surface pressure follows where the column meets the model's orography. Vertical velocity, land,
    skin temperature and rain are zero: the model computes its own.

    Args:
        fields: catalogue variables, [level, lat, lon]; vertical velocity is not needed.
        levels: in hPa, ascending.
        sigma: the model's levels, ascending.
        surface_geopotential: the model's orography (m2 s-2).
    """
    z, t, q = (
        np.asarray(fields[name], np.float64)
        for name in ("geopotential", "temperature", "specific_humidity")
    )
    pressure = surface_pressure(levels, z, t, q, surface_geopotential)
    on_sigma = {
        name: from_pressure_levels(np.asarray(fields[name], np.float64), levels, sigma, pressure)
        for name in ATMOSPHERIC[:5]
    }
    nothing = np.zeros_like(pressure)
    return SigmaFields(
        sigma=sigma,
        temperature=on_sigma["temperature"],
        u=on_sigma["u_component_of_wind"],
        v=on_sigma["v_component_of_wind"],
        humidity=np.maximum(on_sigma["specific_humidity"], 0.0),
        geopotential=on_sigma["geopotential"],
        omega=np.zeros_like(on_sigma["geopotential"]),
        surface_pressure=pressure,
        surface_geopotential=surface_geopotential,
        land=nothing,
        skin=nothing,
        rain=nothing,
    )


def as_dataset(
    fields: Mapping[str, np.ndarray],
    levels: tuple[int, ...],
    latitude: Float[np.ndarray, " lat"],
    longitude: Float[np.ndarray, " lon"],
) -> xr.Dataset:
    """Fields of one time as a Dataset, [level, lat, lon] or [lat, lon]."""
    flat = ("latitude", "longitude")
    return xr.Dataset(
        {name: ((("level", *flat) if f.ndim == 3 else flat), f) for name, f in fields.items()},
        {"level": list(levels), "latitude": latitude, "longitude": longitude},
    )
