"""`graphcast simulate`: years of weather of a simulated planet, and forecasts of it to beat.

`data.planet` does the same from Python.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.choices import PLANET_LEVELS, PLANETS, either

if TYPE_CHECKING:
    from mesh import LatLonGrid

DEFAULT_YEARS = 10.0
NATIVE = "native"


def simulate(  # noqa: PLR0913, PLR0917  the flags are a contract
    output: Annotated[Path, typer.Option(help="Zarr store to write or continue.")],
    years: Annotated[
        float | None,
        typer.Option(help=f"Years in all ({DEFAULT_YEARS:g}); a planet with fewer grows."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="Days in all, or in addition to --years.")
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
        graphcast simulate --days 20 --resolution t21 --output small.zarr
        graphcast simulate --from planet.zarr --model t21 \
            --init-times 2010-01-01/2010-12-20/12h --output baseline.zarr
    """
    from data.planet import BaselineSpec, PlanetSpec
    from data.regrid.levels import levels_named
    from forecast_cli import planet_screen
    from forecast_cli.arguments import lead_time
    from graphcast.operations.cluster.runtime import prepare_to_compile

    prepare_to_compile()
    if planet is not None:
        if (years, days, compare) != (None, None, None):
            raise ValueError(
                "--from forecasts a planet that exists, and --years, --days and --compare are for"
                " making one; do one after the other"
            )
        if init_times is None:
            raise ValueError("forecasts need initial times: --init-times 2001-01-01/2001-02-01/12h")
        steps, baseline = lead_time(lead_time_text), BaselineSpec(model, seed)
        planet_screen.forecast(planet, init_times, steps, output, baseline, overwrite)
        return
    if init_times is not None:
        raise ValueError("--init-times are for forecasts; name their planet with --from")
    if figure is not None and compare is None:
        raise ValueError("--figure draws a comparison; name the folder to compare with (--compare)")
    if (years, days) != (None, None) or compare is None or not output.exists():
        spec = PlanetSpec(resolution, seed, levels_named(levels), _grid(grid))
        length = (DEFAULT_YEARS, 0) if (years, days) == (None, None) else (years or 0, days or 0)
        planet_screen.simulate(spec, length, output, overwrite)
    if compare is not None:
        planet_screen.compare(output, compare, figure or output.with_suffix(".png"))


def _grid(text: str) -> "LatLonGrid | None":
    from data.sources.grids import grid_named

    return None if text.strip().casefold() == NATIVE else grid_named(text)
