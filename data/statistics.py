"""Compute the statistics that a model's fields are normalised by, from a training period.

`moments_of` makes them of Datasets in memory or lazily opened. `write_statistics` makes the three
files of a training period and resumes where an interrupted pass stopped. `data.tallies` holds the
running sums, so that memory does not grow with the record; `data.moments` reads and writes the
files.
"""

import hashlib
import json
import time as clock
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from data.doctor import examined
from data.moments import FILES, Moments, make_way, read_moments, write_files
from data.stores.analyses.header import is_repeated
from data.stores.building import Building
from data.stores.files import written_whole
from data.stores.partial import partial_path
from data.tallies import NO_SUMS, Sums, Tallies, Tally, lacking, sums_of, task_of_everything
from data.task import TASKS, Task
from data.time_range import TimeRange, time_range

UNFINISHED = "unfinished.npz"  # the sums of an interrupted pass
SAVE_EVERY = 60.0  # seconds

# A field whose spread is below the rounding of its float32 values (2^-24 of the mean) is constant.
CONSTANT = 2.0**-24


def moments_of(datasets: xr.Dataset | Iterable[xr.Dataset], task: Task) -> Moments:
    """The moments of every variable of a task, in one pass that holds one step of frames in memory.

    Changes are taken between frames of one Dataset exactly one step of the task apart, for the
    targets only. `diffs_stddev` is the standard deviation about the mean change, as the paper's
    inverse variances are; a model adds no mean change to its prediction, and over years that mean
    is zero but for a trend.

    An input that does not vary (a planet without land, a single season's clock) gets the standard
    deviation 1 and is thereby normalised to 0. A target that does not vary, or never changes, is
    refused: no weather does that, and no error could be measured in its units.

    Args:
        datasets: one or more canonical Datasets; forcings that they lack are computed.
        task: its variables and levels are counted.

    Raises:
        ValueError: variables or levels are missing, values are not finite, no two frames are a
            step apart, or a target does not vary.
    """
    latest = NO_SUMS
    for sums in sums_of([datasets] if isinstance(datasets, xr.Dataset) else datasets, task):
        latest = sums
    return moments_from(latest, task)


def moments_from(sums: Sums, task: Task) -> Moments:
    """The moments from the sums of a whole pass; errors as in `moments_of`."""
    values, changes = sums.values, sums.changes
    if not changes:
        raise ValueError(
            f"no two frames are exactly {task.step_hours} h apart, so there is no change to measure"
        )
    _check_targets_vary(values, changes, task)
    return Moments.labelled(
        {
            "mean": _as_dataset({name: t.mean for name, t in values.items()}, task),
            "stddev": _as_dataset({name: _usable_stddev(t) for name, t in values.items()}, task),
            "diffs_stddev": _as_dataset({name: t.stddev for name, t in changes.items()}, task),
        }
    )


def task_served(dataset: xr.Dataset) -> Task:
    """The first published task whose variables and levels the data have, or all that they have."""
    served = [task for task in TASKS.values() if lacking(dataset, task) == ([], [])]
    return served[0] if served else task_of_everything(dataset)


class Counted(NamedTuple):
    """Statistics in a folder.

    Attributes:
        frames: how many frames were counted.
        sha256: the digest of the data.
        stood: whether they were there already, and nothing was counted.
    """

    frames: int
    sha256: str
    stood: bool = False


def write_statistics(  # noqa: PLR0913  what they depend on
    entries: Sequence[xr.Dataset],
    period: TimeRange,
    task: Task,
    directory: Path,
    *,
    source: str,
    test_period: str | None = None,
    force: bool = False,
    overwrite: bool = False,
    report: Callable[[int, int], None] = lambda frames, total: None,
) -> Counted:
    """Write the three files of statistics of a training period.

    The sums are saved every minute and when the pass is interrupted; called again with the same
    arguments it resumes and ends with the same numbers. Statistics of the same source, period and
    task are left as they are; the data are not read again.

    Args:
        entries: canonical Datasets, each with every time of `period`.
        period: the training period.
        task: its variables and levels are counted.
        directory: folder for the files, made where it is missing.
        source: where the data come from, for the files' attributes.
        test_period: period kept for tests; otherwise the task's, or else the one the data state.
        force: go on after an error that the input doctor finds in a sample of the times.
        overwrite: replace statistics that are in the folder.
        report: called with the frames counted and their total.

    Returns:
        how much was counted, with the digest of the data.

    Raises:
        ValueError: the period touches the test period, times are missing, the data repeat one
            analysis, the doctor finds an error; or as `moments_of`.
        FileExistsError: the folder has other statistics, or other files; an interrupted pass was
            over other data, times or task.
    """
    _check_not_repeated(source, entries)
    check_test_period(period, entries, test_period or task.test_period)
    made_from = {"source": source, "time_range": str(period), "task": task.to_json()}
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    if not overwrite and any((directory / name).exists() for name in FILES.values()):
        return _standing(directory, made_from, key)
    selected = [period.select(entry) for entry in entries]
    examination = examined(selected[0], source, names=task.variables, force=force)
    make_way(directory)
    with Building.open(
        directory, "statistics", key, overwrite=overwrite, kept=[UNFINISHED]
    ) as building:
        sums = _resumable_sums(selected, task, building.beside(UNFINISHED), key, report)
        attributes = {
            "source": source,
            "time_range": str(period),
            "frames": np.int32(sums.frames),
            "task": task.name,
            "data_sha256": sums.sha256,
            "made_from": key,
            "examined": str(examination),
            "comment": "not weighted by area; diffs_stddev is that of changes over"
            f" {task.step_hours} hours",
        }
        moments = moments_from(sums, task)
        labelled = Moments(*(part.assign_attrs(attributes) for part in moments))
        if not building.named:
            write_files(labelled, building.folder)
        building.finish()
    return Counted(sums.frames, sums.sha256)


