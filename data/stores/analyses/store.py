"""The store of analyses that models train on: a CF-conforming Zarr, format 3.

Dimensions `time`, `level`, `latitude`, `longitude`; names and units from `data.variables`. It opens
with nothing but `xr.open_zarr(path)`. One chunk is one variable at one time, as training reads it;
a shard, one file, holds the chunks of a group of times (`DatasetHeader.group_times`).

A `Building` keeps it whole: a group is committed once all of its shards are on the disk. No two
groups share a file, so any process may write any group. `finish` gives a new store its name. Times
that are added to a store are moved into it, shards first, and count from the moment when the last
file, `zarr.json`, is replaced. A run that was killed resumes, and the bytes are those of an
uninterrupted run.
"""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from data.stores.analyses.files import laid_out, write_contents
from data.stores.analyses.header import DatasetHeader, whole_hours
from data.stores.building import Building
from data.stores.cf import EPOCH
from data.stores.files import check_space, remove_torn, written_aside
from data.stores.kind import kind_of, zarr_attributes
from data.stores.partial import interrupted, partial_path
from data.stores.reading import whole
from data.stores.targets import local_path, refuse_another_kind, refuse_existing
from data.wording import hour

DOWNLOADS = "downloads"  # folder beside the store where sources may keep what they fetch
_EXAMINED = "examined "  # begins the journal's line of an examination
_LEAST_RATIO = 0.4  # of compression; see `data.stores.analyses.files`


