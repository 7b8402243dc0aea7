"""`graphcast score`: a forecast and a truth in, scores and a report out."""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import xarray as xr
from rich.table import Table

from data.channels import Channel
from forecast_cli.terminal import console, progress
from verification.files import check_targets, score_files, write_scores
from verification.regions import HEADLINE_REGIONS, check_regions
from verification.scorecard.labels import lead_label, number, short_label
from verification.scorecard.selection import (
    has_persistence,
    headline_rows,
    shown_in,
    skill,
    table_leads,
    values,
)

TABLE_LEADS = 6


def score(
    forecast: Annotated[str, typer.Option(help="Forecast: Zarr store, URL or netCDF file.")],
    truth: Annotated[
        str,
        typer.Option(
            help="File, Zarr store or URL with analyses at the valid times, and at the initial "
            "times for the comparison with persistence."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Scores to write: .zarr, or .nc for netCDF.")],
    report: Annotated[
        Path | None, typer.Option(help="Also write a report for people, one HTML file.")
    ] = None,
    climatology: Annotated[
        str | None,
        typer.Option(
            help="Zarr store or netCDF file with climatological means (constant, or by dayofyear, "
            "or by dayofyear and hour), for the anomaly correlation."
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Region to score; may be given several times. "
            f"[default: {', '.join(HEADLINE_REGIONS)}]"
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing scores and report.")
    ] = False,
) -> None:
    r"""Score a forecast against analyses: RMSE, MAE, bias, and ACC where a
    climatology is given.

    Everything is weighted by area and compared with persistence. What cannot be
    scored (a valid time, variable or level that the truth lacks) is named;
    missing values are refused.

    Example:
        graphcast score --forecast forecast.zarr --truth analyses.grib \
            --output scores.zarr --report report.html
    """
    started = time.perf_counter()
    regions = tuple(region or HEADLINE_REGIONS)
    check_regions(regions)
    read = {forecast, truth, *filter(None, [climatology])}
    check_targets(output, report, overwrite=overwrite, read=read)
    with progress() as bar:
        task = bar.add_task("scoring", total=None)
        scores = score_files(
            forecast,
            truth,
            climatology=climatology,
            regions=regions,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    write_scores(scores, output, report=report, overwrite=overwrite)
    _report(scores, output, report, time.perf_counter() - started)


def _report(scores: xr.Dataset, output: Path, report: Path | None, seconds: float) -> None:
    region = str(scores["region"].values[0])
    console.print(_table(scores, region))
    for note in filter(None, scores.attrs["notes"].split("\n")):
        console.print(f"  note    {note}", markup=False)
    console.print(f"  truth   {scores.attrs['truth']}", markup=False)
    console.print(f"  scores  {output}  ({seconds:.1f} s)", markup=False)
    if report is not None:
        console.print(f"  report  {report}", markup=False)
        console.print(f"next: open [cyan]{report}[/] in a browser")
    else:
        opener = "open_dataset" if output.suffix == ".nc" else "open_zarr"
        console.print(
            f"next: [cyan]xarray.{opener}({str(output)!r})[/], or the same command with "
            "[cyan]--report report.html --overwrite[/] for tables and curves"
        )


def _table(scores: xr.Dataset, region: str) -> Table:
    count = scores.attrs["initial_time_count"]
    plural = f"{count} initial times" if count > 1 else f"from {scores.attrs['initial_times']} UTC"
    better = " (green: smaller than that of persistence)" * has_persistence(scores)
    table = Table(title=f"RMSE, {region}, {plural}{better}", box=None, title_justify="left")
    leads = table_leads(list(scores["prediction_timedelta"].values), TABLE_LEADS)
    table.add_column("")
    table.add_column("units", style="dim")
    for lead in leads:
        table.add_column(lead_label(lead), justify="right")
    for row in headline_rows(scores):
        colours = _colours(scores, row, region).sel(prediction_timedelta=leads).values
        errors = _numbers(scores, row, "forecast", region, leads)
        cells = [f"[{colour}]{text}[/]" for colour, text in zip(colours, errors, strict=True)]
        table.add_row(short_label(*row), shown_in(scores, row)[1], *cells)
        if has_persistence(scores):
            baseline = _numbers(scores, row, "persistence", region, leads)
            table.add_row("", "persistence", *baseline, style="dim")
    return table


def _numbers(
    scores: xr.Dataset, row: Channel, source: str, region: str, leads: list[np.timedelta64]
) -> list[str]:
    """RMSE of the forecast or of persistence at some lead times, as text."""
    rmse = values(scores, row, "rmse", source, region).sel(prediction_timedelta=leads)
    return [number(float(value)) for value in rmse.values]


def _colours(scores: xr.Dataset, row: Channel, region: str) -> xr.DataArray:
    """A terminal colour for each lead time."""
    if not has_persistence(scores):
        errors = values(scores, row, "rmse", "forecast", region)
        return xr.full_like(errors, "default", dtype="U7")
    better = skill(scores, row, region) > 0
    return xr.full_like(better, "red", dtype="U7").where(~better, "green")
