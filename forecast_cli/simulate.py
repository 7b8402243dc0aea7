"""`graphcast simulate`: years of weather of a simulated planet, and forecasts of it to beat.

`data.planet` does the same from Python.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.choices import PLANET_LEVELS, PLANETS, either
from forecast_cli.terminal import console, progress, size

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from data.planet import BaselineSpec, PlanetSpec, Progress
    from mesh import LatLonGrid

DEFAULT_YEARS = 10.0
NATIVE = "native"


def simulate(  # noqa: PLR0913, PLR0917  the flags are a contract
    output: Annotated[Path, typer.Option(help="Zarr store to write or continue.")],
    years: Annotated[
        float | None,
        typer.Option(help=f"Years in all ({DEFAULT_YEARS:g}); a planet with fewer grows."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another history of weather.")] = 0,
    resolution: Annotated[
        str, typer.Option(help=f"Model of the planet: {either(PLANETS)}.")
    ] = "t31",
    grid: Annotated[
        str, typer.Option(help="Grid to write: native (Gaussian), degrees (5.0) or N32.")
    ] = NATIVE,
    levels: Annotated[str, typer.Option(help="Pressure levels to write, in hPa.")] = ",".join(
        map(str, PLANET_LEVELS)
    ),
    compare: Annotated[
        Path | None,
        typer.Option(help="Folder with ERA5's seasonal means (ecmean4) to compare with."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="With --compare: figure to draw (.png, .pdf, .svg).")
    ] = None,
    planet: Annotated[
        str | None,
        typer.Option("--from", help="A simulated planet to forecast; writes forecasts instead."),
    ] = None,
    init_times: Annotated[
        str | None,
        typer.Option(help="With --from: init times, as 2001-01-01/2001-02-01/12h."),
    ] = None,
    lead_time_text: Annotated[
        str, typer.Option("--lead-time", help="With --from: how far to forecast.")
    ] = "10d",
    model: Annotated[str, typer.Option(help="With --from: the model that forecasts.")] = "t21",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.")] = False,
) -> None:
    r"""Simulate a planet with ERA5's variables, units and conventions.

    It writes years of 6-hourly analyses.

    What it is: a general circulation model (jcm: SPEEDY physics, T31, 8 levels)
    that runs freely over the Earth's orography, land and climatological seas,
    with seasons, day and night, storms and rain. What it is not: ERA5 or any
    observation. There is no El Nino, no trend and nothing smaller than 400 km,
    and the weather of a date is not the Earth's on that date. Use it to train,
    forecast and score where ERA5 is not at hand; results hold for this planet.

    With --from, the command writes forecasts of such a planet by another, coarser
    model, which starts from the planet's analyses with a small error: the
    physical baseline, as HRES is for the Earth.

    After an interruption, the same command resumes and ends with the same bytes.
    Needs: pip install 'graphcast\[simulate]'.

    Example:
        graphcast simulate --years 10 --seed 0 --output planet.zarr
        graphcast simulate --from planet.zarr --model t21 \
            --init-times 2010-01-01/2010-12-20/12h --output baseline.zarr
    """
    from data.planet import BaselineSpec, PlanetSpec
    from data.regrid.levels import levels_named
    from forecast_cli.arguments import lead_time
    from graphcast.operations.cluster.runtime import prepare_to_compile

    prepare_to_compile()
    if planet is not None:
        if years is not None or compare is not None:
            raise ValueError(
                "--from forecasts a planet that exists, and --years and --compare are for making"
                " one; do one after the other"
            )
        if init_times is None:
            raise ValueError("forecasts need initial times: --init-times 2001-01-01/2001-02-01/12h")
        steps, baseline = lead_time(lead_time_text), BaselineSpec(model, seed)
        _forecast(planet, init_times, steps, output, baseline, overwrite)
        return
    if init_times is not None:
        raise ValueError("--init-times are for forecasts; name their planet with --from")
    if figure is not None and compare is None:
        raise ValueError("--figure draws a comparison; name the folder to compare with (--compare)")
    if years is not None or compare is None or not output.exists():
        spec = PlanetSpec(resolution, seed, levels_named(levels), _grid(grid))
        _simulate(spec, DEFAULT_YEARS if years is None else years, output, overwrite)
    if compare is not None:
        _compare(output, compare, figure or output.with_suffix(".png"))


def _simulate(spec: "PlanetSpec", years: float, output: Path, overwrite: bool) -> None:
    import xarray as xr

    from data import planet as library
    from data.planet.store import size_on_disk
    from data.stores.reading import whole
    from data.wording import hour, listed

    started = time.perf_counter()
    steps = 0
    with progress() as bar:
        task = bar.add_task("building the model", total=library.number_of_times(spec.start, years))

        def report(now: "Progress") -> None:
            nonlocal steps
            steps += 1
            _show(bar, task, now, steps / (time.perf_counter() - started))

        library.simulate(spec, years, output, overwrite=overwrite, report=report)
    seconds = time.perf_counter() - started
    with xr.open_zarr(whole(output)) as planet:
        first, last = (hour(t) for t in planet["time"].values[[0, -1]])
        console.print(f"[bold]{output}[/]  {size(size_on_disk(output))}, {seconds:.1f} s")
        console.print(f"  time       {first} to {last} UTC, {planet.sizes['time']} analyses")
        console.print(f"  grid       {planet.sizes['latitude']} × {planet.sizes['longitude']}")
        console.print(f"  levels     {listed(spec.levels, len(spec.levels))} hPa")
        console.print(f"  variables  {', '.join(str(name) for name in planet.data_vars)}")
        console.print(f"  source     {planet.attrs['source']}; not ERA5, no observations")
    if steps:
        console.print(f"  speed      {steps * _days_per_step() / seconds:.2g} simulated days a second")
    console.print(
        f"next: [cyan]graphcast statistics {output} --time {first}/{last} --output statistics/[/]"
    )


def _days_per_step() -> float:
    from data.task import STEP_HOURS

    return STEP_HOURS / 24


def _show(bar: "Bar", task: "TaskID", now: "Progress", steps_per_second: float) -> None:
    phase = "spinning up" if now.spinning_up else "simulating"
    pace = steps_per_second * _days_per_step()
    bar.update(
        task,
        completed=now.written,
        description=f"{phase} {str(now.time)[:10]}, {pace:.2g} days/s",
    )


def _forecast(
    planet: str, init_times: str, steps: int, output: Path, spec: "BaselineSpec", overwrite: bool
) -> None:
    from data import planet as library
    from data.planet.store import size_on_disk
    from data.sources import open_inputs
    from data.task import STEP
    from data.time_range import time_range
    from data.wording import hour, hours

    started = time.perf_counter()
    analyses = open_inputs(planet)[0]
    times = list(time_range(init_times).times)
    with progress() as bar:
        task = bar.add_task("forecasting", total=len(times))
        library.forecast_planet(
            analyses,
            times,
            steps,
            output,
            spec=spec,
            overwrite=overwrite,
            report=lambda done, _: bar.update(task, completed=done),
        )
    console.print(
        f"[bold]{output}[/]  {size(size_on_disk(output))}, {time.perf_counter() - started:.1f} s"
    )
    console.print(f"  init time  {len(times)} from {hour(times[0])} to {hour(times[-1])} UTC")
    console.print(f"  lead time  {hours(STEP):g} to {hours(steps * STEP):g} h")
    console.print(f"  model      {library.MODELS[spec.model].description}")
    console.print(
        f"next: [cyan]graphcast score --forecast {output} --truth {planet} --output scores.zarr[/]"
    )


def _compare(planet: Path, folder: Path, figure: Path) -> None:
    from rich.table import Table

    from data import planet as library
    from data.sources import open_inputs

    reference = library.read_seasonal_climate(folder)
    climate = library.seasonal_climate(open_inputs(str(planet))[0])
    table = Table("difference (RMS), or value", "planet", title=f"{planet} and {reference.name}")
    for name, value in library.climate_differences(climate, reference).items():
        table.add_row(name, f"{value:.2f}")
    console.print(table)
    library.draw_climates(climate, reference, figure)
    console.print(f"figure: [bold]{figure}[/]")


def _grid(text: str) -> "LatLonGrid | None":
    from data.sources.grids import grid_named

    return None if text.strip().casefold() == NATIVE else grid_named(text)
