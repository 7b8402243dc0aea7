"""Maps of a forecast: several lead times on one sheet, or one after the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from data.channels import Channel
from data.maps.appearance import Shown
from data.maps.drawing import colour_bar, draw_map, new_map
from data.maps.fields import at_leads, channel_named, chosen, converted
from data.maps.labels import lead_label, long_label, time_label
from data.maps.projection import GLOBE, Extent, Polar, projection_of
from data.stores.files import written_whole

COLUMNS = 3
SHEET_MAPS = 6  # where no lead times are asked for
SHEET = 11.0  # inches across, of several maps
SINGLE = 8.0  # inches across, of one
DPI = 150
FRAMES_PER_SECOND = 3  # of an animation

STYLE: Any = {"font.size": 9, "axes.titlesize": 9, "axes.titlelocation": "left"}

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Scene:
    """What is drawn of a forecast.

    Attributes:
        channel: variable and level.
        leads: lead times, one map each.
        extent: what the maps show.
        init_time: None is the first.
        member: None is the first, where there are members.
    """

    channel: Channel
    leads: tuple[np.timedelta64, ...]
    extent: Extent = GLOBE
    init_time: np.datetime64 | None = None
    member: int | None = None


def plot(
    forecast: xr.Dataset,
    variable: str,
    *,
    leads: Sequence[np.timedelta64] = (),
    extent: Extent = GLOBE,
    init_time: np.datetime64 | None = None,
    member: int | None = None,
) -> Figure:
    """Maps of a forecast on one sheet, with coastlines: the short form of `forecast_maps`.

    Args:
        forecast: a Dataset of `open_forecast`.
        variable: as `channel_named` reads it: z500, 2t, temperature850.
        leads: lead times, one map each; some of the forecast's if not given.
        extent: what the maps show.
        init_time: the first if not given.
        member: the first if not given.

    Raises:
        ValueError: the forecast lacks something that was asked for.
    """
    channel = channel_named(variable, forecast)
    there = np.atleast_1d(forecast["prediction_timedelta"].values)
    shown_leads = tuple(leads) or spread(tuple(there))
    return forecast_maps(forecast, Scene(channel, shown_leads, extent, init_time, member))


def spread(leads: Sequence[np.timedelta64]) -> tuple[np.timedelta64, ...]:
    """As many lead times as one sheet holds, evenly spread."""
    every = -(-len(leads) // SHEET_MAPS)
    return tuple(leads[every - 1 :: every])


def forecast_maps(forecast: xr.Dataset, scene: Scene) -> Figure:
    """A sheet with one map for each lead time, which share their colours.

    Raises:
        ValueError: the forecast lacks something that the scene names.
    """
    fields, looks = _fields(forecast, scene)
    count = len(fields)
    columns = min(count, COLUMNS)
    rows = -(-count // columns)
    across = SINGLE if count == 1 else SHEET
    height = across / columns * _height_over_width(scene.extent) * rows + 1.3
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(across, height), layout="constrained", dpi=DPI)
        _headings(figure, forecast, fields, scene, looks)
        grid = figure.add_gridspec(rows, columns)
        limits = _limits(fields, scene.extent)
        drawn: list[Axes] = []
        for i, field in enumerate(fields):
            axes = new_map(figure, grid[i // columns, i % columns], scene.extent)
            filled = draw_map(axes, field, looks, scene.extent, limits)
            axes.set_title(_when(field))
            drawn.append(axes)
        colour_bar(figure, filled, drawn, _bar_label(scene, looks))
    return figure


def animated(
    forecast: xr.Dataset, scene: Scene, path: Path, report: Report = lambda done, total: None
) -> None:
    """An animation with one frame for each lead time: GIF, or MP4 where ffmpeg is installed.

    Raises:
        ValueError: the name ends in neither, ffmpeg is not there, or as `forecast_maps`.
    """
    from matplotlib import animation  # noqa: PLC0415  slow to import

    writers = {".gif": "pillow", ".mp4": "ffmpeg"}
    if path.suffix.lower() not in writers:
        raise ValueError(f"an animation is a file named *.gif or *.mp4, not {path}")
    name = writers[path.suffix.lower()]
    if not animation.writers.is_available(name):
        raise ValueError(f"{path} needs the program {name}, which is not installed; name it *.gif")
    fields, looks = _fields(forecast, scene)
    limits = _limits(fields, scene.extent)
    with matplotlib.rc_context(STYLE), written_whole(path) as temporary:
        height = SINGLE * _height_over_width(scene.extent) + 1.3
        figure = Figure(figsize=(SINGLE, height), layout="constrained", dpi=100)
        _headings(figure, forecast, fields, scene, looks)
        axes = new_map(figure, figure.add_gridspec(1, 1)[0], scene.extent)
        # The writer chooses its format by the name's ending, which a temporary file lacks.
        named = temporary.with_name(f"{temporary.name}{path.suffix.lower()}")
        try:
            writer = animation.writers[name](fps=FRAMES_PER_SECOND)
            with writer.saving(figure, str(named), 100):
                frames = _frames(fields, axes, looks, scene, limits)
                for done, (field, filled) in enumerate(frames, start=1):
                    if done == 1:
                        colour_bar(figure, filled, [axes], _bar_label(scene, looks))
                    axes.set_title(_when(field))
                    writer.grab_frame()
                    report(done, len(fields))
            named.replace(temporary)
        finally:
            named.unlink(missing_ok=True)


def _frames(
    fields: list[xr.DataArray],
    axes: Axes,
    looks: Shown,
    scene: Scene,
    limits: tuple[float, float],
) -> Iterator[tuple[xr.DataArray, Any]]:
    """Each field drawn on the same axes, in place of the one before."""
    for field in fields:
        for artist in [child for child in axes.get_children() if isinstance(child, ContourSet)]:
            artist.remove()  # and its labels
        yield field, draw_map(axes, field, looks, scene.extent, limits)


def _fields(forecast: xr.Dataset, scene: Scene) -> tuple[list[xr.DataArray], Shown]:
    """The field of each lead time, in the units that are shown."""
    field, looks = chosen(forecast, scene.channel, scene.init_time, scene.member)
    leads = at_leads(field, list(scene.leads))
    fields = [
        converted(leads.isel(prediction_timedelta=i), looks).load() for i in range(len(leads))
    ]
    if any(not np.isfinite(f.values).any() for f in fields):
        raise ValueError(
            f"{scene.channel} has no finite value at one of the lead times; is the forecast whole?"
        )
    return fields, looks


def _limits(fields: list[xr.DataArray], extent: Extent) -> tuple[float, float]:
    """Smallest and largest value within the extent, of all maps."""
    low, high = [], []
    for field in fields:
        φ = field["latitude"]
        from_west = (field["longitude"] - extent.west) % 360
        seen = field.where(
            (φ >= extent.south) & (φ <= extent.north) & (from_west <= extent.east - extent.west)
        )
        seen = seen if seen.notnull().any() else field
        low.append(float(seen.min()))
        high.append(float(seen.max()))
    return min(low), max(high)


def _headings(
    figure: Figure, forecast: xr.Dataset, fields: list[xr.DataArray], scene: Scene, looks: Shown
) -> None:
    """What it is, of which forecast, and whose: a picture travels without its store."""
    member = f", member {scene.member}" if scene.member is not None else ""
    start = time_label(fields[0]["time"].values.ravel()[0])
    figure.suptitle(
        f"{long_label(*scene.channel)} ({looks.units}), forecast from {start}{member}",
        x=0.01, ha="left", fontsize=11, fontweight="bold",
    )  # fmt: skip
    source = str(forecast.attrs.get("source", "source not stated"))
    figure.text(0.01, 0.005, f"{source}   Coastlines: Natural Earth", fontsize=6.5, color="0.35")


def _when(field: xr.DataArray) -> str:
    lead = field["prediction_timedelta"].values.ravel()[0]
    return f"+{lead_label(lead)}, valid {time_label(field['time'].values.ravel()[0] + lead)}"


def _bar_label(scene: Scene, looks: Shown) -> str:
    lines = f"; lines every {looks.contour:g}" if looks.contour else ""
    return f"{looks.units}{lines}"


def _height_over_width(extent: Extent) -> float:
    projection = projection_of(extent)
    if isinstance(projection, Polar):
        return 1.0
    corners = np.array([-1.0, 0.0, 1.0]) * (extent.east - extent.west) / 2
    x, _ = projection(corners, np.full(3, np.clip(0.0, extent.south, extent.north)))
    _, y = projection(np.zeros(2), np.array([extent.south, extent.north]))
    return float(np.ptp(y) / np.ptp(x))
