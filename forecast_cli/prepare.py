"""`graphcast prepare`: analyses from anywhere in, a training dataset out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from forecast_cli.choices import REGRIDDING, SERIES, TASK_FILE, TASKS, Force, either
from forecast_cli.terminal import console, next_step, progress, size

if TYPE_CHECKING:
    from data.preparation import Prepared


def prepare(  # noqa: PLR0913, PLR0917  the flags are a contract
    source: Annotated[
        str,
        typer.Option(
            help=f"{', '.join(SERIES)} (NAME@ADDRESS for a mirror), a URL of a Zarr store, or a "
            "file or folder of GRIB, netCDF or Zarr."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Zarr store to write, or to add times to.")],
    time_text: Annotated[
        str | None,
        typer.Option("--time", help="2018-01-01/2018-12-31T18/6h (UTC); without it, all times."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help=f"Task that names the variables and levels: {', '.join(TASKS)}, or {TASK_FILE}; "
            "without one, all that the source has."
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(help="1.0, 0.25, N48 or a file on that grid; without it, the source's."),
    ] = None,
    regrid: Annotated[str, typer.Option(help=f"How: {either(REGRIDDING)}.")] = "conservative",
    levels: Annotated[
        str | None, typer.Option(help="13, 37 or hPa with commas; else the task's or the source's.")
    ] = None,
    interpolate_levels: Annotated[
        bool, typer.Option("--interpolate-levels", help="Interpolate levels that the source lacks.")
    ] = False,
    statics: Annotated[
        list[str] | None,
        typer.Option(
            help="File with surface geopotential and land-sea mask; may be given several times."
        ),
    ] = None,
    repeat_single_time: Annotated[
        bool,
        typer.Option(
            "--repeat-single-time",
            help="Let the only time of the source stand at t - 6 h, too; recorded in the dataset.",
        ),
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes that read and write.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a dask cluster (tcp://…), in place of --workers.")
    ] = None,
    force: Force = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing dataset.")
    ] = False,
) -> None:
    r"""Make a training dataset, checked and CF-conforming.

    Each variable and time is one chunk. Every field is checked for gaps and
    wrong units before it is written.

    Killed or interrupted, the same command resumes; with a longer --time it
    adds the new times.

    Example:
        graphcast prepare --source weatherbench2-era5 \
            --time 2018-01-01/2018-12-31T18/6h --task graphcast_small \
            --grid 1.0 --output era5_2018.zarr --workers 4
    """
    started = time.perf_counter()
    from data.preparation import Recipe
    from data.preparation import prepare as prepare_dataset
    from data.regrid.levels import levels_named
    from data.stores.workers import Fleet
    from data.time_range import time_range
    from forecast_cli.arguments import task_named

    recipe = Recipe(
        source=source,
        levels=None if levels is None else levels_named(levels),
        interpolate_levels=interpolate_levels,
        grid=grid,
        method=regrid,
        statics=tuple(statics or ()),
        repeat_single=repeat_single_time,
    )
    fleet = Fleet(workers, scheduler)
    times = None if time_text is None else time_range(time_text).times
    with progress() as bar:
        row = bar.add_task("opening the source", total=None)

        def show(done: int, total: int) -> None:
            bar.update(row, description="preparing", completed=done, total=total)

        result = prepare_dataset(
            recipe,
            output,
            times=times,
            task=None if task is None else task_named(task),
            force=force,
            overwrite=overwrite,
            fleet=fleet,
            report=show,
        )
    _report(result, output, time.perf_counter() - started)


def _report(result: "Prepared", output: Path, seconds: float) -> None:
    import numpy as np

    from data.task import STEP

    header, times, stored = result.header, result.times, result.stored_bytes
    raw = header.time_bytes * times.size
    first, last = (str(t.astype("datetime64[h]")) for t in (times[0], times[-1]))
    console.print(
        f"[bold]{output}[/]  {times.size} times from {first} to {last}, "
        f"{len(header.latitude)} × {len(header.longitude)}, {len(header.variables)} variables, "
        f"{len(header.levels)} levels, {size(stored)}"
    )
    rate = header.time_bytes * result.written / seconds if seconds else 0.0
    this_run = (
        f"{result.written} of them in this run, {seconds:.1f} s, {size(rate)}/s"
        if result.written
        else "all of them were there, made the same way (--overwrite makes them again)"
    )
    console.print(f"  {this_run}; compressed to {100 * stored / raw:.0f} % of {size(raw)}")
    if result.examination is not None:
        console.print(f"  {result.examination}")
    if header.simulated_by:
        console.print(f"  simulated by {header.simulated_by}: no observation, not ERA5")
    if header.comment:
        console.print(f"  [yellow]{header.comment}[/]")
    for remark in header.remarks.splitlines():
        console.print(f"  [yellow]{escape(remark)}[/]")
    if missing := result.lacking_statics:
        console.print(f"  without {' and '.join(missing)}: GraphCast's tasks need them (--statics)")
    six_hourly = bool((np.diff(times) == STEP).all())
    if times.size > 2 and six_hourly:  # of which statistics can be made
        next_step("statistics", output, "--time", f"{first}/{last}", "--output", "statistics")
    else:
        next_step("info", output)
