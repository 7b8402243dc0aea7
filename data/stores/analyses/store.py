"""The training store: analyses at many times as a CF-conforming Zarr, format 3.

Dimensions `time`, `level`, `latitude`, `longitude`; names and units from `data.variables`. It opens
with nothing but `xr.open_zarr(path)`. One chunk is one variable at one time, which is what training
reads; a shard, one file, holds the chunks of a group of times (`DatasetHeader.group_times`).

**Killed at any moment.** Groups are written into `<name>.partial/store/` beside the target, and a
`journal` gets one line once all shards of a group are on the disk. No two groups share a file, so
any process may write any group. `finish` gives a new store its name; into a store that is there, it
moves the added shards, and makes them count by replacing one file, `zarr.json`, at the end. Running
again goes on after what is committed, and the bytes are those of an uninterrupted run.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import zarr

from data.stores.analyses.files import laid_out, write_contents
from data.stores.analyses.header import DatasetHeader, whole_hours
from data.stores.files import claimed, clear, written_whole
from data.stores.forecast.header import EPOCH

DOWNLOADS = "downloads"  # folder of a partial store where sources may keep what they fetch
_PARTS = {"store", "journal", "lock", "replaced", DOWNLOADS}  # of a partial store
_LEAST_RATIO = 0.4  # of compression; see above


class DatasetStore:
    """A dataset being written; `open_or_create` it, write and `commit` each group, `finish`.

    One process owns the store and commits; any process may write the shards of a group
    (`write_shard` of `data.stores.analyses.files`). As a context manager it lets go of the partial
    store on leaving and keeps what is committed.
    """

    def __init__(
        self, path: Path, header: DatasetHeader, times: np.ndarray, lock: IO[bytes], replace: bool
    ) -> None:
        self.path = path
        self.header = header
        self.times = times
        self._replace = replace
        self._lock = lock
        self._partial = partial_path(path)
        head, self._committed = _journal(self._partial)
        self.base = int(head["base"]) if head else 0  # how many times are in the target already

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
        """Start a store, go on with an interrupted one, or add times to one that is there.

        `times` are all times that the store will have, `statics` [lat, lon] float32. `versions`
        of the software are recorded, each different set once.

        Raises:
            FileExistsError: the target has these times already, or is something else, or the
                partial belongs to something else, and `overwrite` is not given; another process is
                writing.
            OSError: the place cannot be written, or is too small.
        """
        target = Path(path).absolute()
        wanted = whole_hours(times)
        check_target(target, overwrite=overwrite)
        lock = _claimed(target)
        try:
            _begin(target, header, wanted, overwrite)
            store = cls(target, header, np.asarray(times, "datetime64[ns]"), lock, overwrite)
            _check_space(target, header.time_bytes * header.group_times * len(store.missing))
            made_with = _made_with(target if store.base else None, store, versions or {})
            contents = laid_out(header, store.times, statics, made_with)
            if store.working_path.is_dir() or store.missing:
                write_contents(store.working_path, contents)
        except BaseException:
            if not (partial_path(target) / "journal").exists():  # killed while it cleared up
                clear(partial_path(target))
            lock.close()
            raise
        return store

    @property
    def working_path(self) -> Path:
        """The Zarr under construction; when times are added, it holds only these."""
        return self._partial / "store"

    @property
    def missing(self) -> tuple[int, ...]:
        """Groups not committed yet, ascending."""
        size = self.header.group_times
        groups = range(self.base // size, -(-len(self.times) // size))
        return tuple(group for group in groups if group not in self._committed)

    def group_times(self, group: int) -> np.ndarray:
        """The times of a group that are not in the target yet."""
        size = self.header.group_times
        return self.times[max(group * size, self.base) : (group + 1) * size]

    def commit(self, group: int) -> None:
        """Note that all shards of a group are on the disk."""
        with (self._partial / "journal").open("ab") as journal:
            journal.write(f"{group}\n".encode())
            journal.flush()
            os.fsync(journal.fileno())
        self._committed |= {group}

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
        if self.working_path.is_dir():
            _remove_torn(self.working_path)
            if self.base:
                self._merge()
            else:
                if self.path.exists():
                    if not self._replace:
                        raise _exists(self.path)
                    shutil.rmtree(self._partial / "replaced", ignore_errors=True)
                    self.path.rename(self._partial / "replaced")
                self.working_path.rename(self.path)
        clear(self._partial)
        self.close()
        return self.path

    def close(self) -> None:
        """Let go of the store; what is committed stays for the next run."""
        self._lock.close()

    def __enter__(self) -> "DatasetStore":
        return self

    def __exit__(self, *_: object) -> None:
        downloads = self._partial / DOWNLOADS
        kept = downloads.is_dir() and any(downloads.iterdir())
        if not self._committed and not kept and self._partial.is_dir():
            clear(self._partial)
        self.close()

    def _merge(self) -> None:
        """Move everything new into the target: shards first, and last the list of all arrays."""
        new = [p for p in self.working_path.rglob("*") if p.is_file()]
        root = self.working_path / "zarr.json"
        for path in sorted(new, key=lambda p: (p == root, p.name == "zarr.json", p)):
            path.replace(self.path / path.relative_to(self.working_path))


def partial_path(target: Path) -> Path:
    """Where a store is built before it has its name."""
    return target.with_name(target.name + ".partial")


def check_target(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that is no dataset of ours, and with `overwrite` whatever is none."""
    if "://" in str(target):
        raise ValueError(f"a dataset is written to a local path, got {target}; copy it there later")
    if target.exists() and _root(target) is None:
        raise FileExistsError(
            f"{target} is there and is not a dataset of graphcast prepare, so it will not be"
            f" {'replaced' if overwrite else 'added to'}; choose another output or remove it"
            " yourself"
        )


