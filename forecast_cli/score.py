"""`graphcast score`: a forecast and a truth in, scores and a report out."""

import time
from pathlib import Path
from typing import Annotated

import typer

from forecast_cli.choices import HEADLINE_REGIONS, REGIONS, Force
from forecast_cli.terminal import progress


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
            help=f"Region to score, of {', '.join(REGIONS)}; may be given several times. "
            f"[default: {', '.join(HEADLINE_REGIONS)}]"
        ),
    ] = None,
    force: Force = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing scores and report.")
    ] = False,
) -> None:
    r"""Score a forecast against analyses.

    The metrics are RMSE, MAE and bias, and ACC where a climatology is given.
    Everything is weighted by area and compared with persistence. What cannot be
    scored (a valid time, variable or level that the truth lacks) is named;
    missing values are refused. The input doctor examines the truth first.

    Example:
        graphcast score --forecast forecast.zarr --truth analyses.grib \
            --output scores.zarr --report report.html
    """
    started = time.perf_counter()
    from forecast_cli.scores_screen import say_scores
    from verification.files import score_files
    from verification.regions import check_regions
    from verification.writing import check_targets, write_scores

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
            force=force,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    write_scores(scores, output, report=report, overwrite=overwrite)
    say_scores(scores, output, report, time.perf_counter() - started)
