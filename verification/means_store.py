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
import zarr

from data.stores.building import Building
from data.stores.files import flush
from data.stores.kind import kind_of, label
from data.stores.reading import whole
from data.wording import hour
from verification.means import Means, Part, Shard

LAYOUT = 2
SUMS = "sums"  # the group of a store of scores that holds them


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
        write_shard(self._building.folder, hour(init_time), shard)
        self._building.commit(hour(init_time))

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
    """The means in a finished store of means or of scores, by entrant.

    Raises:
        ValueError: `path` is neither, or the scores have no sums (they were written without).
    """
    kind = kind_of(Path(path))
    place = Path(path) / SUMS if kind == "scores" else Path(path)
    if kind not in ("means", "scores") or not place.is_dir():
        raise ValueError(
            f"{path} is no store of means; `means_of` writes one where it is given `store`, and "
            "`graphcast score` writes one into its .zarr"
        )
    group = zarr.open_group(place, mode="r", use_consolidated=False)
    return _read(place, sorted(group.array_keys()))


def _lay_out(folder: Path) -> None:
    group = zarr.create_group(folder, zarr_format=2)
    group.attrs.update(label("means", LAYOUT))


def _read(folder: Path, names: list[str]) -> dict[str, Means]:
    group = zarr.open_group(whole(folder), mode="r", use_consolidated=False)
    shards = {np.datetime64(name, "ns"): unpacked(group[name]) for name in names}
    entrants = dict.fromkeys(entrant for shard in shards.values() for entrant in shard)
    return {
        entrant: Means.joined(
            {t: shard[entrant] for t, shard in shards.items() if entrant in shard}
        )
        for entrant in entrants
    }


def write_shard(folder: Path, name: str, shard: Shard) -> None:
    """Write the means of one init time as an array of a group; they are on the disk at the end."""
    numbers, index = packed(shard)
    group = zarr.open_group(folder, mode="r+", use_consolidated=False)
    array = group.create_array(name, data=numbers, overwrite=True)
    array.attrs.update(index)
    for path in (*(folder / name).iterdir(), folder / name, folder):
        flush(path)


def packed(shard: Shard) -> tuple[np.ndarray, dict[str, Any]]:
    """All numbers of one init time in one vector, and the attributes that label them."""
    numbers: list[np.ndarray] = []
    entries: list[list[Any]] = []
    axes: list[list[Any]] = []
    places: dict[Any, int] = {}
    for entrant, parts in shard.items():
        for statistic, part in parts.items():
            for dim, values in part.labels:
                if (dim, values) not in places:
                    places[dim, values] = len(axes)
                    array = np.array(values)
                    axes.append([dim, array.dtype.str, _plain(array)])
            dims = [places[label] for label in part.labels]
            entries.append([entrant, statistic, dims, part.weight.ndim])
            numbers += [part.total.ravel(), part.weight.ravel()]
    return np.concatenate(numbers), {"entries": entries, "axes": axes}


def unpacked(array: Any) -> dict[str, dict[str, Part]]:
    """The means in one array of the store."""
    numbers = np.asarray(array[...])
    attributes: Mapping[str, Any] = dict(array.attrs)
    axes = [
        (dim, tuple(np.array(values).astype(dtype) if dtype[1] in "mM" else values))
        for dim, dtype, values in attributes["axes"]
    ]
    shard: dict[str, dict[str, Part]] = {}
    begin = 0
    for entrant, statistic, dims, weight_dims in attributes["entries"]:
        labels = tuple(axes[place] for place in dims)
        shape = [len(values) for _, values in labels]
        arrays = []
        for part in (shape, shape[:weight_dims]):
            end = begin + int(np.prod(part))
            arrays.append(numbers[begin:end].reshape(part))
            begin = end
        shard.setdefault(entrant, {})[statistic] = Part(labels, *arrays)
    return shard


def _plain(values: np.ndarray) -> list[Any]:
    """Labels as JSON has them; durations as whole nanoseconds."""
    plain = values.astype("int64") if values.dtype.kind in "mM" else values
    return [*plain.tolist()]