def is_complete(target: Path, header: DatasetHeader, times: np.ndarray) -> bool:
    """Whether a dataset of this header and exactly these times is there, and no more to do."""
    root = _root(target)
    if root is None or partial_path(target).exists() or root["fingerprint"] != header.fingerprint:
        return False
    return bool(_stored_times(target).tolist() == whole_hours(times).tolist())


def _root(target: Path) -> dict[str, Any] | None:
    """Global attributes of a dataset of ours, or None for anything else."""
    root = target / "zarr.json"
    if not root.is_file():
        return None
    attributes: dict[str, Any] = json.loads(root.read_text()).get("attributes", {})
    return attributes if "training_store_layout" in attributes else None


def _stored_times(target: Path) -> np.ndarray:
    """Whole hours since 1970 of a dataset that is there; as many as its list of arrays says."""
    group = zarr.open_group(target, mode="r", use_consolidated=True)
    time: Any = group["time"]
    return np.asarray(time[...])


def _begin(target: Path, header: DatasetHeader, wanted: np.ndarray, overwrite: bool) -> None:
    """Write the journal of this run, with what an earlier one left."""
    partial = partial_path(target)
    head, committed = _journal(partial)
    mine = {"fingerprint": header.fingerprint, "times": wanted.tolist()}
    # what has nothing committed is worth nothing, whatever it was going to be
    worth = bool(committed) or not (partial / "store").is_dir()
    if head is not None and worth and _can_go_on(target, head, mine, overwrite):
        if head["times"] != mine["times"]:  # more or fewer: a group not full in both begins anew
            full = min(len(head["times"]), len(mine["times"])) // header.group_times
            kept = {group for group in committed if group < full}
            _start_journal(partial, {**mine, "base": head["base"]}, kept)
            _remove_shards(partial / "store", header, kept)
        return
    base = 0 if overwrite else _base(target, header, wanted)
    (partial / "journal").unlink(missing_ok=True)
    shutil.rmtree(partial / "store", ignore_errors=True)
    _start_journal(partial, {**mine, "base": base}, set())