def _standing(directory: Path, made_from: Mapping[str, str], key: str) -> Counted:
    """The statistics in a folder, if they are made from the same.

    Raises:
        FileExistsError: they are others; the sentence says in what.
    """
    attributes = read_moments(directory).mean.attrs
    if attributes.get("made_from") == key:
        if partial_path(directory).exists():  # left by a run that was killed at its end
            Building.claim(directory, "statistics", kept=[UNFINISHED]).close()
        return Counted(int(attributes["frames"]), str(attributes["data_sha256"]), stood=True)
    differing = [
        f"{name} {attributes.get(attribute, 'not stated')}, not {made_from[attribute]}"
        for name, attribute in (("source", "source"), ("times", "time_range"))
        if attributes.get(attribute) != made_from[attribute]
    ]
    raise FileExistsError(
        f"{directory} has statistics with {'; '.join(differing) or 'another task'}; choose another"
        " folder or give `overwrite`"
    )


def check_test_period(period: TimeRange, entries: Iterable[xr.Dataset], kept: str) -> None:
    """Refuse a training period that overlaps the test period.

    Args:
        period: the training period.
        entries: canonical Datasets, whose attribute `test_period` counts where `kept` is empty.
        kept: the test period as text, or "".

    Raises:
        ValueError: they overlap.
    """
    stated = {kept} if kept else {e.attrs.get("test_period") for e in entries} - {None}
    for text in stated:
        test_period = time_range(str(text))
        if period.overlaps(test_period):
            raise ValueError(
                f"statistics may not have seen the test period, {test_period}, and {period}"
                " overlaps it; end it before that"
            )


def _check_not_repeated(source: str, entries: Iterable[xr.Dataset]) -> None:
    if any(is_repeated(entry.attrs) for entry in entries):
        raise ValueError(
            f"statistics need changes over 6 hours, and {source} holds one analysis at both times,"
            " repeated on request, so nothing changes; take the statistics from other data of the"
            " same variables and levels"
        )


def _resumable_sums(
    datasets: Sequence[xr.Dataset],
    task: Task,
    unfinished: Path,
    key: str,
    report: Callable[[int, int], None],
) -> Sums:
    """The sums of the whole pass, saved every minute and whenever it is interrupted."""
    sums = start = _saved(unfinished, key)
    total = sum(dataset.sizes["time"] for dataset in datasets)
    saved = clock.perf_counter()
    report(start.frames, total)
    try:
        for sums in sums_of(datasets, task, start):
            report(sums.frames, total)
            if clock.perf_counter() - saved > SAVE_EVERY:
                _save(sums, unfinished, key)
                saved = clock.perf_counter()
    except (KeyboardInterrupt, OSError):
        _save(sums, unfinished, key)
        raise
    return sums


def _save(sums: Sums, unfinished: Path, key: str) -> None:
    with written_whole(unfinished) as path, path.open("wb") as file:
        np.savez(file, allow_pickle=False, key=np.array(key), **sums.to_arrays())


def _saved(unfinished: Path, key: str) -> Sums:
    """The saved sums of an interrupted pass over the same data, or `NO_SUMS`."""
    if not unfinished.exists():
        return NO_SUMS
    with np.load(unfinished, allow_pickle=False) as arrays:
        # sums of another pass are only here where they are to be overwritten
        return Sums.from_arrays(arrays) if str(arrays["key"]) == key else NO_SUMS


def _is_constant(t: Tally) -> np.ndarray:
    return np.asarray(t.stddev <= CONSTANT * np.abs(t.mean))


def _usable_stddev(t: Tally) -> np.ndarray:
    return np.where(_is_constant(t), 1.0, t.stddev)


def _check_targets_vary(values: Tallies, changes: Tallies, task: Task) -> None:
    stuck = [
        name
        for name in task.targets
        if _is_constant(values[name]).any() or _is_constant(changes[name]).any()
    ]
    if stuck:
        raise ValueError(
            f"what a task predicts varies, but {', '.join(stuck)} is the same everywhere or at all "
            "times (on some level); check the data, or take it out of the targets"
        )


def _as_dataset(fields: Mapping[str, np.ndarray], task: Task) -> xr.Dataset:
    return xr.Dataset(
        {name: xr.DataArray(v, dims=("level",)[: v.ndim]) for name, v in sorted(fields.items())},
        coords={"level": np.array(task.levels, dtype=np.int32)},
    )