class DatasetStore:
    """A dataset being written: `open_or_create` it, write and `commit` each group, `finish`.

    One process owns the store and commits; any process may write the shards of a group
    (`write_shard` of `data.stores.analyses.files`). As a context manager it releases the store on
    exit; committed groups stay for the next run.
    """

    def __init__(self, building: Building, header: DatasetHeader, times: np.ndarray) -> None:
        self.path = building.target
        self.header = header
        self.times = times
        self._building = building
        assert building.interrupted is not None
        self.base = int(building.interrupted.notes["base"])  # how many times `path` has already

    @classmethod
    def open_or_create(
        cls,
        path: str | os.PathLike[str],
        header: DatasetHeader,
        times: np.ndarray,
        statics: Mapping[str, np.ndarray],
        *,
        versions: Mapping[str, str] | None = None,
        overwrite: bool = False,
    ) -> "DatasetStore":
        """Begin a store, resume an interrupted one, or add times to one that exists.

        Args:
            path: where the store will stand; a local path.
            header: what the dataset is of.
            times: all times that the store will have.
            statics: by name, float32 [latitude, longitude].
            versions: of the software; recorded, each different set once.
            overwrite: replace the dataset of that name once the new one is complete.

        Raises:
            FileExistsError: without `overwrite`: the target has these times already or another
                header, or the interrupted store has; always: the target is not a dataset, or
                another process is writing it.
            OSError: the place cannot be written, or is too small.
        """
        wanted = whole_hours(times)
        building = Building.claim(path, "analyses", kept=[DOWNLOADS])
        try:
            _begin(building, header, wanted, overwrite)
            store = cls(building, header, np.asarray(times, "datetime64[ns]"))
            raw = header.time_bytes * header.group_times * len(store.missing)
            check_space(
                store.path,
                int(raw * _LEAST_RATIO),
                "the dataset needs at least",
                "ask for fewer times",
            )
            if not building.named:
                versions_text = _made_with(store, versions or {})
                contents = laid_out(header, store.times, statics, versions_text)
                write_contents(building.folder, contents)
                if store.examination is not None:
                    _write_examination(building.folder, store.examination)
        except BaseException:
            building.close()
            raise
        return store

    @property
    def working_path(self) -> Path:
        """The Zarr under construction; when times are added, it holds only these."""
        return self._building.folder

    @property
    def missing(self) -> tuple[int, ...]:
        """Groups not committed yet, ascending."""
        size = self.header.group_times
        groups = range(self.base // size, -(-len(self.times) // size))
        return tuple(group for group in groups if str(group) not in self._building.done)

    def group_times(self, group: int) -> np.ndarray:
        """The times of a group that are not in the target yet."""
        size = self.header.group_times
        return self.times[max(group * size, self.base) : (group + 1) * size]

    @property
    def committed(self) -> bool:
        """Whether any group is committed."""
        return bool(self._building.done)

    def has(self, indices: Collection[int]) -> bool:
        """Whether the times at these positions are committed, or in the target already."""
        groups = {index // self.header.group_times for index in indices if index >= self.base}
        return groups.isdisjoint(self.missing)

    def frames(self, indices: Sequence[int]) -> xr.Dataset:
        """The times at these positions, unread; all of them are there (`has`)."""
        first_new = self.base // self.header.group_times * self.header.group_times
        parts: list[xr.Dataset] = []
        for place, own in (
            (self.path, range(first_new)),
            (self.working_path, range(first_new, len(self.times))),
        ):
            if chosen := [index for index in indices if index in own]:
                parts.append(xr.open_zarr(whole(place), chunks=None).isel(time=chosen))
        if len(parts) == 1:
            return parts[0]
        both: xr.Dataset = xr.concat(parts, "time", data_vars="minimal")
        return both

    def commit(self, group: int) -> None:
        """Note that all shards of a group are on the disk."""
        self._building.commit(str(group))

    @property
    def examination(self) -> str | None:
        """What was recorded of an examination of these times; None if nothing was."""
        lines = (line for line in self._building.done if line.startswith(_EXAMINED))
        return next((line.removeprefix(_EXAMINED) for line in lines), None)

    def record(self, examination: str) -> None:
        """Record an examination of all the times (JSON, one line), also for a run that resumes."""
        self._building.commit(_EXAMINED + examination)
        _write_examination(self.working_path, examination)

    def discard(self) -> None:
        """Forget what is committed: on closing, nothing is left."""
        self._building.keep_only((), {"times": [], "base": self.base})

    def finish(self) -> Path:
        """Give the complete store its name, or its times to the store of that name.

        Raises:
            ValueError: groups are missing.
        """
        if self.missing:
            raise ValueError(
                f"{len(self.missing)} groups of times of {self.path} are not written yet, the first"
                f" begins at {self.group_times(self.missing[0])[0]}; write them before finishing"
            )
        if not self.base:
            return self._building.finish()
        self._merge()
        self._building.dissolve()
        return self.path

    def close(self) -> None:
        """Release the store; committed groups stay for the next run."""
        self._building.close()

    def __enter__(self) -> "DatasetStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _merge(self) -> None:
        """Move everything new into the target: shards first, and last the list of all arrays."""
        remove_torn(self.working_path)
        new = [p for p in self.working_path.rglob("*") if p.is_file()]
        root = self.working_path / "zarr.json"
        for path in sorted(new, key=lambda p: (p == root, p.name == "zarr.json", p)):
            path.replace(self.path / path.relative_to(self.working_path))


def check_target(target: Path) -> None:
    """Refuse a target that is not a local path, or that exists and is not a dataset.

    Raises:
        ValueError: it is a URL.
        FileExistsError: something else is there.
    """
    refuse_another_kind(local_path(target, "analyses"), "analyses")


def is_complete(target: Path, header: DatasetHeader, times: np.ndarray) -> bool:
    """Whether a complete dataset of this header and exactly these times is there.

    The remains of a run that was killed while it cleared up are removed.
    """
    if kind_of(target) != "analyses" or (
        zarr_attributes(target).get("fingerprint") != header.fingerprint
    ):
        return False
    if _stored_times(target).tolist() != whole_hours(times).tolist():
        return False
    unfinished = interrupted(target)
    if unfinished is not None and not unfinished.named:
        return False
    if partial_path(target).exists():
        Building.claim(target, "analyses", kept=[DOWNLOADS]).dissolve()
    return True


def _stored_times(target: Path) -> np.ndarray:
    """Whole hours since 1970 of an existing dataset; as many as its consolidated metadata state."""
    group = zarr.open_group(target, mode="r", use_consolidated=True)
    time: Any = group["time"]
    return np.asarray(time[...])


def _begin(building: Building, header: DatasetHeader, wanted: np.ndarray, overwrite: bool) -> None:
    """Resume the interrupted store as far as it serves this request, or begin a new one."""
    if not _can_resume(building, header, wanted, overwrite):
        base = 0 if overwrite else _base(building.target, header, wanted)
        notes = {"times": wanted.tolist(), "base": base}
        building.begin(header.fingerprint, notes=notes, overwrite=overwrite)
        return
    building.resume(overwrite=overwrite)
    left = building.interrupted
    assert left is not None
    times = list(left.notes["times"])
    if times != wanted.tolist():  # more or fewer: a group not full in both is made again
        full = min(len(times), len(wanted)) // header.group_times
        kept = {key for key in left.done if key.isdecimal() and int(key) < full}
        building.keep_only(kept, {"times": wanted.tolist(), "base": left.notes["base"]})
        _remove_shards(building.folder, header, kept)


def _can_resume(
    building: Building, header: DatasetHeader, wanted: np.ndarray, overwrite: bool
) -> bool:
    """Whether the interrupted store can become this one; FileExistsError if it must be kept."""
    left, target = building.interrupted, building.target
    if left is None or not (left.done or left.named):
        return False  # where nothing is committed, nothing is lost
    if not overwrite and not left.named:
        building.refuse_other(header.fingerprint)
    if (left.kind, left.fingerprint) != ("analyses", header.fingerprint):
        return False
    times = list(left.notes["times"])
    if left.named:
        return bool(times == wanted.tolist())
    both = min(len(times), len(wanted))
    same = times[:both] == wanted[:both].tolist()
    if not overwrite and not same:
        raise FileExistsError(
            f"{partial_path(target)} holds an interrupted dataset of other times, from"
            f" {_hour(times[0])} to {_hour(times[-1])}; finish it with these first, choose another"
            " output, or overwrite it (`overwrite`)"
        )
    if base := int(left.notes["base"]):
        return target.exists() and not overwrite and both > base
    if not overwrite:
        refuse_existing(target, "analyses")
    return bool(same)


def _remove_shards(store: Path, header: DatasetHeader, kept: Collection[str]) -> None:
    """Remove the shards of groups that are to be made again, or not at all."""
    for name in header.variables:
        for path in (store / name).glob("c.*"):
            if path.name.split(".")[1] not in kept:
                path.unlink()


def _base(target: Path, header: DatasetHeader, wanted: np.ndarray) -> int:
    """How many of the wanted times the target has; FileExistsError unless more can be added."""
    if not target.exists():
        return 0
    if zarr_attributes(target).get("fingerprint") != header.fingerprint:
        raise FileExistsError(
            f"{target} was made from another source or with other settings, so nothing can be"
            " added to it; choose another output or replace it"
            " (`overwrite`)"
        )
    stored = _stored_times(target).tolist()
    if stored == wanted.tolist():
        raise FileExistsError(
            f"{target} is there already, with all {len(stored)} times; ask for more times (`times`)"
            " to add them, choose another output, or replace it"
            " (`overwrite`)"
        )
    if wanted[: len(stored)].tolist() != stored:
        raise FileExistsError(
            f"times are added after those that are there, and {target} has {len(stored)} from"
            f" {_hour(stored[0])} to {_hour(stored[-1])}; ask for these and later ones (`times`),"
            " choose another output, or replace it (`overwrite`)"
        )
    return len(stored)


def _write_examination(store: Path, examination: str) -> None:
    """Add the attribute `examined` to a store under construction."""
    path = store / "zarr.json"
    document = json.loads(path.read_text())
    document["attributes"]["examined"] = examination
    with written_aside(path) as temporary:
        temporary.write_text(json.dumps(document, indent=2))


def _hour(hours: int) -> str:
    return hour(EPOCH + np.timedelta64(int(hours), "h"))


def _made_with(store: DatasetStore, versions: Mapping[str, str]) -> str:
    """JSON list of the sets of versions that wrote parts of the store, in that order."""
    sets: list[dict[str, str]] = []
    for place in (store.working_path, *[store.path] * bool(store.base)):
        attributes = zarr_attributes(place)
        if "made_with" in attributes:
            sets = json.loads(attributes["made_with"])
            break
    return json.dumps(sets if dict(versions) in sets else [*sets, dict(versions)], sort_keys=True)
