"""Interpolation between the Gaussian grids of two models, smooth enough to start one from.

The linear interpolation of `data.regrid` damps the shortest waves of a coarse grid by a tenth.
Fields of a spectral model are smooth, so cubic splines along latitude (continued over the poles)
and longitude preserve them.
"""

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from mesh.grid import FULL_CIRCLE, LatLonGrid

MARGIN = 8  # rows and columns of periodic continuation; a spline forgets its ends within a few


def smoothly(
    field: Float[np.ndarray, "*level lat lon"],
    source: LatLonGrid,
    target: LatLonGrid,
    *,
    wind: bool = False,
) -> Float[np.ndarray, "*level to_lat to_lon"]:
    """A smooth field, interpolated to another grid.

    Args:
        field: values on `source`.
        source: a grid without rows at the poles.
        target: a grid without rows at the poles.
        wind: whether the field is a wind component, which changes its sign across a pole.
    """
    (φ, λ), (to_φ, to_λ) = source.axes(), target.axes()
    beyond = np.roll(field, field.shape[-1] // 2, axis=-1) * (-1 if wind else 1)
    south, north = beyond[..., :MARGIN, :][..., ::-1, :], beyond[..., -MARGIN:, :][..., ::-1, :]
    tall = np.concatenate([south, field, north], axis=-2).astype(np.float64)
    rows = CubicSpline(_over_the_poles(φ), tall, axis=-2)(to_φ)
    wide = np.concatenate([rows[..., -MARGIN:], rows, rows[..., :MARGIN]], axis=-1)
    columns = λ[0] + FULL_CIRCLE / λ.size * np.arange(-MARGIN, λ.size + MARGIN)
    turned = λ[0] + np.mod(to_λ - λ[0], FULL_CIRCLE)
    return np.asarray(CubicSpline(columns, wide, axis=-1)(turned)).astype(field.dtype)


def _over_the_poles(latitude: Float[np.ndarray, " lat"]) -> Float[np.ndarray, " more"]:
    """Latitudes (degrees) with `MARGIN` rows continued beyond ±90° at either end."""
    south, north = -180 - latitude[:MARGIN][::-1], 180 - latitude[-MARGIN:][::-1]
    return np.concatenate([south, latitude, north])
