"""Variables, numbers, places and times as text for people."""

import numpy as np

from data.maps.units import SUPERSCRIPTS
from data.variables import VARIABLES
from data.wording import hour, hours


def short_label(variable: str, level: int | None) -> str:
    """`z500`, `2t`: ECMWF's short name and the level."""
    short = VARIABLES[variable].short_name if variable in VARIABLES else variable
    return short if level is None else f"{short}{level}"


def long_label(variable: str, level: int | None) -> str:
    """`geopotential, 500 hPa`."""
    name = VARIABLES[variable].long_name if variable in VARIABLES else variable.replace("_", " ")
    return name if level is None else f"{name}, {level} hPa"


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
    return f"{mantissa}·10{str(size).translate(SUPERSCRIPTS)}"


def lead_label(lead: np.timedelta64) -> str:
    """`6 h`, `36 h`, `10 d`."""
    value = hours(lead)
    return f"{value / 24:g} d" if value >= 72 and value % 24 == 0 else f"{value:g} h"


def time_label(time: np.datetime64) -> str:
    """`2024-06-03 12 UTC`."""
    return hour(time).replace("T", " ") + " UTC"


def longitude_label(degrees: float) -> str:
    """`60°W`, `0°`, `120°E`."""
    turned = (degrees + 180) % 360 - 180
    side = "" if turned in (0, -180) else "W" if turned < 0 else "E"
    return f"{abs(turned):g}°{side}"


def latitude_label(degrees: float) -> str:
    """`30°S`, `0°`, `60°N`."""
    return f"{abs(degrees):g}°{'' if degrees == 0 else 'S' if degrees < 0 else 'N'}"
