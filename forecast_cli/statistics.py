"""`graphcast statistics`: what a model's numbers are measured in, from the training period."""

import hashlib
import json
import time as clock
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import xarray as xr

from data.moments import FILES, Moments, write_moments
from data.sources import open_inputs
from data.statistics import moments_from
from data.stores.analyses.header import is_repeated
from data.stores.files import written_whole
from data.tallies import NO_SUMS, Sums, lacking, sums_of, task_of_everything
from data.task import TASKS, Task
from data.time_range import TimeRange, time_range
from forecast_cli.arguments import task_named
from forecast_cli.terminal import console, progress

UNFINISHED = "unfinished.npz"  # in the output folder, until the pass is through
SAVE_EVERY = 60.0  # seconds


def statistics(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="Zarr store, file or URL with the training data.")
    ],
    time: Annotated[
        str, typer.Option(help="Training period, as 1979-01-01/2015-12-31T18/6h; ends included.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for the three files.")],
    task: Annotated[
        str | None,
        typer.Option(
            help="Task whose variables and levels count: a name or a JSON file. Otherwise the "
            "first of DeepMind's that the data serve, or else all that they have."
        ),
    ] = None,
    test_period: Annotated[
        str | None,
        typer.Option(
            help="Period kept for tests, which may not be touched; else what task or DATA say."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace statistics that are in the folder.")
    ] = False,
) -> None:
    r"""Mean, standard deviation and that of 6-hour changes, per variable and level.

    Every grid point and time counts the same, as in DeepMind's statistics.
    Killed or interrupted, the same command goes on where it stopped.

    Example:
        graphcast statistics era5.zarr --time 1979-01-01/2015-12-31T18 \
            --output stats/
    """
    period = time_range(time)
    entries = open_inputs(data)
    _check_not_repeated(data, entries)
    chosen = _task_for(entries, task)
    check_test_period(period, entries, test_period or chosen.test_period)
    _check_free(output, overwrite=overwrite)
    selected = [period.select(entry) for entry in entries]
    started = clock.perf_counter()
    output.mkdir(parents=True, exist_ok=True)
    unfinished = output / UNFINISHED
    made_from = {"source": data, "time_range": str(period), "task": chosen.to_json()}
    sums = _through(selected, chosen, unfinished, made_from)
    attributes = {
        "source": data,
        "time_range": str(period),
        "frames": np.int32(sums.frames),
        "task": chosen.name,
        "data_sha256": sums.sha256,
        "comment": "not weighted by area; diffs_stddev is that of changes over 6 hours",
    }
    moments = moments_from(sums, chosen)
    write_moments(Moments(*(part.assign_attrs(attributes) for part in moments)), output)
    unfinished.unlink(missing_ok=True)
    _report(output, chosen, sums, clock.perf_counter() - started)


def _check_not_repeated(data: str, entries: list[xr.Dataset]) -> None:
    if any(is_repeated(entry.attrs) for entry in entries):
        raise ValueError(
            "statistics are of changes over 6 hours, too, and in"
            f" {data} one analysis stands at both times, on request: there are none; take the"
            " statistics from other data of the same variables and levels"
        )


def check_test_period(period: TimeRange, entries: list[xr.Dataset], given: str) -> None:
    """Raise ValueError if a training period overlaps the test period given, or the data's own."""
    stated = {given} if given else {e.attrs.get("test_period") for e in entries} - {None}
    for text in stated:
        kept = time_range(str(text))
        if period.overlaps(kept):
            raise ValueError(
                f"statistics may not have seen the test period, {kept}, and {period} overlaps it;"
                " end --time before it"
            )


def _task_for(entries: list[xr.Dataset], text: str | None) -> Task:
    if text is None:
        served = [task for task in TASKS.values() if lacking(entries[0], task) == ([], [])]
        return served[0] if served else task_of_everything(entries[0])
    return task_named(text)


def _check_free(output: Path, *, overwrite: bool) -> None:
    there = [name for name in FILES.values() if (output / name).exists()]
    if there and not overwrite:
        raise FileExistsError(f"{output} has statistics; choose another folder or give --overwrite")


def _through(
    datasets: list[xr.Dataset], task: Task, unfinished: Path, made_from: dict[str, str]
) -> Sums:
    """The sums of the whole pass, saved now and then, and whenever it is interrupted."""
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    sums = start = _saved(unfinished, key)
    saved = clock.perf_counter()
    with progress() as bar:
        total = sum(dataset.sizes["time"] for dataset in datasets)
        frames = bar.add_task("statistics", total=total, completed=start.frames)
        try:
            for sums in sums_of(datasets, task, start):
                bar.update(frames, completed=sums.frames)
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
    """Where an earlier pass over the same data was cut off, or the beginning."""
    if not unfinished.exists():
        return NO_SUMS
    with np.load(unfinished, allow_pickle=False) as arrays:
        if str(arrays["key"]) != key:
            raise ValueError(
                f"{unfinished} is from statistics of other data, times or task; delete it or"
                " choose another folder"
            )
        return Sums.from_arrays(arrays)


def _report(output: Path, task: Task, sums: Sums, seconds: float) -> None:
    console.print(
        f"[bold]{output}[/]  mean, stddev and diffs_stddev of task {task.name}:"
        f" {len(task.variables)} variables, {len(task.levels)} levels, {sums.frames:,} frames,"
        f" {seconds:.1f} s"
    )
    console.print(f"  data sha256 {sums.sha256}")
    console.print(f"next: [cyan]graphcast forecast ... --statistics {output}[/]")
