"""`graphcast plot`: maps of a forecast, as a picture or an animation."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.choices import REGIONS
from forecast_cli.terminal import console, next_step, progress, size

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from data.channels import Channel
    from data.maps.pictures import Scene
    from data.maps.projection import Extent

PICTURES = (".png", ".pdf", ".svg")
ANIMATIONS = (".gif", ".mp4")
SHEET = 6  # maps where no lead times are asked for


def plot(  # noqa: PLR0913, PLR0917  the flags are a contract
    forecast: Annotated[str, typer.Argument(help="Forecast: Zarr store, URL or netCDF file.")],
    variable: Annotated[
        str, typer.Option(help="What to draw: z500, t850, 2t, msl, or temperature850.")
    ],
    region: Annotated[
        str,
        typer.Option(
            help=f"A region of the scores ({', '.join(REGIONS)}), or its edges as "
            "north/west/south/east in degrees."
        ),
    ] = "global",
    lead_time: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Lead time to draw, as 24h or 3d; may be given several times. If not given: "
            f"{SHEET} of the forecast's, or all of them with --animate."
        ),
    ] = None,
    init_time: Annotated[
        str | None, typer.Option(help="Init time (2024-06-03T18); the first, if not given.")
    ] = None,
    member: Annotated[
        int | None, typer.Option(help="Member of an ensemble; the first, if not given.")
    ] = None,
    animate: Annotated[
        bool, typer.Option("--animate", help="One frame for each lead time, in a GIF.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Picture to write: .png, .pdf, .svg; .gif or .mp4 with --animate. If not given: "
            "FORECAST-VARIABLE.png or .gif in this folder."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing picture.")
    ] = False,
) -> None:
    """Draw maps of a forecast, with coastlines.

    Units and contours are those of the trade: geopotential height in dam,
    pressure in hPa, temperature in °C, rain in mm. Maps on one sheet share
    their colours.

    Example:
        graphcast plot forecast.zarr --variable z500 --lead-time 24h
        graphcast plot forecast.zarr --variable 2t --region europe --animate
    """
    from data.maps.fields import channel_named
    from data.time_range import moment
    from forecast_cli.arguments import duration
    from verification.files import open_forecast

    extent = extent_of(region)
    leads = [duration(text) for text in lead_time or ()]
    start = None if init_time is None else moment(init_time)
    with open_forecast(forecast) as dataset:
        channel = channel_named(variable, dataset)
        target = output or _default(forecast, channel, animate=animate)
        _check(target, animate=animate, overwrite=overwrite)
        scene = _scene(dataset, channel, leads, extent, start, member, animate=animate)
        _draw(dataset, scene, target, animate=animate)
    count, noun = len(scene.leads), "frame" if animate else "map"
    what = f"{count} {noun}{'s' * (count > 1)} of {channel}"
    console.print(f"[bold]{target}[/]  {size(target.stat().st_size)}, {what}, {region}")
    next_step(*_next(forecast, variable, region, animate=animate))


def extent_of(text: str) -> "Extent":
    """A region's name, or its edges in ECMWF's order, north/west/south/east.

    Raises:
        ValueError: the text is neither.
    """
    from data.maps.projection import Extent
    from verification.regions import REGIONS as BOXES
    from verification.regions import check_regions

    if "/" in text:
        try:
            north, west, south, east = (float(edge) for edge in text.split("/"))
        except ValueError as error:
            raise ValueError(
                f"`region` is a name or four numbers, as 75/-12.5/35/42.5, not {text!r}"
            ) from error
        return Extent(south, north, west, east if east > west else east + 360)
    check_regions([text])
    box = BOXES[text]
    if box.east - box.west == 360:  # drawn about Greenwich
        return Extent(float(box.south), float(box.north))
    return Extent(*map(float, (box.south, box.north, box.west, box.east)))


def _scene(
    dataset: "xr.Dataset",
    channel: "Channel",
    leads: list["np.timedelta64"],
    extent: "Extent",
    start: "np.datetime64 | None",
    member: int | None,
    *,
    animate: bool,
) -> "Scene":
    from data.maps.fields import chosen
    from data.maps.pictures import Scene, spread

    field, _ = chosen(dataset, channel, start, member)
    there = list(field["prediction_timedelta"].values)
    asked = leads or (there if animate else spread(there))
    return Scene(channel, tuple(asked), extent, start, member)


def _draw(dataset: "xr.Dataset", scene: "Scene", target: Path, *, animate: bool) -> None:
    from data.maps.pictures import animated, forecast_maps
    from data.stores.files import written_whole

    target.parent.mkdir(parents=True, exist_ok=True)
    with progress() as bar:
        row = bar.add_task("drawing", total=len(scene.leads))
        if animate:
            animated(
                dataset, scene, target, report=lambda done, total: bar.update(row, completed=done)
            )
            return
        figure = forecast_maps(dataset, scene)
        with written_whole(target) as temporary:
            figure.savefig(temporary, format=target.suffix[1:].lower())


def _default(forecast: str, channel: "Channel", *, animate: bool) -> Path:
    """The forecast's name and the variable's, in this folder."""
    from data.maps.labels import short_label

    name = re.sub(r"[^\w.-]+", "-", Path(forecast.rstrip("/")).stem)
    return Path(f"{name}-{short_label(*channel)}{'.gif' if animate else '.png'}")


def _check(target: Path, *, animate: bool, overwrite: bool) -> None:
    """Refuse, before anything is drawn, a target that cannot be written or must stay."""
    from data.wording import listed

    endings = ANIMATIONS if animate else PICTURES
    if target.suffix.lower() not in endings:
        kind = "an animation" if animate else "a picture"
        hint = "" if animate or target.suffix not in ANIMATIONS else ", or give --animate"
        raise ValueError(f"{kind} is written to {listed(endings)}, not to {target}{hint}")
    if target.exists() and (not overwrite or target.is_dir()):
        raise FileExistsError(f"{target} is there already; choose another name or give --overwrite")


def _next(forecast: str, variable: str, region: str, *, animate: bool) -> tuple[str, ...]:
    """Another view of the same forecast."""
    base = ("plot", forecast, "--variable", variable)
    if not animate:
        where = () if region == "global" else ("--region", region)
        return (*base, *where, "--animate")
    return (*base, "--region", "europe" if region == "global" else "global")
