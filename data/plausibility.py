"""Can the numbers of a field be in its unit?

A file in °C, in hPa or with heights in place of geopotential runs through a model without an error
and gives a forecast that is wrong everywhere. `check_values` therefore looks at the numbers, and
refuses them only where no doubt is left: it must pass a real analysis of unusual weather, and the
smooth random fields of the right size that tests of a network use. The means of whole fields decide
most cases, because a wrong unit moves them far more than weather does.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from data.canonical.units import Conversion, conversion
from data.gaps import check_no_gaps, check_only_natural_gaps
from data.plausible_ranges import plausible_mean
from data.variables import VARIABLES

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
# Land is 29 % of the globe and more of a grid's points; water under ice, whose temperature analyses
# hold at the freezing point, is at most 8 %.
_PLACEHOLDER_SHARE = 0.15


def check_values(array: xr.DataArray) -> None:
    """Refuse a loaded field that has gaps or cannot be in the catalogue's unit.

    Args:
        array: named as in the catalogue, with no dimensions but time, level, latitude, longitude.

    Raises:
        ValueError: the sentence names the place of the first gap, or the field's mean and range.
    """
    check_no_gaps(array)
    if array.name in VARIABLES:
        _check_fields(array)


def check_stored_values(array: xr.DataArray) -> None:
    """As `check_values` for a field that is stored, not yet forecast from: natural gaps may stay.

    Raises:
        ValueError: as `check_values`; or a constant stands where the variable has no values.
    """
    check_only_natural_gaps(array)
    if array.name in VARIABLES:
        _check_no_placeholder(array)
        _check_fields(array)


def _check_fields(array: xr.DataArray) -> None:
    levels = [int(x) for x in np.atleast_1d(array["level"])] if "level" in array.coords else [None]
    values = array.transpose("time", "level", ..., missing_dims="ignore").values
    for frame in values.reshape(-1, len(levels), *values.shape[-2:]):
        labels = [level for level in levels if level is not None]
        if array.name == "geopotential" and labels:
            _check_order(frame, labels)
        for level, field in zip(levels, frame, strict=True):
            _check_field(str(array.name), level, field)


def _check_field(name: str, level: int | None, values: np.ndarray) -> None:
    """One level at one time."""
    # summed in float64 and not copied to it: this runs over every field of long datasets
    if VARIABLES[name].gaps:
        values = values[~np.isnan(values)]
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


def _check_order(frame: np.ndarray, levels: Sequence[int]) -> None:
    """Refuse geopotentials that would be right on the same levels in another order."""
    means = frame.mean(axis=(-2, -1), dtype=np.float64)
    falling = np.argsort(-means, kind="stable")  # the lowest pressure has the highest geopotential
    ascending = np.argsort(levels, kind="stable")
    if np.array_equal(falling, ascending) or len(levels) < 2:
        return
    ranges = [_mean_range("geopotential", level) for level in np.sort(levels).tolist()]
    if all(low <= mean <= high for mean, (low, high) in zip(means[falling], ranges, strict=True)):
        reversed_ = np.array_equal(falling, ascending[::-1])
        raise ValueError(
            "fields must stand at the levels that they are labelled with, and geopotential"
            f" {'rises' if reversed_ else 'falls and rises'} towards the ground from"
            f" {means[ascending[0]]:.4g} m2 s-2 at {levels[ascending[0]]} hPa: the levels are in"
            f" {'reversed' if reversed_ else 'another'} order; sort the part of the file that was"
            " written in another order"
        )


def _check_no_placeholder(array: xr.DataArray) -> None:
    """Refuse a constant that stands over land in a variable that is known over the sea alone."""
    row = VARIABLES[str(array.name)]
    if row.gaps is None or row.units != "K":  # of sea ice, most of the globe has exactly 0
        return
    values, counts = np.unique(array.values, return_counts=True)
    most = int(np.argmax(counts))
    share = counts[most] / array.size
    if share > _PLACEHOLDER_SHARE and np.isfinite(values[most]):
        raise ValueError(
            f"{array.name} has no value {row.gaps}, and {values[most]:g} {row.units} stands at"
            f" {100 * share:.0f} % of the points, as a placeholder does; write NaN there"
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
