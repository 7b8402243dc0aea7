"""Running sums over a record too long for memory, from which means and deviations follow.

A `Tally` holds the count, mean and squared deviations of one block of numbers; two tallies merge
without loss. `Sums` are the tallies of all data that a pass has read so far, with their digest; an
interrupted pass resumes from its last `Sums`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from data.forcings import FORCINGS, forcing_frame
from data.task import Task
from data.variables import VARIABLES

BLOCK = 2**28  # bytes read at once; more only where one frame is larger


class Tally(NamedTuple):
    """Count of numbers, their mean and sum of squared deviations, per level or scalar."""

    size: int
    mean: Float[np.ndarray, "*level"]
    squares: Float[np.ndarray, "*level"]

    @property
    def stddev(self) -> Float[np.ndarray, "*level"]:
        """Population standard deviation, about the mean."""
        return np.asarray(np.sqrt(self.squares / self.size))


NOTHING = Tally(0, np.zeros(()), np.zeros(()))


def tally(values: Float[np.ndarray, "*level points"]) -> Tally:
    """The tally of one block of numbers, over its last axis, in float64."""
    # level by level: a row in float64 fits the processor's cache, a whole block does not
    return _tally_of_rows((row.astype(np.float64) for row in _rows(values)), values)


def tally_of_change(
    before: Float[np.ndarray, "*level points"], after: Float[np.ndarray, "*level points"]
) -> Tally:
    """The tally of `after - before`, subtracted in float64."""
    pairs = zip(_rows(before), _rows(after), strict=True)
    return _tally_of_rows((b.astype(np.float64) - a for a, b in pairs), after)


def _rows(values: Float[np.ndarray, "*level points"]) -> Float[np.ndarray, "levels points"]:
    return values.reshape(-1, values.shape[-1])


def _tally_of_rows(rows: Iterator[np.ndarray], block: np.ndarray) -> Tally:
    """The tally of rows computed from those of `block`, in the shape of its levels."""
    means, squares = [], []
    for row in rows:
        mean = row.mean()
        deviations = row - mean
        means.append(mean)
        squares.append(np.square(deviations, out=deviations).sum())  # pairwise: digits are kept
    mean, square = (np.array(numbers).reshape(block.shape[:-1]) for numbers in (means, squares))
    return Tally(block.shape[-1], mean, square)


def merge(one: Tally, other: Tally) -> Tally:
    """The tally of two samples together; associative, commutative, and `NOTHING` is neutral.

    Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample
    variances".
    """
    if not (one.size and other.size):
        return one if one.size else other
    size = one.size + other.size
    shift = other.mean - one.mean
    return Tally(
        size,
        np.asarray(one.mean + shift * (other.size / size)),
        np.asarray(one.squares + other.squares + shift**2 * (one.size * (other.size / size))),
    )


Tallies = Mapping[str, Tally]


def _merge_all(one: Tallies, other: Tallies) -> Tallies:
    names = dict.fromkeys([*one, *other])
    return {name: merge(one.get(name, NOTHING), other.get(name, NOTHING)) for name in names}


class Sums(NamedTuple):
    """Tallies over `frames` times of a task's variables, and of its targets' changes over a step.

    `sha256` (hex) is a digest of every number read, its time and its place.
    """

    frames: int
    values: Tallies
    changes: Tallies
    sha256: str

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The sums as named arrays, for a file from which a later pass resumes."""
        arrays = {
            f"{kind}/{name}/{part}": np.asarray(number)
            for kind, tallies in (("values", self.values), ("changes", self.changes))
            for name, counted in tallies.items()
            for part, number in counted._asdict().items()
        }
        return {**arrays, "frames": np.array(self.frames), "sha256": np.array(self.sha256)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Sums":
        """The inverse of `to_arrays`."""
        parts: dict[str, dict[str, dict[str, np.ndarray]]] = {"values": {}, "changes": {}}
        for key, array in arrays.items():
            if key.count("/") == 2:
                kind, name, number = key.split("/")
                parts[kind].setdefault(name, {})[number] = array
        values, changes = (
            {n: Tally(int(t["size"]), t["mean"], t["squares"]) for n, t in parts[kind].items()}
            for kind in ("values", "changes")
        )
        return cls(int(arrays["frames"]), values, changes, str(arrays["sha256"]))


NO_SUMS = Sums(0, {}, {}, "")


def sums_of(datasets: Iterable[xr.Dataset], task: Task, start: Sums = NO_SUMS) -> Iterator[Sums]:
    """The sums after each frame, in one pass that holds a block and one step of frames in memory.

    Changes are taken between frames of one Dataset exactly one step of the task apart.

    Args:
        datasets: canonical; forcings that they lack are computed.
        task: its variables and levels are counted.
        start: sums of an earlier pass over the same data, whose frames are not counted again.

    Raises:
        ValueError: variables or levels are missing, or values are not finite.
    """
    latest, passed = start, 0
    for dataset in datasets:
        _check_complete(dataset, task)
        done = max(start.frames - passed, 0)
        passed += dataset.sizes["time"]
        if start.frames >= passed:
            continue
        for sums in _continued(latest, _of_task(dataset, task), task, done):
            latest = sums
            yield sums


class _Frame(NamedTuple):
    """One time: every variable that varies, [level, points] or [points]; `read` came from data."""

    time: np.datetime64
    fields: dict[str, np.ndarray]
    read: tuple[str, ...]


def _continued(sums: Sums, dataset: xr.Dataset, task: Task, done: int) -> Iterator[Sums]:
    """Resume at frame number `done`, after reading the step before it for the changes."""
    if done == 0:
        sums = _with_statics(sums, dataset, task)
    times = dataset["time"].values
    first = int(np.searchsorted(times, times[done] - task.step))
    recent: dict[np.datetime64, _Frame] = {}
    for index, frame in enumerate(_frames(dataset, task, first), start=first):
        if index >= done:
            sums = _with_frame(sums, frame, recent.get(frame.time - task.step), task)
            yield sums
        recent = {t: old for t, old in recent.items() if t > frame.time - task.step}
        recent[frame.time] = frame


def _with_statics(sums: Sums, dataset: xr.Dataset, task: Task) -> Sums:
    fields = {name: _numbers(dataset, name) for name in task.statics}
    place = {name: dataset[name].values for name in ("latitude", "longitude")}
    return sums._replace(
        values=_merge_all(sums.values, {name: tally(field) for name, field in fields.items()}),
        sha256=_digest(sums.sha256, {**place, "level": np.array(task.levels), **fields}),
    )


def _with_frame(sums: Sums, frame: _Frame, earlier: _Frame | None, task: Task) -> Sums:
    values = {name: tally(field) for name, field in frame.fields.items()}
    changes = {
        name: tally_of_change(earlier.fields[name], frame.fields[name])
        for name in task.targets
        if earlier is not None
    }
    read = {name: frame.fields[name] for name in frame.read}
    return Sums(
        sums.frames + 1,
        _merge_all(sums.values, values),
        _merge_all(sums.changes, changes),
        _digest(sums.sha256, {"time": np.array([frame.time]), **read}),
    )


def _digest(before: str, arrays: Mapping[str, np.ndarray]) -> str:
    """A link of the hash chain: the digest before it and the arrays, by name, type and shape."""
    digest = hashlib.sha256(before.encode())
    for name, array in arrays.items():
        values = np.ascontiguousarray(array)
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(values.view(np.uint8).data)
    return digest.hexdigest()


def _of_task(dataset: xr.Dataset, task: Task) -> xr.Dataset:
    """The variables of a task that a Dataset has, on the levels of the task."""
    dataset = dataset[[name for name in task.variables if name in dataset]]
    return dataset.sel(level=list(task.levels)) if "level" in dataset.dims else dataset


def _frames(dataset: xr.Dataset, task: Task, first: int) -> Iterator[_Frame]:
    """Every time from number `first` on."""
    names = [name for name in task.variables if VARIABLES[name].varies_in_time]
    read = tuple(name for name in names if name in dataset)
    computed = [name for name in names if name not in dataset]
    latitude, longitude = dataset["latitude"].values, dataset["longitude"].values
    for block in _blocks(dataset[list(read)], first):
        for index, time in enumerate(block["time"].values):
            forced = forcing_frame(computed, time, latitude, longitude)
            now = block.isel(time=index)
            fields = {name: _numbers(forced if name in forced else now, name) for name in names}
            yield _Frame(time, fields, read)


def _blocks(dataset: xr.Dataset, first: int) -> Iterator[xr.Dataset]:
    """The times from number `first` on, loaded by the chunks in which they are stored."""
    stored = max((a.chunksizes["time"][0] for a in dataset.values() if a.chunks), default=1)
    frame = sum(array.nbytes for array in dataset.values()) / max(dataset.sizes["time"], 1)
    size = max(1, min(stored, int(BLOCK / max(frame, 1))))
    edges = [first, *range(first - first % size + size, dataset.sizes["time"], size), None]
    for low, high in pairwise(edges):
        yield dataset.isel(time=slice(low, high)).compute()


def _numbers(frame: xr.Dataset, name: str) -> np.ndarray:
    """[level, points] or [points], every one finite."""
    values = frame[name].transpose("level", ..., missing_dims="ignore").values
    numbers = values.reshape(*values.shape[:-2], -1)
    if not np.isfinite(numbers).all():
        when = f" at {frame['time'].values}" if "time" in frame.coords else ""
        raise ValueError(
            f"statistics need finite values, but {name}{when} has {(~np.isfinite(numbers)).sum()} "
            "others; fill them, or leave the variable out of the task"
        )
    return numbers


def _check_complete(dataset: xr.Dataset, task: Task) -> None:
    variables, levels = lacking(dataset, task)
    if variables:
        raise ValueError(f"task {task.name!r} needs {', '.join(variables)}, which the data lack")
    if levels:
        raise ValueError(f"task {task.name!r} needs the levels {levels} hPa, which the data lack")


def task_of_everything(dataset: xr.Dataset) -> Task:
    """A task of every catalogue variable of a Dataset, on its levels, and of the forcings.

    It serves statistics; no model need have it.

    Raises:
        ValueError: the catalogue knows none of the variables.
    """
    known = sorted(str(name) for name in dataset.data_vars if name in VARIABLES)
    targets = tuple(n for n in known if n not in FORCINGS and VARIABLES[n].varies_in_time)
    statics = tuple(n for n in known if not VARIABLES[n].varies_in_time)
    if not targets:
        names = ", ".join(sorted(str(name) for name in dataset.data_vars)) or "nothing"
        raise ValueError(
            f"statistics are of variables that data/variables.py knows, and the data have {names};"
            " rename them"
        )
    on_levels = any(VARIABLES[name].on_levels for name in targets)
    levels = tuple(sorted(int(x) for x in dataset["level"].values)) if on_levels else ()
    forcings = tuple(FORCINGS)
    return Task("everything", (*targets, *forcings, *statics), targets, forcings, levels)


def lacking(dataset: xr.Dataset, task: Task) -> tuple[list[str], list[int]]:
    """The variables and levels (hPa) that statistics of a task need and a Dataset lacks."""
    variables = [n for n in task.variables if n not in dataset and n not in FORCINGS]
    stored = dataset["level"].values.tolist() if "level" in dataset.coords else []
    levels = [level for level in task.levels if level not in stored]
    on_levels = any(VARIABLES[name].on_levels for name in task.variables)
    return variables, levels if on_levels else []
