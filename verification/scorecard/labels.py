"""Variables, units, numbers and lead times as text for people."""

import numpy as np

from data.variables import VARIABLES
from data.wording import hour, hours

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short_label(variable: str, level: int | None) -> str:
    """`z500`, `2t`: ECMWF's short name and the level."""
    short = VARIABLES[variable].short_name if variable in VARIABLES else variable
    return short if level is None else f"{short}{level}"


def long_label(variable: str, level: int | None) -> str:
    """`geopotential, 500 hPa`."""
    name = VARIABLES[variable].long_name if variable in VARIABLES else variable.replace("_", " ")
    return name if level is None else f"{name}, {level} hPa"


def units_label(units: str) -> str:
    """`m2 s-2` as `m² s⁻²`."""
    parts = []
    for part in units.split():
        symbol = part.rstrip("-0123456789")
        parts.append(symbol + part[len(symbol) :].translate(_SUPERSCRIPTS) if symbol else part)
    return " ".join(parts)


def display_units(variable: str, units: str) -> tuple[float, str]:
    """Factor to the units in which a variable is shown, and their name: g kg⁻¹, or mm of rain."""
    if units == "kg kg-1":
        return 1e3, "g kg⁻¹"
    if units == "m" and "precipitation" in variable:
        return 1e3, "mm"
    return 1.0, units_label(units)


def number(value: float) -> str:
    """Three significant digits, with an exponent only for very small and very large numbers."""
    if not np.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = int(np.floor(np.log10(abs(value))))
    if -4 < size < 5:
        return f"{value:.{max(0, 2 - size)}f}".replace("-", "−")
    mantissa = f"{value / 10.0**size:.1f}".replace("-", "−")
    return f"{mantissa}·10{str(size).translate(_SUPERSCRIPTS)}"


def lead_label(lead: np.timedelta64) -> str:
    """`6 h`, `36 h`, `10 d`."""
    value = hours(lead)
    return f"{value / 24:g} d" if value >= 72 and value % 24 == 0 else f"{value:g} h"


def time_label(time: np.datetime64) -> str:
    """`2024-06-03 12 UTC`."""
    return hour(time).replace("T", " ") + " UTC"
