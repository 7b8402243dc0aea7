"""Checks of every field before it is written."""

import numpy as np
import xarray as xr

from data.plausibility import check_values
from data.stores.analyses.header import DatasetHeader
from data.wording import hour


def check_global(dataset: xr.Dataset, source: str) -> None:
    """Raise ValueError unless the longitudes go around the globe."""
    longitude = np.asarray(dataset["longitude"].values, dtype=np.float64)
    around = np.diff(longitude, append=longitude[:1] + 360)
    # a tenth of the spacing: files round their coordinates, a missing column doubles one spacing
    if longitude.size < 2 or np.ptp(around) > 0.1 * around.min():
        raise ValueError(
            f"a dataset covers the whole globe, and {source} runs from {longitude[0]:g}° to"
            f" {longitude[-1]:g}° east in {longitude.size} columns; give the whole globe"
        )


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
    for axis in ("latitude", "longitude"):
        if array[axis].values.tolist() != list(getattr(header, axis)):
            raise ValueError(
                f"all times of a dataset share one grid, and {axis} differs at"
                f" {hour(array['time'].values[0])}; regrid to one (--grid)"
            )
    try:
        check_values(array)
    except ValueError:
        _check_each_time(array, group)
        raise


def _check_each_time(array: xr.DataArray, group: xr.Dataset) -> None:
    for index, time in enumerate(array["time"].values):
        try:
            check_values(array.isel(time=[index]))
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
    return f", or ask for the levels that all have (--levels {','.join(map(str, complete))})"
