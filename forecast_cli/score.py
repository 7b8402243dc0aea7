"""`graphcast score`: a forecast and what came, scores and a report out."""

import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import xarray as xr
from rich.table import Table

import verification
from data.plausibility import check_values
from data.sources import open_truth
from data.variables import VARIABLES
from forecast_cli.terminal import console, progress
from verification.regions import HEADLINE_REGIONS, check_regions
from verification.scorecard import report_html
from verification.scorecard.labels import lead_label, number, short_label
from verification.scorecard.selection import (
    Row,
    has_persistence,
    headline_rows,
    shown_in,
    skill,
    table_leads,
    values,
)
from verification.scoring import TITLE

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
    r"""Score a forecast against analyses.

    The metrics are RMSE, MAE and bias, and ACC where a climatology is given.
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
    for target in filter(None, [output, report]):
        _check_target(target, overwrite, read)
    if report is not None and report.absolute() == output.absolute():
        raise ValueError(f"scores and report are two files, and both are to be {output}")
    names = verification.Protocol(regions, forecast, truth, climatology or "none given")
    with progress() as bar, open_forecast(forecast) as predicted:
        task = bar.add_task("scoring", total=None)
        observed = _one_truth(truth, predicted)
        check_units(observed, predicted)
        try:
            scores = verification.score(
                predicted,
                observed,
                names,
                climatology=None if climatology is None else _open(climatology),
                progress=lambda done, of: bar.update(task, completed=done, total=of),
            )
        except RuntimeError as error:  # of the codecs, where stored bytes are damaged
            raise ValueError(
                f"some values of {forecast} or {truth} could not be read ({error}); the file is "
                "damaged: make or fetch it again"
            ) from error
    write_scores(scores, output)
    if report is not None:
        _write_text(report_html(scores), report)
    _say(scores, output, report, time.perf_counter() - started)


def open_forecast(path: str) -> xr.Dataset:
    """A forecast, lazily.

    Raises:
        FileNotFoundError: there is none, or it is not complete yet.
    """
    partial = Path(path.rstrip("/") + ".partial")
    if not Path(path).exists() and partial.exists():
        raise FileNotFoundError(
            f"the forecast {path} is not complete yet ({partial} is its beginning); run the same "
            "`graphcast forecast` command again to finish it"
        )
    return _open(path)


def write_scores(scores: xr.Dataset, path: Path) -> None:
    """Write scores so that `path` exists only complete; an older file goes when the new is there.

    netCDF where the name ends in `.nc`, else Zarr (v2, as our forecasts).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    _remove(partial)
    if path.suffix == ".nc":
        scores.to_netcdf(partial)
    else:
        scores.to_zarr(partial, mode="w", zarr_format=2)
    _remove(path)
    partial.rename(path)


def _write_text(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _check_target(path: Path, overwrite: bool, read: set[str]) -> None:
    """Refuse, before computing, a target that is there or cannot be written, or that is read."""
    if re.match(r"\w[\w+.-]+:/", str(path)):  # a Path has only one of the slashes left
        raise ValueError(f"scores are written to a local path, not to {path}; copy them there")
    if path.absolute() in {Path(name).absolute() for name in read}:
        raise FileExistsError(f"{path} is read here, so it will not be replaced; choose another")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} is there already; choose another name or replace it (--overwrite)"
        )
    if path.is_dir() and not is_scores(path):
        raise FileExistsError(
            f"{path} is a folder and holds no scores, so it will not be replaced; choose another "
            "name or remove it yourself"
        )
    parent = next(place for place in path.absolute().parents if place.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise PermissionError(f"cannot write {path}: {parent} is no folder that can be written")


def is_scores(path: Path) -> bool:
    """Whether the path is a store of our scores."""
    attrs = path / ".zattrs"
    try:
        return attrs.is_file() and json.loads(attrs.read_text()).get("title") == TITLE
    except ValueError:  # whatever that is, it is not ours
        return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _open(path: str) -> xr.Dataset:
    """A Zarr store or netCDF file as it is, with lead times as durations."""
    remote = "://" in path
    if not remote and not Path(path).exists():
        raise FileNotFoundError(f"there is nothing at {path}")
    try:
        if path.endswith((".nc", ".nc4", ".netcdf")) or (not remote and Path(path).is_file()):
            opened: xr.Dataset = xr.open_dataset(
                path, engine="netcdf4", chunks={}, decode_timedelta=True
            )
        else:
            opened = xr.open_zarr(path, decode_timedelta=True)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"a Zarr store or a netCDF file must be whole, and {path} is none that can be read "
            f"({reason})"
        ) from error
    return opened


def _one_truth(path: str, forecast: xr.Dataset) -> xr.Dataset:
    """The truth; relative times count from the initial time of the forecast, if it has one."""
    starts = np.atleast_1d(forecast["time"].values) if "time" in forecast.coords else np.array([])
    one = starts.size == 1 and starts.dtype.kind == "M"
    entries = open_truth(path, init_time=starts[0] if one else None)
    if len(entries) != 1:
        raise ValueError(
            f"the truth must be one series of analyses, and {path} holds {len(entries)} batch "
            "entries or members; select one of them"
        )
    return entries[0]


def check_units(truth: xr.Dataset, forecast: xr.Dataset) -> None:
    """Raise ValueError if the truth cannot be in our units although the forecast can.

    By the first time that both have; a truth in °C has large errors in every forecast, and no more.
    """
    if "time" not in truth.dims or not {"time", "prediction_timedelta"} <= set(forecast.dims):
        return  # refused in its own words when the two are paired
    first = forecast.isel(time=0)
    valid = (first["time"] + first["prediction_timedelta"]).values
    both = np.flatnonzero(np.isin(valid, truth["time"].values))[:1]
    if not both.size:
        return
    predicted = first.isel(prediction_timedelta=both[0])
    observed = truth.isel(time=truth["time"].values == valid[both])
    for name in truth.data_vars:
        if name in VARIABLES and name in forecast and _plausible(predicted[name].load()):
            field = observed[name].load()
            if np.isfinite(field.values).all():  # gaps are refused with their place when scored
                check_values(field)


def _plausible(field: xr.DataArray) -> bool:
    try:
        check_values(field.isel(number=0) if "number" in field.dims else field)
    except ValueError:
        return False
    return True


def _say(scores: xr.Dataset, output: Path, report: Path | None, seconds: float) -> None:
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
        console.print(
            f"next: [cyan]xarray.open_zarr({str(output)!r})[/], or the same command with "
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
        ours = _numbers(scores, row, "forecast", region, leads)
        cells = [f"[{colour}]{text}[/]" for colour, text in zip(colours, ours, strict=True)]
        table.add_row(short_label(*row), shown_in(scores, row)[1], *cells)
        if has_persistence(scores):
            theirs = _numbers(scores, row, "persistence", region, leads)
            table.add_row("", "persistence", *theirs, style="dim")
    return table


def _numbers(
    scores: xr.Dataset, row: Row, source: str, region: str, leads: list[np.timedelta64]
) -> list[str]:
    """RMSE of the forecast or of persistence at some lead times, as text."""
    rmse = values(scores, row, "rmse", source, region).sel(prediction_timedelta=leads)
    return [number(float(value)) for value in rmse.values]


def _colours(scores: xr.Dataset, row: Row, region: str) -> xr.DataArray:
    """A terminal colour for each lead time."""
    if not has_persistence(scores):
        ours = values(scores, row, "rmse", "forecast", region)
        return xr.full_like(ours, "default", dtype="U7")
    better = skill(scores, row, region) > 0
    return xr.full_like(better, "red", dtype="U7").where(~better, "green")
