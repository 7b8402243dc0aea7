"""Files and folders: GRIB, netCDF and Zarr, split by time, by variable or not at all."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from data.provenance import remarked, remarks
from data.sources.files import zarr
from data.sources.files.archive import is_archive
from data.sources.files.formats import open_raw
from data.sources.files.opening import as_weather
from data.sources.files.places import files_in
from data.sources.series.collection import Lazy, Series
from data.sources.series.doubles import Held, joined
from mesh.grid import same_points


def open_folder(path: Path) -> Series:
    """Open the series in a file or Zarr store, or in all that a folder or a ZIP archive holds.

    Raises:
        ValueError: a file cannot be read, or the folder holds none.
    """
    if (path.is_file() and not is_archive(path)) or zarr.is_store(path):
        return _lazy(path)
    return Folder({str(p): _lazy(p) for p in files_in(path)})


def _lazy(path: Path) -> Lazy:
    with as_weather(str(path)):
        return Lazy(open_raw(str(path)), credit=path.name)


class Folder(Series):
    """Several files as one series; see `doubles` for fields that two of them hold."""

    remote = False

    def __init__(self, files: dict[str, Lazy]) -> None:
        self._files = files
        self.credit = f"{len(files)} files"
        self.simulated_by = next((f.simulated_by for f in files.values() if f.simulated_by), "")
        self.times = np.unique(np.concatenate([lazy.times for lazy in files.values()]))
        self.names = frozenset().union(*(lazy.names for lazy in files.values()))
        self.preliminary = _preliminary(list(files.values()))
        self.remarks = tuple(
            f"{Path(path).name}: {remark}"
            for path, lazy in files.items()
            for remark in lazy.remarks
        )

    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """The Dataset of these times; see `Series.at`."""
        parts = {path: lazy.at(times, names, downloads) for path, lazy in self._files.items()}
        parts = {path: part for path, part in parts.items() if part.data_vars}
        _check_same_grid(parts)
        first = next(iter(parts.values()), xr.Dataset())
        parts = {path: _on_grid_of(first, part) for path, part in parts.items()}
        fields: dict[str, xr.DataArray] = {}
        for name in names:
            held = [
                Held(path, part[name], self._files[path].preliminary)
                for path, part in parts.items()
                if name in part
            ]
            if held:
                fields[name] = joined(held)
        if not fields:
            return xr.Dataset()
        merged = xr.merge(fields.values(), join="outer", compat="override")
        said = [f"{Path(path).name}: {r}" for path, part in parts.items() for r in remarks(part)]
        return remarked(merged.drop_attrs(deep=False), *said)


def _preliminary(files: Iterable[Lazy]) -> np.ndarray:
    """Times that are preliminary in the files that have them, and final in none."""
    early = [file.preliminary for file in files]
    final = [np.setdiff1d(file.times, file.preliminary) for file in files]
    return np.setdiff1d(np.concatenate(early), np.concatenate(final))


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
