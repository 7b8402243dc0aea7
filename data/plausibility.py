"""Can these numbers be what they claim to be?

A file in °C, in hPa or with heights where geopotential is due runs through a model without an
error and gives a forecast that is wrong everywhere. So the numbers themselves are looked at, and
refused only where no doubt is left: nothing here may stop a real analysis of unusual weather, nor a
smooth random field of the right size such as tests of a network use. The means of whole fields do
most of the work, since a wrong unit moves them by far more than weather does.
"""

import numpy as np
import xarray as xr

from data.variables import VARIABLES, plausible_mean

# Catalogue unit → other units, as factor and offset to ours, that a wrong mean may be written in.
_SUSPECTS: dict[str, tuple[tuple[str, float, float], ...]] = {
    "K": (("°C", 1.0, 273.15),),
    "Pa": (("hPa", 100.0, 0.0), ("kPa", 1000.0, 0.0)),
    "m2 s-2": (("metres of height", 9.80665, 0.0), ("decametres of height", 98.0665, 0.0)),
    "kg kg-1": (("g kg-1", 1e-3, 0.0), ("%, a relative humidity", 1e-4, 0.0)),
    "m": (("mm", 1e-3, 0.0),),
    "1": (("%", 1e-2, 0.0),),
    "J m-2": (("W m-2", 3600.0, 0.0), ("J m-2 over six hours", 1 / 6, 0.0)),
}
# Below this level (hPa) the mean geopotential is a small difference, and no measure of the unit.
_LOWEST_TELLING_LEVEL = 900
# m2 s-2. No mountains above 917 m anywhere, or all heights in metres: no Earth at any resolution
# that is forecast at (10°: 48e3), and in metres 8849 is the highest.
_NO_MOUNTAINS = 9e3


def check_values(array: xr.DataArray) -> None:
    """Raise ValueError, naming the place, if a loaded field has gaps or cannot be in our units.

    ``array`` has the catalogue's name and at most the dimensions time, level, latitude, longitude.
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
    # One width of the plausible range to each side: fill values (-999, 9999, 1e20), no weather.
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
        # packing and networks leave negative rain behind, whose mean may be the larger one
        low = -high / 10
    return low, high


def _suspect(name: str, level: int | None, mean: float) -> str:
    low, high = _mean_range(name, level)
    for unit, factor, offset in _SUSPECTS.get(VARIABLES[name].units, ()):
        if low <= mean * factor + offset <= high:
            return f", as if it were in {unit}"
    return f", far from {low:.4g} … {high:.4g}"


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
                labels = [_label(v) for v in array[dim].values[whole]]
                raise ValueError(
                    f"{array.name} must be given at every {dim}, and the file has none of it at"
                    f" {', '.join(labels)}{unit}; add it"
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
    return str(value.astype("datetime64[h]")) if value.dtype.kind == "M" else f"{value:g}"
