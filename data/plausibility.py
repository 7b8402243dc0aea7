"""Can the numbers of a field be in its unit?

A file in °C, in hPa or with heights in place of geopotential runs through a model without an error
and gives a forecast that is wrong everywhere. `check_values` therefore looks at the numbers, and
refuses them only where no doubt is left: it must pass a real analysis of unusual weather, and the
smooth random fields of the right size that tests of a network use. The means of whole fields decide
most cases, because a wrong unit moves them far more than weather does.
"""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from data.canonical.units import Conversion, conversion
from data.plausible_ranges import plausible_mean
from data.variables import VARIABLES
from data.wording import hour, listed

# Catalogue unit → units that a field is often in by mistake: spelt for `canonical.units`, and for a
# message.
_OTHER_UNITS = {
    "K": (("degC", "°C"),),
    "Pa": (("hPa", "hPa"), ("kPa", "kPa")),
    "m2 s-2": (("m", "metres of height"), ("dam", "decametres of height")),
    "kg kg-1": (("g kg-1", "g kg-1"),),
    "m": (("mm", "mm"),),
    "1": (("%", "%"),),
}
# Other quantities that stand under a variable's name, with the factor that brings their mean near.
_OTHER_QUANTITIES = {
    "kg kg-1": (("%, a relative humidity", 1e-4),),
    "J m-2": (("W m-2", 3600.0), ("J m-2 over six hours", 1 / 6)),
}
# Below this level (hPa) the mean geopotential is small, and does not show the unit.
_LOWEST_TELLING_LEVEL = 900
# m2 s-2: every map of the Earth reaches higher (48e3 on a 10° grid), and one in metres does not
# (the highest summit has 8849 m).
_NO_MOUNTAINS = 9e3


def check_values(array: xr.DataArray) -> None:
    """Refuse a loaded field that has gaps or cannot be in the catalogue's unit.

    Args:
        array: named as in the catalogue, with no dimensions but time, level, latitude, longitude.

    Raises:
        ValueError: the sentence names the place of the first gap, or the field's mean and range.
    """
    _check_no_gaps(array)
    if array.name not in VARIABLES:
        return
    levels = [int(x) for x in np.atleast_1d(array["level"])] if "level" in array.coords else [None]
    values = array.transpose("time", "level", ..., missing_dims="ignore").values
    for frame in values.reshape(-1, len(levels), *values.shape[-2:]):
        for level, field in zip(levels, frame, strict=True):
            _check_field(str(array.name), level, field)


def _check_field(name: str, level: int | None, values: np.ndarray) -> None:
    """One level at one time."""
    # summed in float64 and not copied to it: this runs over every field of long datasets
    mean, low, high = values.mean(dtype=np.float64), float(values.min()), float(values.max())
    at = "" if level is None else f" at {level} hPa"
    unit = VARIABLES[name].units
    lowest, highest = _mean_range(name, level)
    if not lowest <= mean <= highest and not (
        name == "geopotential_at_surface" and high >= _NO_MOUNTAINS
    ):
        suspect = _suspect(name, level, float(mean))
        raise ValueError(
            f"{name} must be in {unit}, and its mean{at} is {mean:.4g}{suspect}; convert it, or let"
            " the file state its units"
        )
    # Beyond one width of the plausible range to each side lie fill values (-999, 9999, 1e20).
    bottom, top = VARIABLES[name].bounds
    if low < bottom - (top - bottom) or high > top + (top - bottom):
        raise ValueError(
            f"{name} must lie near {bottom:g} … {top:g} {unit}, and{at or ' here'} it runs from"
            f" {low:.4g} to {high:.4g}; look for fill values or damage in the file"
        )


def _mean_range(name: str, level: int | None) -> tuple[float, float]:
    low, high = plausible_mean(name, level)
    if name == "geopotential" and (level is None or level > _LOWEST_TELLING_LEVEL):
        return VARIABLES[name].bounds
    if name.startswith("total_precipitation"):
        # Packing and networks leave slightly negative rain, and on dry ground its mean may win.
        low = -high / 10
    return low, high


def _suspect(name: str, level: int | None, mean: float) -> str:
    low, high = _mean_range(name, level)
    for words, (factor, offset) in _suspects(VARIABLES[name].units):
        if low <= mean * factor + offset <= high:
            return f", as if it were in {words}"
    return f", far from {low:.4g} … {high:.4g}"


def _suspects(unit: str) -> Iterator[tuple[str, Conversion]]:
    """Units and quantities mistaken for a catalogue unit: in words, and their conversion to it."""
    for spelling, words in _OTHER_UNITS.get(unit, ()):
        known = conversion(spelling, unit)
        assert known is not None, spelling
        yield words, known
    for words, factor in _OTHER_QUANTITIES.get(unit, ()):
        yield words, (factor, 0.0)


def _check_no_gaps(array: xr.DataArray) -> None:
    finite = np.isfinite(array.values)
    if finite.all():
        return
    gaps = ~finite
    count = int(gaps.sum())
    for dim, unit in (("time", ""), ("level", " hPa")):
        if dim in array.dims:
            others = tuple(i for i, d in enumerate(array.dims) if d != dim)
            whole = gaps.all(axis=others)
            if whole.any():
                labels = listed((_label(v) for v in array[dim].values[whole]), int(whole.sum()))
                raise ValueError(
                    f"{array.name} must be given at every {dim}, and the file has none of it at"
                    f" {labels}{unit}; add it"
                )
    first = tuple(int(i) for i in np.argwhere(gaps)[0])
    where = ", ".join(
        f"{dim} {_label(array[dim].values[i])}" for dim, i in zip(array.dims, first, strict=True)
    )
    raise ValueError(
        f"{array.name} must have a value everywhere, and {count} of its {gaps.size} are missing"
        f" or infinite (NaN, inf), the first at {where}; fill them or fetch the file again"
    )


def _label(value: np.generic) -> str:
    return hour(value) if isinstance(value, np.datetime64) else f"{value:g}"
