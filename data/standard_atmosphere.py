"""The U.S. Standard Atmosphere 1976: the height of a pressure level, to judge geopotential by."""

import math

from data.constants import STANDARD_GRAVITY

# U.S. Standard Atmosphere 1976, table 4: base geopotential height (m), lapse rate (K/m) of each
# layer.
_LAYERS = ((0.0, -6.5e-3), (11e3, 0.0), (20e3, 1e-3), (32e3, 2.8e-3), (47e3, 0.0), (51e3, -2.8e-3))
_SEA_LEVEL_PRESSURE = 1013.25  # hPa
_SEA_LEVEL_TEMPERATURE = 288.15  # K
# J kg-1 K-1: the standard's own (8314.32 over 28.9644 kg kmol-1), so that its tables come out.
_STANDARD_DRY_AIR = 287.053


def standard_geopotential(level: int | float) -> float:
    """Geopotential (m2 s-2) of a pressure level (hPa) in the U.S. Standard Atmosphere 1976.

    Up to 71 km (0.04 hPa); below sea level the lowest layer goes on.
    """
    pressure, temperature = _SEA_LEVEL_PRESSURE, _SEA_LEVEL_TEMPERATURE
    tops = [base for base, _ in _LAYERS[1:]] + [71e3]
    for (base, lapse), top in zip(_LAYERS, tops, strict=True):
        temperature_top = temperature + lapse * (top - base)
        if lapse:
            exponent = -STANDARD_GRAVITY / (_STANDARD_DRY_AIR * lapse)
            pressure_top = pressure * (temperature_top / temperature) ** exponent
            height = base + temperature / lapse * ((level / pressure) ** (1 / exponent) - 1)
        else:
            scale = _STANDARD_DRY_AIR * temperature / STANDARD_GRAVITY
            pressure_top = pressure * math.exp(-(top - base) / scale)
            height = base - scale * math.log(level / pressure)
        if level >= pressure_top:
            break
        pressure, temperature = pressure_top, temperature_top
    return float(height * STANDARD_GRAVITY)
