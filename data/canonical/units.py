"""Units as files write them, and their conversion to the catalogue's.

Only stated units are converted. `data.plausibility` looks at the numbers of a file that states
none, or a wrong one.
"""

import xarray as xr

from data.constants import STANDARD_GRAVITY
from data.provenance import noted
from data.variables import VARIABLES

Conversion = tuple[float, float]  # factor and offset

_SAME = (1.0, 0.0)
_METRES_OF_HEIGHT = (STANDARD_GRAVITY, 0.0)
# catalogue unit → unit as written (see `_spelling`) → (factor, offset)
_CONVERSIONS: dict[str, dict[str, Conversion]] = {
    "K": {
        **dict.fromkeys(("k", "kelvin", "degk", "deg_k", "degrees_kelvin"), _SAME),
        **dict.fromkeys(
            (
                *("c", "°c", "degc", "deg_c", "deg c", "degree_c", "degrees_c", "celsius"),
                *("degree_celsius", "degrees_celsius", "degree celsius", "degrees celsius"),
            ),
            (1.0, 273.15),
        ),
    },
    "Pa": {
        **dict.fromkeys(("pa", "pascal", "pascals"), _SAME),
        **dict.fromkeys(
            ("hpa", "mb", "mbar", "millibar", "millibars", "hectopascal", "hectopascals"),
            (100.0, 0.0),
        ),
        "kpa": (1000.0, 0.0),
    },
    "m2 s-2": {
        **dict.fromkeys(("m2 s-2", "j kg-1"), _SAME),
        **dict.fromkeys(("gpm", "m", "metre", "metres", "meter", "meters"), _METRES_OF_HEIGHT),
        **dict.fromkeys(("dam", "gpdam", "dagpm"), (10 * STANDARD_GRAVITY, 0.0)),
    },
    "m s-1": {
        **dict.fromkeys(("m s-1", "metre per second", "metres per second"), _SAME),
        **dict.fromkeys(("kt", "knot", "knots"), (1852 / 3600, 0.0)),
        "km h-1": (1 / 3.6, 0.0),
    },
    "Pa s-1": {"pa s-1": _SAME, "hpa s-1": (100.0, 0.0)},
    "kg kg-1": {
        **dict.fromkeys(("kg kg-1", "g g-1", "1", "dimensionless"), _SAME),
        "g kg-1": (1e-3, 0.0),
    },
    "m": {
        **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), _SAME),
        "m of water equivalent": _SAME,
        # a kilogram of water on a square metre stands one millimetre high
        **dict.fromkeys(("mm", "kg m-2", "millimetre", "millimeters"), (1e-3, 0.0)),
        "cm": (1e-2, 0.0),
    },
    "1": {
        **dict.fromkeys(("1", "(0 - 1)", "0 - 1", "0-1", "(0-1)", "~"), _SAME),
        **dict.fromkeys(("fraction", "proportion", "dimensionless"), _SAME),
        **dict.fromkeys(("%", "percent"), (1e-2, 0.0)),
    },
    "%": {
        **dict.fromkeys(("%", "percent"), _SAME),
        **dict.fromkeys(("1", "fraction", "(0 - 1)"), (100.0, 0.0)),
    },
    "J m-2": {"j m-2": _SAME, "w s m-2": _SAME, "kj m-2": (1e3, 0.0)},
}


def in_catalogue_units(array: xr.DataArray, name: str) -> xr.DataArray:
    """The array in the units of catalogue variable `name`, if it states a unit that converts.

    Any other array comes back as it is.
    """
    unit = VARIABLES[name].units
    stated = str(array.attrs.get("units", "")).strip()
    factor_and_offset = conversion(stated, unit)
    if factor_and_offset is None or stated == unit:
        return array
    attrs = {**array.attrs, "units": unit}
    if factor_and_offset == _SAME:
        return array.assign_attrs(attrs)
    factor, offset = (array.dtype.type(number) for number in factor_and_offset)
    converted = (array * factor + offset).assign_attrs(attrs)
    return noted(converted, f"converted from {stated} to {unit}")


def conversion(stated: str, unit: str) -> Conversion | None:
    """Factor and offset from a unit as a file writes it to a catalogue unit; None if unknown.

    >>> conversion("m**2 s**-2", "m2 s-2"), conversion("hPa", "Pa"), conversion("parsec", "m")
    ((1.0, 0.0), (100.0, 0.0), None)
    """
    written = _spelling(stated)
    return _SAME if written == _spelling(unit) else _CONVERSIONS.get(unit, {}).get(written)


def _spelling(unit: str) -> str:
    """One spelling of a unit: `m**2 s**-2`, `m^2/s^2` and `m2 s-2` are the same."""
    unit = unit.strip().casefold().replace("**", "").replace("^", "")
    numerator, *denominators = unit.split("/")
    for part in denominators:
        symbol = part.strip().rstrip("0123456789")
        numerator += f" {symbol}-{part.strip()[len(symbol) :] or '1'}"
    return " ".join(numerator.split())
