"""One field on a map: colours, contours, coastlines, meridians."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator

from data.maps.appearance import Shown
from data.maps.coastlines import projected_coastlines
from data.maps.labels import latitude_label, longitude_label
from data.maps.projection import Box, Extent, Polar, Projection, projection_of

STEPS = 15  # of colour at most; more cannot be told apart
LINES = 5  # meridians or parallels of a map at most, or a few more
_OF_A_CONTOUR = (0.5, 1, 2, 4, 8, 16, 32, 64)  # steps of colour, in distances between lines
DENSE = 181  # points of a meridian or of the frame

COAST = {"colors": "#222222", "linewidths": 0.5}
GRID = {"colors": "#888888", "linewidths": 0.3, "linestyles": "dotted"}


def new_map(figure: Figure, place: Any, extent: Extent) -> Axes:
    """Axes with a map's frame, meridians and coastlines, and no field yet.

    Args:
        figure: where they go.
        place: a position in a grid of axes, as `add_subplot` takes it.
        extent: what the map shows.
    """
    axes = figure.add_subplot(place)
    projection = projection_of(extent)
    axes.set_aspect("equal")
    frame = _frame(extent, projection)
    axes.set_xlim(frame[:, 0].min(), frame[:, 0].max())
    axes.set_ylim(frame[:, 1].min(), frame[:, 1].max())
    edge = Polygon(frame, closed=True, fill=False, lw=0.7, ec="#222222", zorder=4)
    axes.add_patch(edge)
    for lines, style in (
        (_graticule(extent, projection), GRID),
        (projected_coastlines(projection), COAST),
    ):
        collection = LineCollection(lines, zorder=3, **style)
        axes.add_collection(collection, autolim=False)
        collection.set_clip_path(edge)
    _label_edges(axes, extent, projection)
    axes.spines[:].set_visible(False)
    return axes


def draw_map(
    axes: Axes,
    field: xr.DataArray,
    looks: Shown,
    extent: Extent,
    limits: tuple[float, float],
) -> ScalarMappable:
    """Draw a field on axes of `new_map`.

    Args:
        axes: of `new_map` with the same extent.
        field: (latitude, longitude) in any order, in the units that are shown.
        looks: colours and contours.
        extent: what the map shows.
        limits: smallest and largest value of all maps that share a colour bar.

    Returns:
        What a colour bar is made from.
    """
    projection = projection_of(extent)
    λ, φ, values = _about(field, projection, extent)
    x, y = projection(*np.meshgrid(λ, φ))
    steps = levels(looks, limits)
    norm = BoundaryNorm(steps, matplotlib.colormaps[looks.colours].N, extend="both")
    filled = axes.contourf(
        x, y, values, levels=steps, cmap=looks.colours, norm=norm, extend="both", zorder=1
    )
    filled.set_rasterized(True)
    frame = axes.patches[0]
    filled.set_clip_path(frame)
    if looks.contour is not None and np.ptp(values) > looks.contour:
        at = np.arange(np.ceil(limits[0] / looks.contour), limits[1] / looks.contour + 1)
        every = max(1, int(np.ceil(len(at) / 30)))
        lines = axes.contour(
            x, y, values, levels=at[::every] * looks.contour, colors="#333333", linewidths=0.6,
            zorder=2,
        )  # fmt: skip
        lines.set_clip_path(frame)
        for text in axes.clabel(lines, list(lines.levels)[::2], fontsize=6, fmt="%g"):
            text.set_clip_on(True)
            text.set_clip_path(frame)
    return filled


def colour_bar(figure: Figure, filled: ScalarMappable, axes: Sequence[Axes], label: str) -> None:
    """A colour bar below the maps that share it."""
    bar = figure.colorbar(
        filled, ax=list(axes), orientation="horizontal", aspect=40, pad=0.03, shrink=0.85
    )
    bar.set_label(label)
    bar.ax.tick_params(labelsize=8)


def levels(looks: Shown, limits: tuple[float, float]) -> Float[np.ndarray, " steps"]:
    """Where colours change between the limits: at round numbers, or where the trade has them."""
    if looks.steps:
        return np.array(looks.steps, np.float64)
    low, high = limits
    if looks.centred:
        high = max(abs(low), abs(high))
        low = -high
    if looks.least is not None:
        low = max(low, looks.least)
    if high <= low:
        low, high = low - 0.5, low + 0.5
    if looks.contour is not None:  # so that colours change where lines are
        fits = (c for c in _OF_A_CONTOUR if (high - low) / (c * looks.contour) <= STEPS)
        step = looks.contour * next(fits, _OF_A_CONTOUR[-1])
        return np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
    locator = MaxNLocator(STEPS, steps=[1, 2, 2.5, 4, 5, 10])
    return np.asarray(locator.tick_values(low, high), np.float64)


def _about(
    field: xr.DataArray, projection: Projection, extent: Extent
) -> tuple[Float[np.ndarray, " lon"], Float[np.ndarray, " lat"], Float[np.ndarray, "lat lon"]]:
    """Longitudes from the map's middle, latitudes and values, of what the map shows and a bit more.

    Round the globe the first column is repeated at the end, and the poles have the mean of the rows
    beside them, so that the map has no holes.
    """
    field = field.transpose("latitude", "longitude")
    λ = (field["longitude"].values.astype(np.float64) - projection.centre + 180) % 360 - 180
    φ = field["latitude"].values.astype(np.float64)
    columns, rows = np.argsort(λ), np.argsort(φ)
    λ, φ = λ[columns], φ[rows]
    values = field.values[rows][:, columns].astype(np.float64)
    around = λ[-1] - λ[0] + 2 * np.diff(λ).max() >= 360
    if around:
        λ = np.concatenate([λ[-1:] - 360, λ, λ[:1] + 360])
        values = np.concatenate([values[:, -1:], values, values[:, :1]], axis=1)
    gap = np.diff(φ).max()
    for pole, row in ((-90.0, 0), (90.0, -1)):
        if 0 < abs(φ[row] - pole) <= gap:
            at = 0 if row == 0 else len(φ)
            values, φ = np.insert(values, at, values[row].mean(), axis=0), np.insert(φ, at, pole)
    wide, tall = np.diff(λ).max(), gap
    half = (extent.east - extent.west) / 2
    seen_columns = np.abs(λ) <= half + wide
    seen_rows = (φ >= extent.south - tall) & (φ <= extent.north + tall)
    return λ[seen_columns], φ[seen_rows], values[seen_rows][:, seen_columns]


def _frame(extent: Extent, projection: Projection) -> Float[np.ndarray, "points 2"]:
    """The outline of the map on paper."""
    half = (extent.east - extent.west) / 2
    if isinstance(projection, Polar):
        edge = extent.south if projection.north else extent.north
        λ, φ = np.linspace(-180, 180, DENSE), np.full(DENSE, edge)
        return np.stack(projection(λ, φ), axis=1)
    up = np.linspace(extent.south, extent.north, DENSE)
    across = np.linspace(-half, half, DENSE)
    λ = np.concatenate([np.full(DENSE, -half), across, np.full(DENSE, half), across[::-1]])
    φ = np.concatenate([up, np.full(DENSE, extent.north), up[::-1], np.full(DENSE, extent.south)])
    return np.stack(projection(λ, φ), axis=1)


def _meridians(extent: Extent) -> Float[np.ndarray, " lines"]:
    return _round(extent.west, extent.east)


def _parallels(extent: Extent) -> Float[np.ndarray, " lines"]:
    return _round(extent.south, extent.north)


def _round(first: float, last: float) -> Float[np.ndarray, " lines"]:
    """Round degrees strictly between two."""
    step = next(s for s in (1, 2, 5, 10, 15, 20, 30, 60) if (last - first) / s <= LINES + 1)
    return np.arange(np.floor(first / step) + 1, np.ceil(last / step)) * float(step)


def _graticule(extent: Extent, projection: Projection) -> list[Float[np.ndarray, "points 2"]]:
    half = (extent.east - extent.west) / 2
    up, across = np.linspace(extent.south, extent.north, DENSE), np.linspace(-half, half, DENSE)
    meridians = _meridians(extent) - projection.centre
    lines = [projection(np.full(DENSE, λ), up) for λ in meridians]
    lines += [projection(across, np.full(DENSE, φ)) for φ in _parallels(extent)]
    return [np.stack(line, axis=1) for line in lines]


def _label_edges(axes: Axes, extent: Extent, projection: Projection) -> None:
    """Degrees along the edges of a box; the globe and the caps speak for themselves."""
    axes.set_xticks([])
    axes.set_yticks([])
    if not isinstance(projection, Box):
        return
    meridians, parallels = _meridians(extent), _parallels(extent)
    x, _ = projection(meridians - projection.centre, np.zeros_like(meridians))
    _, y = projection(np.zeros_like(parallels), parallels)
    axes.set_xticks(x, [longitude_label(float(λ)) for λ in meridians])
    axes.set_yticks(y, [latitude_label(float(φ)) for φ in parallels])
    axes.tick_params(labelsize=7, length=0)
