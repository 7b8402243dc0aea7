"""Files and folders: GRIB, netCDF and Zarr, split by time, by variable or not at all."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from data.sources.files import zarr
from data.sources.files.formats import open_raw
from data.sources.files.opening import as_weather
from data.sources.files.places import files_in
from data.sources.series.collection import Lazy, Series, joined_in_time
from mesh.grid import same_points


def open_folder(path: Path) -> Series:
    """Open the series in one file or Zarr store, or in all those that a folder holds.

    Raises:
        ValueError: a file cannot be read, or the folder holds none.
    """
    if path.is_file() or zarr.is_store(path):
        return _lazy(path)
    return Folder({str(p): _lazy(p) for p in files_in(path)})


def _lazy(path: Path) -> Lazy:
    with as_weather(str(path)):
        return Lazy(open_raw(str(path)), credit=path.name)


class Folder(Series):
    """Several files as one series; where two hold the same field, the first by name counts."""

    remote = False

    def __init__(self, files: dict[str, Lazy]) -> None:
        self._files = files
        self.credit = f"{len(files)} files"
        self.simulated_by = next((f.simulated_by for f in files.values() if f.simulated_by), "")
        self.times = np.unique(np.concatenate([lazy.times for lazy in files.values()]))
        self.names = frozenset().union(*(lazy.names for lazy in files.values()))

    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """The Dataset of these times; see `Series.at`."""
        parts = {path: lazy.at(times, names, downloads) for path, lazy in self._files.items()}
        parts = {path: part for path, part in parts.items() if part.data_vars}
        _check_same_grid(parts)
        first = next(iter(parts.values()), xr.Dataset())
        parts = {path: _on_grid_of(first, part) for path, part in parts.items()}
        fields: dict[str, xr.DataArray] = {}
        for name in names:
            arrays = [part[name] for part in parts.values() if name in part]
            if arrays:
                fields[name] = _joined(arrays)
        if not fields:
            return xr.Dataset()
        return xr.merge(fields.values(), join="outer", compat="override")


def _joined(arrays: list[xr.DataArray]) -> xr.DataArray:
    """One array of all times; where a time comes twice, the first file counts."""
    if len(arrays) == 1 or "time" not in arrays[0].dims:
        return arrays[0]
    seen: set[int] = set()
    parts = []
    for array in arrays:
        times = array["time"].values.astype("datetime64[ns]").astype(np.int64)
        new = np.array([i for i, t in enumerate(times.tolist()) if t not in seen], dtype=np.int64)
        seen |= set(times.tolist())
        if new.size:
            parts.append(array.isel(time=new).to_dataset())
    (name,) = parts[0].data_vars
    return joined_in_time(parts)[name].sortby("time")


def _on_grid_of(first: xr.Dataset, dataset: xr.Dataset) -> xr.Dataset:
    """The Dataset with the coordinates of the first, which are the same up to rounding."""
    return dataset.assign_coords(latitude=first["latitude"], longitude=first["longitude"])


def _check_same_grid(parts: dict[str, xr.Dataset]) -> None:
    if not parts:
        return
    first_path, first = next(iter(parts.items()))
    for path, dataset in parts.items():
        for axis in ("latitude", "longitude"):
            if not same_points(first[axis].values, dataset[axis].values):
                raise ValueError(
                    f"the files of a folder share one grid, and {path} has another {axis} than"
                    f" {first_path}; keep them in separate folders"
                )
