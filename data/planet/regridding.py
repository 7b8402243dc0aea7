"""Fields between the grids of models of different resolution, smooth enough to start one from.

`data.regrid` keeps means or takes points; linear interpolation takes a tenth off waves that a
coarse grid just holds. Between the grids of two models fields are smooth, and a cubic spline in
latitude and longitude, continued over the poles, keeps them.
"""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from data.regrid.grids import Grid

MARGIN = 8  # rows and columns continued around: a cubic spline forgets its ends within a few


def smoothly(
    field: Float[np.ndarray, "*level lat lon"], source: Grid, target: Grid, *, wind: bool = False
) -> Float[np.ndarray, "*level to_lat to_lon"]:
    """A smooth field on another grid. ``wind``: a component, which turns its sign over a pole."""
    rows = np.interp(
        target.latitude,
        _continued_latitude(source.latitude),
        np.arange(-MARGIN, source.latitude.size + MARGIN, dtype=np.float64),
    )
    step = 360.0 / source.longitude.size
    columns = np.mod(target.longitude - source.longitude[0], 360.0) / step
    places = np.meshgrid(rows + MARGIN, columns + MARGIN, indexing="ij")
    flat = field.reshape(-1, *field.shape[-2:])
    moved = [
        map_coordinates(_continued(layer, wind=wind), places, order=3, mode="nearest")
        for layer in flat
    ]
    return np.stack(moved).reshape(*field.shape[:-2], *places[0].shape).astype(field.dtype)


def _continued_latitude(latitude: Float[np.ndarray, " lat"]) -> Float[np.ndarray, " more"]:
    """Rows beyond the poles, as latitudes beyond ±90. Grids without a row at a pole only."""
    south, north = -180 - latitude[:MARGIN][::-1], 180 - latitude[-MARGIN:][::-1]
    return np.concatenate([south, latitude, north])


def _continued(
    layer: Float[np.ndarray, "lat lon"], *, wind: bool
) -> Float[np.ndarray, "more_lat more_lon"]:
    """The field with what lies beyond each pole (half a turn away) and around in longitude."""
    beyond = np.roll(layer, layer.shape[1] // 2, axis=1) * (-1 if wind else 1)
    tall = np.concatenate([beyond[:MARGIN][::-1], layer, beyond[-MARGIN:][::-1]])
    return np.concatenate([tall[:, -MARGIN:], tall, tall[:, :MARGIN]], axis=1).astype(np.float64)
