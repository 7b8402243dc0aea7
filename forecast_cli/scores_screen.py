"""Scores on the terminal: a table of RMSE by lead time, coloured against persistence."""

from pathlib import Path

import numpy as np
import xarray as xr
from rich.table import Table

from data.channels import Channel
from forecast_cli.terminal import console
from maps.labels import lead_label, number, short_label
from verification.scorecard.selection import (
    has_persistence,
    headline_rows,
    shown_in,
    skill,
    table_leads,
    values,
)

TABLE_LEADS = 6


def say_scores(scores: xr.Dataset, output: Path, report: Path | None, seconds: float) -> None:
    """Print the table of the first region, the notes, the files written and the next step."""
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
