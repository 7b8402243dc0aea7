"""Checks of every field before it is written."""

import xarray as xr

from data.grids import grid_of
from data.plausibility import check_stored_values
from data.stores.analyses.header import DatasetHeader
from data.wording import hour
from mesh.grid import LatLonGrid


def check_field(array: xr.DataArray, header: DatasetHeader, group: xr.Dataset) -> None:
    """Refuse gaps, wrong units and another grid, naming the time.

    Args:
        array: a loaded variable at the times of one group.
        header: the dataset's.
        group: all variables of the group, lazy: where one lacks a level, the error names the levels
            that all have.

    Raises:
        ValueError: the field may not be written.
    """
    if not grid_of(array).matches(LatLonGrid(header.latitude, header.longitude)):
        raise ValueError(
            "all times of a dataset share one grid, and another comes at"
            f" {hour(array['time'].values[0])}; regrid to one (`grid`)"
        )
    try:
        check_stored_values(array)
    except ValueError:
        _check_each_time(array, group)
        raise


def _check_each_time(array: xr.DataArray, group: xr.Dataset) -> None:
    for index, time in enumerate(array["time"].values):
        try:
            check_stored_values(array.isel(time=[index]))
        except ValueError as error:
            raise ValueError(f"at {hour(time)}: {error}{_levels_remedy(group)}") from error


def _levels_remedy(group: xr.Dataset) -> str:
    """The levels to ask for where some variable lacks others; else nothing."""
    if "level" not in group.dims:
        return ""
    upper = group[[name for name, array in group.items() if "level" in array.dims]]
    present = upper.notnull().any(("latitude", "longitude")).to_array().all(("variable", "time"))
    complete = group["level"].values[present.values]
    if not 0 < complete.size < group.sizes["level"]:
        return ""
    return f", or ask for the levels that all have (`levels` {','.join(map(str, complete))})"
