"""`graphcast score`: forecasts, truths and baselines in, scores and a report out."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.choices import HEADLINE_METRICS, HEADLINE_REGIONS, PROTOCOLS, TESTS, Force, either
from forecast_cli.terminal import progress

if TYPE_CHECKING:
    from verification.results import Results
    from verification.run import Request


def score(  # noqa: PLR0913, PLR0917  one parameter for each flag
    forecast: Annotated[
        list[str],
        typer.Option(help="A.zarr, or NAME=A.zarr (or a file or URL); may be repeated."),
    ],
    truth: Annotated[
        list[str],
        typer.Option(
            help="File, Zarr store, folder, pattern ('era5/*.grib') or URL with analyses at the "
            "valid times, and at the initial times for the comparison with persistence; given "
            "several times, all are read as one."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Scores to write: .zarr, or .nc for netCDF.")],
    truth_for: Annotated[
        list[str] | None,
        typer.Option(help="NAME=OTHER.zarr: another truth for one forecast, as its own analyses."),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            help="persistence, climatology or none; may be repeated. [default: persistence]"
        ),
    ] = None,
    climatology: Annotated[
        str | None,
        typer.Option(
            help="Zarr store or netCDF file with climatological means (constant, or by dayofyear, "
            "or by dayofyear and hour), as `graphcast climatology` makes."
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="What the others are compared with. [default: the second forecast, or persistence]"
        ),
    ] = None,
    protocol: Annotated[str, typer.Option(help=f"{either(PROTOCOLS)}.")] = "own",
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Metrics, with commas between, as rmse,acc,crps or brier@280 (a name that is not "
            f"known lists them). [default: the protocol's; of own {','.join(HEADLINE_METRICS)}]"
        ),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            help="Regions, with commas between; also lat:20:40, box:35:75:-12.5:42.5, europe@land. "
            f"[default: the protocol's; of own {','.join(HEADLINE_REGIONS)}]"
        ),
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="One region of those; may be repeated.")
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option(help="Variables, with commas between; also derived ones, as wind_speed."),
    ] = None,
    levels: Annotated[str | None, typer.Option(help="Levels (hPa), as 500,850.")] = None,
    times: Annotated[
        str | None, typer.Option("--time", help="Initial times, as 2020-01-01/2020-12-31.")
    ] = None,
    lead_times: Annotated[
        str | None, typer.Option(help="Lead times, as 24h,72h or 1d,3d,10d.")
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(help=f"{either((*TESTS, 'none'))}; may be repeated. [default: ar2]"),
    ] = None,
    missing: Annotated[
        str, typer.Option(help="Points without a value: refuse, or count (left out and reported).")
    ] = "refuse",
    scheduler: Annotated[
        str,
        typer.Option(help="threads, processes, or the address of a dask cluster (tcp://…)."),
    ] = "threads",
    json: Annotated[Path | None, typer.Option(help="Also write all numbers as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the scores as CSV.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write a report for people, one HTML file.")
    ] = None,
    panels: Annotated[
        Path | None, typer.Option(help="Folder for the report's panels as PNG and PDF.")
    ] = None,
    force: Force = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing scores and report.")
    ] = False,
) -> None:
    r"""Score forecasts against analyses.

    Each forecast and baseline is scored at every initial time; the same command
    with a longer --time adds to the scores that are there. What cannot be scored
    (a valid time, variable or level that the truth lacks) is named. Differences
    from the reference are tested for significance. The input doctor examines
    the truth first.

    Example:
        graphcast score --forecast forecast.zarr --truth analyses.grib \
            --output scores.zarr --report report.html
    """
    started = time.perf_counter()
    from forecast_cli.score_flags import request_of, split
    from forecast_cli.scores_screen import say_scores
    from verification.scorecard import write_panels
    from verification.writing import check_targets

    named = [*split(regions), *(region or ())]
    request = request_of(
        forecast,
        truth,
        truth_for or [],
        climatology,
        baselines=baseline or ["persistence"],
        reference=reference,
        protocol=protocol,
        metrics=split(metrics),
        regions=named,
        variables=split(variables),
        levels=split(levels),
        times=times,
        lead_times=split(lead_times),
        tests=test or ["ar2"],
        missing=missing,
    )
    read = {*request.forecasts.values(), *truth, *request.truths.values()}
    read |= {climatology} if climatology else set()
    check_targets(output, report, json=json, csv=csv, overwrite=overwrite, read=read, extends=True)
    written = {"scores": output, "report": report, "json": json, "csv": csv}
    results, stood = _run(replace(request, force=force), written, scheduler, overwrite=overwrite)
    if panels is not None:
        write_panels(results, panels)
    seconds = time.perf_counter() - started
    say_scores(results, written | {"panels": panels}, seconds, stood=stood)


def _run(
    request: "Request", written: dict[str, Path | None], scheduler: str, *, overwrite: bool
) -> tuple["Results", bool]:
    """Score, and write everything; the store of scores gets its name last.

    Returns:
        The results, and whether the store had them already.
    """
    import os

    from verification.run import results_of, score_forecasts
    from verification.scorecard import error_pictures
    from verification.scores_store import ScoresStore
    from verification.writing import texts_of, write_beside, write_netcdf

    if scheduler not in ("threads", "processes") and "://" not in scheduler:
        raise ValueError(
            f"--scheduler is threads, processes or an address as tcp://host:8786, not {scheduler!r}"
        )
    output = written["scores"]
    assert output is not None
    in_store = output.suffix != ".nc"
    with ScoresStore(output, overwrite=overwrite) as store, progress() as bar:
        task = bar.add_task("scoring", total=None)
        scored = score_forecasts(
            request,
            store=store if in_store else None,
            processes=(os.cpu_count() or 1) if scheduler == "processes" else 1,
            scheduler=scheduler if "://" in scheduler else None,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        results = results_of(scored, request)
        maps = error_pictures(scored.entrants[0].alignment) if written["report"] else []
        beside = {k: p for k, p in written.items() if k != "scores"}
        write_beside(texts_of(results, pictures=maps, **beside))
        if in_store:
            store.finish(scored.datasets())
        else:
            write_netcdf(scored.datasets(), output)
        return results, store.stands
