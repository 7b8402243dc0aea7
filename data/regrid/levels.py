"""Pressure levels: naming them, selecting them, and interpolating to others.

Interpolation is linear in the logarithm of pressure, which is nearly linear in height.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from data.provenance import noted
from data.regrid.fields import HORIZONTAL, whole_fields
from data.task import LEVELS_13, LEVELS_37
from data.wording import listed

NAMED = {"13": LEVELS_13, "37": LEVELS_37}
COLUMN = ("level", *HORIZONTAL)


def levels_named(text: str) -> tuple[int, ...]:
    """Levels (hPa, ascending) of "13" (WeatherBench's), "37" (ERA5's) or a list as "500,850".

    >>> levels_named("850, 500")
    (500, 850)

    Raises:
        ValueError: the text is none of these.
    """
    name = text.strip()
    if name in NAMED:
        return NAMED[name]
    if not re.fullmatch(r"\d+(\s*,\s*\d+)*", name):
        raise ValueError(
            f"levels are 13, 37 or a list in hPa with commas, as 500,700,850, not {text!r}"
        )
    levels = sorted(int(part) for part in name.split(","))
    if len(set(levels)) != len(levels) or not 1 <= levels[0] <= levels[-1] <= 1100:
        raise ValueError(
            f"levels are pressures of 1 to 1100 hPa, each once, and these are {text!r}"
        )
    return tuple(levels)


def select_levels(dataset: xr.Dataset, levels: Sequence[int]) -> xr.Dataset:
    """The levels (hPa) of a canonical Dataset, selected by label.

    Raises:
        ValueError: levels are missing; the sentence names them, and those that the data have.
    """
    if "level" not in dataset.dims:
        return dataset
    present = dataset["level"].values
    missing = [level for level in levels if level not in present]
    if missing:
        raise ValueError(
            f"the levels {_all(missing)} hPa are not in the data, which have {_all(present)};"
            " choose among these, or interpolate"
        )
    return dataset.isel(level=np.searchsorted(present, np.sort(np.array(levels))))


def interpolate_levels(dataset: xr.Dataset, levels: Sequence[int]) -> xr.Dataset:
    """A canonical Dataset on other levels (hPa), linear in log(pressure) between its own; lazy.

    Levels that the Dataset has are taken as they are.

    Raises:
        ValueError: a level lies above the highest or below the lowest; nothing is extrapolated.
    """
    if "level" not in dataset.dims:
        return dataset
    present = np.asarray(dataset["level"].values, dtype=np.float64)
    wanted = np.sort(np.array(levels, dtype=np.float64))
    outside = wanted[(wanted < present[0]) | (wanted > present[-1])]
    if outside.size:
        raise ValueError(
            f"nothing is extrapolated, and the levels {_all(outside)} hPa lie outside those of"
            f" the data ({present[0]:g} to {present[-1]:g} hPa); leave them out"
        )
    if np.isin(wanted, present).all():
        return select_levels(dataset, [int(level) for level in wanted])
    between = _between(present, wanted)
    fields = {
        name: _interpolated(array, between, wanted)
        for name, array in dataset.data_vars.items()
        if "level" in array.dims
    }
    coordinate = ("level", wanted.astype(np.int32), dataset["level"].attrs)
    others = dataset.drop_vars([*fields, "level"])
    whole = others.assign(fields).assign_coords(level=coordinate)
    return whole[list(dataset.data_vars)]


class _Between(NamedTuple):
    """The levels above and below each wanted one, and the weight of the one below."""

    upper: Int[np.ndarray, " level"]
    lower: Int[np.ndarray, " level"]
    weight: Float[np.ndarray, " level"]


def _between(
    present: Float[np.ndarray, " source"], wanted: Float[np.ndarray, " level"]
) -> _Between:
    lower = np.searchsorted(present, wanted)  # the first that is not above
    # for a level that the data have, upper is lower: a neighbour with weight 0 might be NaN
    upper = np.where(present[lower] == wanted, lower, lower - 1)
    apart = np.log(present[lower] / present[upper])
    log_below = np.log(wanted / present[upper])
    weight = np.divide(log_below, apart, out=np.zeros_like(apart), where=upper < lower)
    return _Between(upper, lower, weight)


def _interpolated(
    array: xr.DataArray, between: _Between, wanted: Float[np.ndarray, " level"]
) -> xr.DataArray:
    lazy = array.drop_vars("level").transpose(..., *COLUMN)
    if lazy.chunks is not None:
        lazy = whole_fields(lazy.chunk(level=-1))
    result: xr.DataArray = xr.apply_ufunc(
        _interpolated_block,
        lazy,
        kwargs={"between": between},
        input_core_dims=[COLUMN],
        output_core_dims=[COLUMN],
        exclude_dims={"level"},
        dask="parallelized",
        output_dtypes=[array.dtype],
        dask_gufunc_kwargs={"output_sizes": {"level": wanted.size}},
        keep_attrs=True,
    )
    return noted(result, f"interpolated in log(pressure) from {array.sizes['level']} levels")


def _interpolated_block(block: np.ndarray, *, between: _Between) -> np.ndarray:
    """[..., level, lat, lon] to the wanted levels, one field in float64 at a time."""
    shape = (*block.shape[:-3], between.weight.size, *block.shape[-2:])
    result = np.empty(shape, dtype=block.dtype)
    for k, (upper, lower, weight) in enumerate(zip(*between, strict=True)):
        above, below = (block[..., index, :, :].astype(np.float64) for index in (upper, lower))
        result[..., k, :, :] = above + weight * (below - above)
    return result


def _all(levels: Sequence[int] | np.ndarray) -> str:
    return listed(levels, len(levels))
