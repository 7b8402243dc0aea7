"""Specific humidity from relative humidity, as ECMWF's forecast model relates the two.

Saturation vapour pressure follows Tetens' formula over water above the triple point, over ice where
all cloud is ice, and a mix of the two between: IFS Documentation, Part IV: Physical processes, as
ECMWF restates it for `saturation_vapour_pressure` of Metview (constants, "mixed" phase) and as
`fcttre.h` of the IFS computes it (FOEEWM).
"""

import numpy as np
import xarray as xr

from data.constants import DRY_AIR_GAS_CONSTANT, WATER_VAPOUR_GAS_CONSTANT

TRIPLE_POINT = 273.16  # K, above it saturation is over water
ALL_ICE = 250.16  # K, below it saturation is over ice
PRESSURE_AT_TRIPLE_POINT = 611.21  # Pa
TETENS_WATER = (17.502, 32.19)  # a3 (dimensionless), a4 (K)
TETENS_ICE = (22.587, -0.7)  # a3 (dimensionless), a4 (K)
DERIVED = (
    "derived from relative_humidity, temperature and pressure (ECMWF's mixed-phase saturation)"
)


def saturation_vapour_pressure(temperature: xr.DataArray) -> xr.DataArray:
    """Saturation vapour pressure (Pa) over the mixed phase, at a temperature in K.

    α e_water + (1 - α) e_ice with α = ((T - 250.16) / (273.16 - 250.16))² clipped to 0 … 1.
    """
    alpha = ((temperature - ALL_ICE) / (TRIPLE_POINT - ALL_ICE)).clip(0, 1) ** 2
    water, ice = (_tetens(temperature, *phase) for phase in (TETENS_WATER, TETENS_ICE))
    return alpha * water + (1 - alpha) * ice


def specific_humidity(
    relative_humidity: xr.DataArray, temperature: xr.DataArray, level: xr.DataArray
) -> xr.DataArray:
    """Specific humidity (kg kg-1) from relative humidity (%), temperature (K) and pressure (hPa).

    q = ε e / (p - (1 - ε) e) with e = r e_sat. Negative r, left by interpolation and packing, is
    dry air. r above 100 % stays: air above ice is often supersaturated. e is at most p, which it
    would pass at the top of the atmosphere (r of 100 % at 1 hPa).
    """
    epsilon = DRY_AIR_GAS_CONSTANT / WATER_VAPOUR_GAS_CONSTANT
    p = 100.0 * level.astype(np.float32)
    e = relative_humidity.clip(min=0) / 100 * saturation_vapour_pressure(temperature)
    e = e.where(~(e > p), p)  # keeps NaN
    q = (epsilon * e / (p - (1 - epsilon) * e)).astype(np.float32)
    q = q.transpose(*relative_humidity.dims)
    q.attrs = {"units": "kg kg-1", "provenance": DERIVED}
    return q


def _tetens(temperature: xr.DataArray, a3: float, a4: float) -> xr.DataArray:
    # a1 exp(a3 (T - T0) / (T - a4)); the argument of e_water is far from its pole at 32 K
    exponent = a3 * (temperature - TRIPLE_POINT) / (temperature - a4)
    pressure: xr.DataArray = PRESSURE_AT_TRIPLE_POINT * xr.ufuncs.exp(exponent)
    return pressure


def relative_humidity(
    specific_humidity: np.ndarray, temperature: np.ndarray, pressure: np.ndarray
) -> np.ndarray:
    """Relative humidity (%) from specific humidity (kg kg-1), temperature (K), pressure (hPa).

    The inverse of `specific_humidity`: e = p q / (ε + (1 - ε) q), over the mixed phase.
    """
    epsilon = DRY_AIR_GAS_CONSTANT / WATER_VAPOUR_GAS_CONSTANT
    e = 100.0 * pressure * specific_humidity / (epsilon + (1 - epsilon) * specific_humidity)
    saturated = saturation_vapour_pressure(xr.DataArray(temperature)).values
    return np.asarray(100.0 * e / saturated)
