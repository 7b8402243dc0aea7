"""How much each source point counts for each target point, axis by axis.

Cells and points of a latitude–longitude grid are products of rows and columns, so every method is
two small sparse matrices: `target = rows @ source @ columns.T`. Each row of a matrix sums to 1.
Zero weights are not stored, so that a NaN cannot spread to points that do not depend on it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from mesh.grid import FULL_CIRCLE, POLE, SAME_POINT, LatLonGrid


class Weights(NamedTuple):
    """Two matrices, [target rows, source rows] and [target columns, source columns].

    With `south` or `north`, the source rows begin or end with a row at that pole, which the source
    lacks; `data.regrid.fields` makes it from the nearest row.
    """

    rows: csr_array
    columns: csr_array
    south: bool = False
    north: bool = False


def conservative(source: LatLonGrid, target: LatLonGrid) -> Weights:
    """First-order conservative: the mean over each target cell of piecewise constant source cells.

    A weight is the share of the target cell's area that the source cell covers; the area of a cell
    is its range of sin(latitude) times its range of longitude (Jones 1999, Mon. Wea. Rev. 127,
    2204-2210, without the gradient terms). The area mean over the globe is kept.
    """
    edges, to_edges = (np.sin(np.deg2rad(grid.row_bounds())) for grid in (source, target))
    rows = _overlaps(edges[:-1], edges[1:], to_edges[:-1], to_edges[1:])
    west, east = _column_bounds(source)
    to_west, to_east = _column_bounds(target)
    columns = sum(
        _overlaps(west + turn, east + turn, to_west, to_east)
        for turn in (-FULL_CIRCLE, 0.0, FULL_CIRCLE)
    )
    return Weights(_normalised(rows), _normalised(np.asarray(columns)))


def bilinear(source: LatLonGrid, target: LatLonGrid) -> Weights:
    """Linear in latitude and longitude between the four points around, periodic in longitude.

    Beyond the last row of a source without poles, the pole is one more row.
    """
    φ, (to_φ, to_λ) = source.axes()[0], target.axes()
    # a row that is at the pole up to rounding needs no other one there
    south, north = bool(φ[0] - to_φ[0] > SAME_POINT), bool(to_φ[-1] - φ[-1] > SAME_POINT)
    φ = np.concatenate([[-POLE] if south else [], φ, [POLE] if north else []])
    λ = _uniform_longitude(source)
    λ = np.append(λ, λ[0] + FULL_CIRCLE)
    columns = _between(λ, λ[0] + np.mod(to_λ - λ[0], FULL_CIRCLE))
    columns[:, 0] += columns[:, -1]  # the last point is the first one again
    return Weights(csr_array(_between(φ, to_φ)), csr_array(columns[:, :-1]), south, north)


def nearest(source: LatLonGrid, target: LatLonGrid) -> Weights:
    """The nearest row and the nearest column; of two equally near, the southern or western one."""
    φ, (to_φ, to_λ) = source.axes()[0], target.axes()
    λ = _uniform_longitude(source)
    turn = np.abs(np.mod(to_λ[:, None] - λ + 180, FULL_CIRCLE) - 180)
    return Weights(_chosen(np.abs(to_φ[:, None] - φ)), _chosen(turn))


_BY_METHOD: dict[str, Callable[[LatLonGrid, LatLonGrid], Weights]] = {
    "conservative": conservative,
    "bilinear": bilinear,
    "nearest": nearest,
}


@lru_cache(maxsize=16)
def weights(method: str, source: LatLonGrid, target: LatLonGrid) -> Weights:
    """The weights of a method between two grids (latitudes ascending), computed once."""
    return _BY_METHOD[method](source, target)


def _uniform_longitude(grid: LatLonGrid) -> Float[np.ndarray, " lon"]:
    """Longitudes without the rounding of their file: exactly uniform, degrees."""
    _, longitude = grid.axes()
    steps = np.arange(longitude.size) * (FULL_CIRCLE / longitude.size)
    return np.asarray((longitude - steps).mean() + steps)


def _column_bounds(
    grid: LatLonGrid,
) -> tuple[Float[np.ndarray, " lon"], Float[np.ndarray, " lon"]]:
    """Western and eastern edges in degrees, the first cell's centre brought into [0, 360)."""
    centre = _uniform_longitude(grid)
    centre = centre - FULL_CIRCLE * np.floor(centre[0] / FULL_CIRCLE)
    half = FULL_CIRCLE / (2 * centre.size)
    return centre - half, centre + half


def _overlaps(
    low: Float[np.ndarray, " source"],
    high: Float[np.ndarray, " source"],
    to_low: Float[np.ndarray, " target"],
    to_high: Float[np.ndarray, " target"],
) -> Float[np.ndarray, "target source"]:
    """Length that each target interval shares with each source interval."""
    shared = np.minimum(high, to_high[:, None]) - np.maximum(low, to_low[:, None])
    # Edges that coincide leave slivers by rounding, through which the NaN of a neighbouring cell
    # would spread. 1e-12 of an axis is far below what float32 resolves.
    return np.asarray(np.where(shared > 1e-12 * (high[-1] - low[0]), shared, 0.0))


def _normalised(overlap: Float[np.ndarray, "target source"]) -> csr_array:
    return csr_array(overlap / overlap.sum(axis=1, keepdims=True))


def _between(
    points: Float[np.ndarray, " source"], targets: Float[np.ndarray, " target"]
) -> Float[np.ndarray, "target source"]:
    """Weights of linear interpolation between ascending points that enclose the targets."""
    left = np.clip(np.searchsorted(points, targets, side="right") - 1, 0, points.size - 2)
    fraction = (targets - points[left]) / (points[left + 1] - points[left])
    fraction = np.clip(fraction, 0.0, 1.0)  # a pole may be 90.000001 after rounding
    matrix = np.zeros((targets.size, points.size))
    number = np.arange(targets.size)
    matrix[number, left] = 1 - fraction
    matrix[number, left + 1] = fraction
    return matrix


def _chosen(distance: Float[np.ndarray, "target source"]) -> csr_array:
    # rounded, so that float64 noise does not decide between two equally near points
    nearest_point = np.argmin(np.round(distance, 9), axis=1)
    number = np.arange(distance.shape[0])
    ones = np.ones(distance.shape[0])
    return csr_array((ones, (number, nearest_point)), shape=distance.shape)
