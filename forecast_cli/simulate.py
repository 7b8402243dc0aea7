"""`graphcast simulate`: years of weather of a simulated planet, and forecasts of it to beat."""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import xarray as xr
from rich.progress import Progress as Bar
from rich.table import Table

from data.planet import (
    MODELS,
    BaselineSpec,
    PlanetSpec,
    Progress,
    climate_of,
    differences,
    draw,
    forecast_planet,
    number_of_times,
    read_climate,
)
from data.planet import (
    simulate as simulate_planet,
)
from data.planet.analysis import HIGHEST_LEVEL, LEVELS, LOWEST_LEVEL
from data.planet.store import size_on_disk
from data.regrid.levels import levels_named
from data.sources import open_inputs
from data.sources.grids import grid_named
from data.time_range import time_range
from forecast_cli.arguments import lead_time
from forecast_cli.terminal import console, progress, size
from graphcast.operations.cluster.runtime import prepare_to_compile
from mesh.grid import LatLonGrid

DEFAULT_YEARS = 10.0
NATIVE = "native"


def simulate(  # noqa: PLR0913, PLR0917  the flags are a contract
    output: Annotated[Path, typer.Option(help="Zarr store to write, or to go on with.")],
    years: Annotated[
        float | None,
        typer.Option(help=f"How many years in all ({DEFAULT_YEARS:g}); more than it has: append."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another history of weather.")] = 0,
    resolution: Annotated[
        str, typer.Option(help=f"Model that makes the planet: {', '.join(MODELS)}.")
    ] = "t31",
    grid: Annotated[
        str, typer.Option(help="Grid to write: native (Gaussian), degrees (5.0) or N32.")
    ] = NATIVE,
    levels: Annotated[str, typer.Option(help="Pressure levels to write, in hPa.")] = ",".join(
        map(str, LEVELS)
    ),
    compare: Annotated[
        Path | None,
        typer.Option(help="Folder with ERA5's seasons (ecmean4) to compare the climate with."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="With --compare: the picture (.png, .pdf, .svg) to draw.")
    ] = None,
    planet: Annotated[
        str | None,
        typer.Option("--from", help="A simulated planet: write a model's forecasts of it instead."),
    ] = None,
    init_times: Annotated[
        str | None,
        typer.Option(help="With --from: initial times, as 2001-01-01/2001-02-01/12h."),
    ] = None,
    lead_time_text: Annotated[
        str, typer.Option("--lead-time", help="With --from: how far to forecast.")
    ] = "10d",
    model: Annotated[
        str, typer.Option(help="With --from: the model that forecasts, not quite the planet's.")
    ] = "t21",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.")] = False,
) -> None:
    r"""Simulate a planet: years of analyses in ERA5's conventions.

    What it is: a general circulation model (jcm: SPEEDY physics, T31, 8 levels)
    that runs freely over the Earth's orography, land and climatological seas,
    with seasons, day and night, storms and rain. What it is not: ERA5 or any
    observation. There is no El Nino, no trend, nothing smaller than some 400
    km, and the weather of a date is not the Earth's on that date. Use it to
    train, forecast and score where ERA5 is not at hand; results hold for this
    planet.

    With --from it writes forecasts of such a planet by another, coarser model
    that starts from the planet's analyses with a small error: the physical
    baseline, as HRES is for the Earth.

    Killed or interrupted, the same command goes on where it stopped and ends
    with the same bytes. Needs: pip install 'graphcast\[simulate]'.

    Example:
        graphcast simulate --years 10 --seed 0 --output planet.zarr
        graphcast simulate --from planet.zarr --model t21 \
            --init-times 2010-01-01/2010-12-20/12h --output baseline.zarr
    """
    prepare_to_compile()
    if planet is not None:
        if years is not None or compare is not None:
            raise ValueError(
                "--from writes forecasts of a planet that is there, and --years and --compare are"
                " about making one; do one after the other"
            )
        _forecast(planet, init_times, lead_time(lead_time_text), output, model, seed, overwrite)
        return
    if init_times is not None:
        raise ValueError("--init-times are those of forecasts; name their planet with --from")
    if figure is not None and compare is None:
        raise ValueError("--figure draws a comparison; name the folder to compare with (--compare)")
    if years is not None or compare is None or not output.exists():
        spec = PlanetSpec(resolution, seed, _levels(levels), _grid(grid))
        _simulate(spec, DEFAULT_YEARS if years is None else years, output, overwrite)
    if compare is not None:
        _compare(output, compare, figure or output.with_suffix(".png"))


def _simulate(spec: PlanetSpec, years: float, output: Path, overwrite: bool) -> None:
    started = time.perf_counter()
    steps = 0
    with progress() as bar:
        task = bar.add_task("building the model", total=number_of_times(spec.start, years))

        def report(now: Progress) -> None:
            nonlocal steps
            steps += 1
            _show(bar, task, now, steps / (time.perf_counter() - started))

        simulate_planet(spec, years, output, overwrite=overwrite, report=report)
    seconds = time.perf_counter() - started
    with xr.open_zarr(output) as made:
        first, last = (str(t)[:13] for t in made["time"].values[[0, -1]])
        console.print(f"[bold]{output}[/]  {size(size_on_disk(output))}, {seconds:.1f} s")
        console.print(f"  time       {first} to {last} UTC, {made.sizes['time']} analyses")
        console.print(f"  grid       {made.sizes['latitude']} × {made.sizes['longitude']}")
        console.print(f"  levels     {', '.join(map(str, spec.levels))} hPa")
        console.print(f"  variables  {', '.join(str(name) for name in made.data_vars)}")
        console.print(f"  source     {made.attrs['source']}; not ERA5, no observations")
    if steps:
        console.print(f"  speed      {steps / 4 / seconds:.2g} simulated days a second")
    console.print(
        f"next: [cyan]graphcast statistics {output} --time {first}/{last} --output statistics/[/]"
    )


def _show(bar: Bar, task: object, now: Progress, steps_per_second: float) -> None:
    what = "spinning up" if now.spinning_up else "simulating"
    pace = steps_per_second / 4
    bar.update(
        task,  # type: ignore[arg-type]  # rich's TaskID
        completed=now.written,
        description=f"{what} {str(now.time)[:10]}, {pace:.2g} days/s",
    )


def _forecast(
    planet: str,
    init_times: str | None,
    steps: int,
    output: Path,
    model: str,
    seed: int,
    overwrite: bool,
) -> None:
    if init_times is None:
        raise ValueError("forecasts need initial times: --init-times 2001-01-01/2001-02-01/12h")
    started = time.perf_counter()
    analyses = open_inputs(planet)[0]
    times = [np.datetime64(t, "ns") for t in time_range(init_times).times]
    with progress() as bar:
        task = bar.add_task("forecasting", total=len(times))
        forecast_planet(
            analyses,
            times,
            steps,
            output,
            spec=BaselineSpec(model, seed),
            overwrite=overwrite,
            report=lambda done, _: bar.update(task, completed=done),
        )
    console.print(
        f"[bold]{output}[/]  {size(size_on_disk(output))}, {time.perf_counter() - started:.1f} s"
    )
    console.print(
        f"  init time  {len(times)} from {str(times[0])[:13]} to {str(times[-1])[:13]} UTC"
    )
    console.print(f"  lead time  6 to {6 * steps} h")
    console.print(f"  model      {MODELS[model].description}")
    console.print(
        f"next: [cyan]graphcast score --forecast {output} --truth {planet} --output scores.zarr[/]"
    )


def _compare(planet: Path, folder: Path, figure: Path) -> None:
    reference = read_climate(folder)
    ours = climate_of(open_inputs(str(planet))[0])
    table = Table("difference (RMS), or value", "planet", title=f"{planet} and {reference.name}")
    for name, value in differences(ours, reference).items():
        table.add_row(name, f"{value:.2f}")
    console.print(table)
    draw(ours, reference, figure)
    console.print(f"figure: [bold]{figure}[/]")


def _levels(text: str) -> tuple[int, ...]:
    levels = levels_named(text)
    outside = [level for level in levels if not HIGHEST_LEVEL <= level <= LOWEST_LEVEL]
    if outside:
        raise ValueError(
            f"the planet's model reaches from {HIGHEST_LEVEL} to {LOWEST_LEVEL} hPa, and"
            f" {', '.join(map(str, outside))} hPa lie outside; leave them out"
        )
    return levels


def _grid(text: str) -> LatLonGrid | None:
    return None if text.strip().casefold() == NATIVE else grid_named(text)
