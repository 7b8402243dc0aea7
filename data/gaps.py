"""Values that a field does not have, and why: each cause is found out and named."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from data.variables import VARIABLES
from data.wording import hour, listed


def check_no_gaps(array: xr.DataArray) -> None:
    """Refuse a loaded field with missing or infinite values.

    Raises:
        ValueError: the sentence says what is missing, why as far as the file says, and where.
    """
    finite = np.isfinite(array.values)
    if finite.all():
        return
    _check_each_label(array, ~finite)
    nature = VARIABLES[str(array.name)].gaps if array.name in VARIABLES else None
    causes = list(_causes(array))
    first = _first(array, ~finite)
    remedy = "fill them or fetch the file again"
    if nature and not np.isinf(array.values).any():
        causes = [f"{causes[0]} ({array.name} has none {nature})"]
        remedy = f"fill them {nature}, or do without the variable"
    raise ValueError(
        f"{array.name} must have a value everywhere, and {' and '.join(causes)}, the first at"
        f" {first}; {remedy}"
    )


def check_only_natural_gaps(array: xr.DataArray) -> None:
    """As `check_no_gaps`, but values may be missing where the variable by nature has none.

    Raises:
        ValueError: as `check_no_gaps`; or a field without any value.
    """
    row = VARIABLES.get(str(array.name))
    if row is None or row.gaps is None or np.isinf(array.values).any():
        check_no_gaps(array)
        return
    _check_each_label(array, np.isnan(array.values))


def _causes(array: xr.DataArray) -> Iterator[str]:
    missing, infinite = np.isnan(array.values), np.isinf(array.values)
    if missing.any():
        why = array.attrs.get("missing_means", "missing (NaN)")
        yield f"{int(missing.sum())} of its {missing.size} are {why}"
    if infinite.any():
        yield f"{int(infinite.sum())} of its {infinite.size} are infinite"


def _check_each_label(array: xr.DataArray, gaps: np.ndarray) -> None:
    """Name the times or levels that have no value at all."""
    for dim, unit in (("time", ""), ("level", " hPa")):
        if dim in array.dims:
            others = tuple(i for i, d in enumerate(array.dims) if d != dim)
            whole = gaps.all(axis=others)
            if whole.any():
                labels = listed((_label(v) for v in array[dim].values[whole]), int(whole.sum()))
                why = array.attrs.get("missing_means")
                cause = f" (all values are {why})" if why else ""
                raise ValueError(
                    f"{array.name} must be given at every {dim}, and the file has none of it at"
                    f" {labels}{unit}{cause}; add it"
                )


def _first(array: xr.DataArray, gaps: np.ndarray) -> str:
    first = tuple(int(i) for i in np.argwhere(gaps)[0])
    return ", ".join(
        f"{dim} {_label(array[dim].values[i])}" for dim, i in zip(array.dims, first, strict=True)
    )


def _label(value: np.generic) -> str:
    return hour(value) if isinstance(value, np.datetime64) else f"{value:g}"
