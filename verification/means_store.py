"""The store of means: one Zarr array for each init time, written when the init time is finished.

An array holds all numbers of one init time, entrant after entrant and statistic after statistic,
and its attributes label them. A year of forecasts is some hundred small arrays. They can be
computed in several runs, and the means of several stores add.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from data.stores.building import Building
from data.stores.files import flush
from data.stores.kind import kind_of, label
from data.stores.reading import whole
from data.wording import hour
from verification.means import Means, WeightedSum

LAYOUT = 1

Shard = Mapping[str, Means]  # of one init time, by entrant


class MeansStore:
    """A store of means under construction, on `data.stores.Building`.

    Leaving the context unlocks the store; init times that are written stay for the next run.
    """

    def __init__(self, building: Building) -> None:
        self._building = building

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        made_from: Mapping[str, object],
    ) -> "MeansStore":
        """Resume the interrupted store with the same `made_from`, or begin a new one.

        Args:
            path: the store's local path.
            made_from: everything that the numbers depend on, except the init times: statistics,
                regions, entrants, and the names and attributes of the inputs.

        Raises:
            FileExistsError: as `Building.open`.
        """
        text = json.dumps({"layout": LAYOUT, **made_from}, sort_keys=True, default=str)
        fingerprint = hashlib.sha256(text.encode()).hexdigest()
        building = Building.open(path, "means", fingerprint, lay_out=_lay_out)
        return cls(building)

    @property
    def done(self) -> frozenset[str]:
        """The init times that are written, as `data.wording.hour` writes them."""
        return self._building.done

    def write(self, init_time: np.datetime64, shard: Shard) -> None:
        """Write the means of one init time; they are on the disk when this returns."""
        numbers, index = _packed(shard)
        name = hour(init_time)
        group = zarr.open_group(self._building.folder, mode="r+", use_consolidated=False)
        array = group.create_array(name, data=numbers, overwrite=True)
        array.attrs.update(index)
        folder = self._building.folder / name
        for path in (*folder.iterdir(), folder, self._building.folder):
            flush(path)
        self._building.commit(name)

    def read(self) -> dict[str, Means]:
        """The means of all init times that are written."""
        return _read(self._building.folder, sorted(self.done))

    def finish(self) -> Path:
        """Give the store its name."""
        return self._building.finish()

    def __enter__(self) -> "MeansStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._building.close()


def read_means(path: str | os.PathLike[str]) -> dict[str, Means]:
    """The means in a finished store, by entrant.

    Raises:
        ValueError: `path` is no store of means.
    """
    if kind_of(Path(path)) != "means":
        raise ValueError(
            f"{path} is no store of means; `means_of` writes one where it is given `store`"
        )
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    return _read(Path(path), sorted(group.array_keys()))


def _lay_out(folder: Path) -> None:
    group = zarr.create_group(folder, zarr_format=2)
    group.attrs.update(label("means", LAYOUT))


def _read(folder: Path, names: list[str]) -> dict[str, Means]:
    group = zarr.open_group(whole(folder), mode="r", use_consolidated=False)
    shards = [_unpacked(group[name], np.datetime64(name, "ns")) for name in names]
    entrants = dict.fromkeys(entrant for shard in shards for entrant in shard)
    return {
        entrant: Means.joined([shard[entrant] for shard in shards if entrant in shard])
        for entrant in entrants
    }


def _packed(shard: Shard) -> tuple[np.ndarray, dict[str, Any]]:
    """All numbers of one init time in one vector, and the attributes that label them."""
    numbers, entries, labels = [], [], []
    for entrant, means in shard.items():
        for statistic, part in means.sums.items():
            for role in ("total", "weight"):
                array = getattr(part, role).isel(init_time=0, drop=True)
                dims = {}
                for dim in map(str, array.dims):
                    values = array[dim].values
                    axis = [values.dtype.str, _plain(values)]
                    if axis not in labels:
                        labels.append(axis)
                    dims[dim] = labels.index(axis)
                entries.append([entrant, statistic, role, dims])
                numbers.append(np.asarray(array.values, np.float64).ravel())
    return np.concatenate(numbers), {"entries": entries, "labels": labels}


def _unpacked(array: Any, init_time: np.datetime64) -> Shard:
    """The means in one array of the store."""
    numbers = np.asarray(array[...])
    attributes: Mapping[str, Any] = dict(array.attrs)
    labels = [np.array(values).astype(dtype) for dtype, values in attributes["labels"]]
    parts: dict[tuple[str, str], dict[str, xr.DataArray]] = {}
    begin = 0
    for entrant, statistic, role, dims in attributes["entries"]:
        coordinates = {dim: labels[i] for dim, i in dims.items()}
        shape = [len(values) for values in coordinates.values()]
        end = begin + int(np.prod(shape))
        values = xr.DataArray(numbers[begin:end].reshape(shape), coordinates, tuple(dims))
        parts.setdefault((entrant, statistic), {})[role] = values.expand_dims(init_time=[init_time])
        begin = end
    shard: dict[str, dict[str, WeightedSum]] = {}
    for (entrant, statistic), part in parts.items():
        shard.setdefault(entrant, {})[statistic] = WeightedSum(part["total"], part["weight"])
    return {entrant: Means(sums) for entrant, sums in shard.items()}


def _plain(values: np.ndarray) -> list[Any]:
    """Labels as JSON has them; durations as whole nanoseconds."""
    plain = values.astype("int64") if values.dtype.kind in "mM" else values
    return [*plain.tolist()]
