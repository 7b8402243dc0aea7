"""`graphcast statistics`: means and deviations by which a model's fields are normalised.

From Python:

    entries, period = open_inputs("era5.zarr"), time_range("1979-01-01/2015-12-31T18/6h")
    task = task_served(entries[0])
    write_statistics(entries, period, task, Path("stats"), source="era5.zarr")
"""

import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.choices import TASK_FILE, TASKS, Force
from forecast_cli.terminal import console, next_step, progress

if TYPE_CHECKING:
    from data.statistics import Counted
    from data.task import Task


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
            help=f"Task that names the variables and levels: {', '.join(TASKS)}, or {TASK_FILE}."
            " By default"
            " the first of DeepMind's that the data serve, or else everything in the data."
        ),
    ] = None,
    test_period: Annotated[
        str | None,
        typer.Option(
            help="Period kept for tests, which the training period may not touch. By default the"
            " one that the task or DATA state."
        ),
    ] = None,
    force: Force = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace statistics that are in the folder.")
    ] = False,
) -> None:
    r"""Compute mean, standard deviation and spread of 6-hour changes.

    One number per variable and level. Every grid point and time counts the same,
    as in DeepMind's statistics. After an interruption, the same command resumes.

    Example:
        graphcast statistics era5.zarr --time 1979-01-01/2015-12-31T18 \
            --output stats/
    """
    from data.sources import open_inputs
    from data.statistics import task_served, write_statistics
    from data.time_range import time_range
    from forecast_cli.arguments import task_named

    period = time_range(time)
    entries = open_inputs(data)
    chosen = task_served(entries[0]) if task is None else task_named(task)
    started = clock.perf_counter()
    with progress() as bar:
        frames = bar.add_task("statistics")
        counted = write_statistics(
            entries,
            period,
            chosen,
            output,
            source=data,
            test_period=test_period,
            force=force,
            overwrite=overwrite,
            report=lambda done, total: bar.update(frames, completed=done, total=total),
        )
    _report(output, chosen, counted, clock.perf_counter() - started)


def _report(output: Path, task: "Task", counted: "Counted", seconds: float) -> None:
    console.print(
        f"[bold]{output}[/]  mean, stddev and diffs_stddev of task {task.name}:"
        f" {len(task.variables)} variables, {len(task.levels)} levels, {counted.frames:,} frames,"
        f" {seconds:.1f} s"
    )
    if counted.stood:
        console.print(
            "  they were there already, made from the same source, times and task; nothing was read"
            " (--overwrite makes them again)"
        )
    console.print(f"  data sha256 {counted.sha256}")
    next_step("info", output)
