"""`graphcast climatology`: analyses in, the mean by day of year and hour out."""

import time
from pathlib import Path
from typing import Annotated

import typer

from forecast_cli.terminal import console, progress


def climatology(
    data: Annotated[str, typer.Argument(help="Analyses: file, Zarr store, URL or series.")],
    times: Annotated[
        str, typer.Option("--time", help="Period, as 1990-01-01/2019-12-31; every analysis in it.")
    ],
    output: Annotated[Path, typer.Option(help="Zarr store to write.")],
    quantiles: Annotated[
        str | None, typer.Option(help="Also these quantiles, as 0.02,0.98 (for extremes).")
    ] = None,
    window: Annotated[int, typer.Option(help="Days of the smoothing window, an odd number.")] = 61,
    variables: Annotated[
        str | None, typer.Option(help="Only these variables, with commas between.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier climatology.")
    ] = False,
) -> None:
    r"""Make a climatology: the mean by day of the year and hour.

    For anomaly correlation, SEEPS and the climatology as a baseline. Each day is
    a weighted mean over the days around it, of all years. The same command goes
    on where an interrupted one stopped.

    Example:
        graphcast climatology era5.zarr --time 1990-01-01/2019-12-31 \
            --output climatology.zarr
    """
    started = time.perf_counter()
    from data import sources
    from data.stores.endings import check_store_ending
    from data.time_range import time_range
    from verification.seasons import Seasons, climatology_of

    chosen = [name.strip() for name in (variables or "").split(",") if name.strip()]
    seasons = Seasons(window, _numbers(quantiles))
    check_store_ending(output, "climatology")
    period = time_range(times)
    entries = sources.open_truth(data, init_time=None)
    if len(entries) != 1:
        raise ValueError(
            f"a climatology is made of one series of analyses, and {data} holds {len(entries)} "
            "batch entries or members; select one of them"
        )
    with progress() as bar:
        task = bar.add_task("averaging", total=None)
        path = climatology_of(
            entries[0],
            period,
            output,
            seasons,
            variables=chosen or None,
            overwrite=overwrite,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    console.print(f"[bold]{path}[/]  ({time.perf_counter() - started:.1f} s)")
    console.print(f"  period  {period}", markup=False)
    console.print(f"  window  {window} days, weights falling linearly", markup=False)
    console.print(
        f"next: [cyan]graphcast score --forecast FORECAST --truth {data} --climatology {path} "
        "--output scores.zarr[/]"
    )


def _numbers(text: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in (text or "").split(",") if part.strip())
    except ValueError:
        raise ValueError(f"--quantiles reads numbers, as 0.02,0.98, and not {text!r}") from None
