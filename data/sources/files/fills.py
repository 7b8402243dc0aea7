"""Which fill values are missing values, and which are values.

A Zarr store fills what was never written with a value of its own, often 0, and format 2 has no
other place for the mark of missing values. xarray takes the one for the other: the equator, lead
time 0, the sea of a mask and dry ground would be missing. netCDF marks what was never written in
its own way, which xarray takes for a value.
"""

from typing import Any

import numpy as np
import xarray as xr

from data.canonical.lead_times import INIT_NAMES, LEAD_NAMES
from data.canonical.names import canonical_name
from data.canonical.time_axis import TIME_NAMES
from data.variables import VARIABLES

_MARKS = ("_FillValue", "missing_value")
_SCALARS = (*TIME_NAMES, *INIT_NAMES, *LEAD_NAMES, "number", "realization", "level")
NEVER_WRITTEN = "never written (they hold netCDF's default fill value)"


def with_true_fills(raw: xr.Dataset, engine: str) -> xr.Dataset:
    """An undecoded Dataset whose marks of missing values mark nothing else.

    Coordinates and masks have no missing values, so a mark of 0 there is dropped; so is a Zarr
    store's own fill value of 0, except on packed values. The attribute `missing_means` of a
    variable says in words what stands where values are missing.
    """
    fields = {}
    for name, variable in raw.variables.items():
        marks = {k: variable.attrs[k] for k in _MARKS if _is_number(variable.attrs.get(k))}
        packed = "scale_factor" in variable.attrs or "add_offset" in variable.attrs
        without = _never_missing(str(name), variable) or (engine == "zarr" and not packed)
        dropped = [key for key, mark in marks.items() if without and _only(mark) == 0]
        kept = {key: mark for key, mark in marks.items() if key not in dropped}
        attrs = {key: value for key, value in variable.attrs.items() if key not in dropped}
        default = None if kept or engine != "netcdf4" else _default(variable.dtype)
        if default is not None and name not in raw.dims and variable.ndim:
            attrs |= {"_FillValue": default, "missing_means": NEVER_WRITTEN}
        elif words := sorted({f"{_only(m):g}" for m in kept.values() if np.isfinite(_only(m))}):
            attrs["missing_means"] = f"marked as missing ({' and '.join(words)} in the file)"
        fields[name] = variable if attrs == variable.attrs else _with_attrs(variable, attrs)
    return raw.assign(fields)


def _never_missing(name: str, variable: xr.Variable) -> bool:
    """Whether it is a coordinate or a mask."""
    if variable.dims == (name,) or (name in _SCALARS and variable.ndim < 2):
        return True
    known = canonical_name(name, on_levels=False)
    return known is not None and VARIABLES[known].kind == "static" and VARIABLES[known].units == "1"


def _with_attrs(variable: xr.Variable, attrs: dict[Any, Any]) -> xr.Variable:
    changed = variable.copy(deep=False)
    changed.attrs = attrs
    return changed


def _is_number(mark: Any) -> bool:
    array = np.asarray(mark)
    return mark is not None and array.size == 1 and array.dtype.kind in "iuf"


def _only(mark: Any) -> float:
    return float(np.asarray(mark).ravel()[0])


def _default(dtype: np.dtype) -> Any:
    """What netCDF stores where nothing was written; bytes are always written."""
    import netCDF4  # noqa: PLC0415  only netCDF files need it

    known = netCDF4.default_fillvals.get(dtype.str[1:]) if dtype.kind in "iuf" else None
    return None if known is None or dtype.itemsize == 1 else dtype.type(known)
