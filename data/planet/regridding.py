"""Fields between the grids of models of different resolution, smooth enough to start one from.

`data.regrid` keeps means or takes points; linear interpolation takes a tenth off waves that a
coarse grid just holds. Between the grids of two models fields are smooth, and cubic splines along
latitude (continued over the poles) and longitude keep them.
"""

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from mesh.grid import FULL_CIRCLE, LatLonGrid

MARGIN = 8  # rows and columns continued around: a cubic spline forgets its ends within a few


def smoothly(
    field: Float[np.ndarray, "*level lat lon"],
    source: LatLonGrid,
    target: LatLonGrid,
    *,
    wind: bool = False,
) -> Float[np.ndarray, "*level to_lat to_lon"]:
    """A smooth field on another grid; neither has a row at a pole.

    ``wind``: a component, which changes its sign over a pole.
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
    """Rows beyond the poles, as latitudes beyond ±90."""
    south, north = -180 - latitude[:MARGIN][::-1], 180 - latitude[-MARGIN:][::-1]
    return np.concatenate([south, latitude, north])
