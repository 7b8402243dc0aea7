"""The ranges that real weather stays inside, in catalogue units.

Wrong units show in two ways, so there are two kinds of bounds. `plausible_values` holds at every
grid point: weather on Earth between 1 and 1000 hPa stays inside, and values in °C, hPa, mm, % or
g/kg do not. `plausible_mean` holds for the mean of a whole global field and catches what single
values cannot: 120 is a fair geopotential (m2 s-2) at one point of 1000 hPa, but not as the mean of
the globe.
"""

from collections.abc import Callable

from data.standard_atmosphere import standard_geopotential
from data.variables import VARIABLES, Range


def plausible_values(name: str, level: int | float | None = None) -> Range:
    """Lowest and highest value, in catalogue units, that real weather takes at `level` (hPa)."""
    at_level = _VALUES_AT_LEVEL.get(name)
    return VARIABLES[name].bounds if level is None or at_level is None else at_level(level)


def plausible_mean(name: str, level: int | float | None = None) -> Range:
    """Lowest and highest mean over a whole global field, in catalogue units.

    Any averaging will do, area-weighted or not: the ranges are wide. Geopotential is judged
    against the standard atmosphere: its global mean stays within some tens of percent of it on
    every level (at 1000 hPa about 700 against 1087 m2 s-2, because real surface pressure averages
    1011 hPa), while a height in metres is 9.8 times too small. The limits 0.3 and 3 are a factor
    three either way: 0.3 is about the geometric middle between right (1) and metres (0.102).
    """
    if name == "geopotential" and level is not None:
        standard = standard_geopotential(level)
        return 0.3 * standard, 3.0 * standard
    return _MEANS.get(name) or plausible_values(name, level)


_MEANS: dict[str, Range] = {
    # The unweighted mean of ERA5 is about 3.7e3; in metres it would be below 600 on any grid.
    "geopotential_at_surface": (1e3, 15e3),
    # A quarter of the solar constant x 3600 s is 1.225e6, 5.6 times that over 6 h, 340 as a flux.
    "toa_incident_solar_radiation": (0.8e6, 1.8e6),
    # The globe receives 2.7 mm a day: about 0.7e-3 m in 6 h, 0.7 in mm.
    "total_precipitation": (-1e-6, 2e-3),
    "total_precipitation_6hr": (-1e-6, 0.01),
    "total_precipitation_12hr": (-1e-6, 0.02),
    "total_precipitation_24hr": (-1e-6, 0.04),
}


def _geopotential_values(level: int | float) -> Range:
    # 870 hPa at sea level puts 1000 hPa at -12e3; the polar night lies up to 10 % below the
    # standard.
    standard = standard_geopotential(level)
    slack = 14e3 + 0.12 * standard
    return standard - slack, standard + slack


def _specific_humidity_values(level: int | float) -> Range:
    # 0.05 is above saturation at 1000 hPa and 40 °C and falls off more slowly than any observed
    # profile; the floor is 200 times the driest stratosphere, and below what that would be in
    # g/kg (2.5e-3).
    return -1e-3, max(0.05 * (level / 1000.0) ** 1.5, 1e-3)


_VALUES_AT_LEVEL: dict[str, Callable[[int | float], Range]] = {
    "geopotential": _geopotential_values,
    "specific_humidity": _specific_humidity_values,
}