def _can_go_on(
    target: Path, head: Mapping[str, Any], mine: Mapping[str, Any], overwrite: bool
) -> bool:
    """Whether the interrupted run is the beginning of this one; FileExistsError if none may be."""
    partial, there = partial_path(target), _root(target) is not None
    if not overwrite and head["fingerprint"] != mine["fingerprint"]:
        raise FileExistsError(
            f"{partial} holds an interrupted dataset with another source or other settings; run it"
            " with the same ones, choose another output, or overwrite it (--overwrite)"
        )
    times = head["times"]
    both = min(len(times), len(mine["times"]))
    same = times[:both] == mine["times"][:both]
    if not overwrite and not same:
        raise FileExistsError(
            f"{partial} holds an interrupted dataset of other times, from {_hour(times[0])} to"
            f" {_hour(times[-1])}; finish it with these first, choose another output, or overwrite"
            " it (--overwrite)"
        )
    if not (partial / "store").is_dir():  # it was given its name, and only this remained
        return there and head["fingerprint"] == mine["fingerprint"] and times == mine["times"]
    if head["base"]:
        return there and not overwrite and both > head["base"]
    if there and not overwrite:
        raise _exists(target)
    return bool(head["fingerprint"] == mine["fingerprint"] and same)


def _remove_shards(store: Path, header: DatasetHeader, kept: set[int]) -> None:
    """Shards of groups that are to be made again, or not at all."""
    for name in header.variables:
        for path in (store / name).glob("c.*"):
            if int(path.name.split(".")[1]) not in kept:
                path.unlink()


def _exists(target: Path) -> FileExistsError:
    return FileExistsError(
        f"{target} is there already; choose another output or replace it (--overwrite)"
    )


def _base(target: Path, header: DatasetHeader, wanted: np.ndarray) -> int:
    """How many of the wanted times the target has; FileExistsError unless more can be added."""
    root = _root(target)
    if root is None:
        return 0
    if root["fingerprint"] != header.fingerprint:
        raise FileExistsError(
            f"{target} was made from another source or with other settings, so nothing can be"
            " added to it; choose another output or replace it (--overwrite)"
        )
    there = _stored_times(target)
    if there.tolist() == wanted.tolist():
        raise FileExistsError(
            f"{target} is there already, with all {there.size} times; ask for more times (--time)"
            " to add them, choose another output, or replace it (--overwrite)"
        )
    if wanted[: there.size].tolist() != there.tolist():
        raise FileExistsError(
            f"times are added after those that are there, and {target} has {there.size} from"
            f" {_hour(int(there[0]))} to {_hour(int(there[-1]))}; ask for these and later ones"
            " (--time), choose another output, or replace it (--overwrite)"
        )
    return int(there.size)


def _hour(hours: int) -> str:
    return str(EPOCH + np.timedelta64(int(hours), "h"))


def _start_journal(partial: Path, head: dict[str, Any], committed: set[int]) -> None:
    with written_whole(partial / "journal") as path:
        lines = [json.dumps(head), *(str(group) for group in sorted(committed))]
        path.write_text("\n".join(lines) + "\n")


def _journal(partial: Path) -> tuple[dict[str, Any] | None, frozenset[int]]:
    """Head and committed groups; a last line without its end is cut off: it was not committed."""
    journal = partial / "journal"
    if not journal.is_file():
        return None, frozenset()
    whole, _, torn = journal.read_bytes().rpartition(b"\n")
    if torn:
        os.truncate(journal, len(whole) + 1)
    head, *lines = whole.decode().split("\n")
    return json.loads(head), frozenset(int(line) for line in lines)


def _made_with(target: Path | None, store: DatasetStore, versions: Mapping[str, str]) -> str:
    """JSON list of the versions that had a part in the store, in the order of their parts."""
    sets: list[dict[str, str]] = []
    for place in (store.working_path, target):
        found = _root(place) if place is not None else None
        if found is not None:
            sets = json.loads(found["made_with"])
            break
    return json.dumps(sets if dict(versions) in sets else [*sets, dict(versions)], sort_keys=True)


def _claimed(target: Path) -> IO[bytes]:
    return claimed(partial_path(target), parts=_PARTS, target=target, what="dataset")


def _check_space(target: Path, raw: int) -> None:
    place = next(parent for parent in target.parents if parent.exists())
    free = shutil.disk_usage(place).free
    if raw * _LEAST_RATIO > free:
        raise OSError(
            f"the dataset needs at least {raw * _LEAST_RATIO / 1e9:.1f} GB but {place} has"
            f" {free / 1e9:.1f} GB free; make room, choose another output, or ask for fewer times"
        )


def _remove_torn(folder: Path) -> None:
    """Temporary files of writers that were killed."""
    for path in folder.rglob(".*.tmp"):
        path.unlink()
