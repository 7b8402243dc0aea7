"""Spherical harmonics of fields on global grids, with ducc0's exact transforms.

The power of a field at total wavenumber l is Σₘ |aₗₘ|² / 4π over -l ≤ m ≤ l, with orthonormal
harmonics, so that the powers of all l add up to the area mean of the field's square. Real signals
fill a grid up to l = rows - 2 with poles, rows - 1 without; longitudes limit it to half their
number.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Int

from data.constants import EARTH_RADIUS
from mesh.grid import LatLonGrid

_GAUSSIAN = 1e-2  # degrees between a file's Gaussian latitudes, three decimals, and exact ones


class _Rings(NamedTuple):
    """How ducc0 names a grid, the largest wavenumber, and the first longitude in radians."""

    geometry: str
    largest: int
    first: float


def largest_wavenumber(grid: LatLonGrid) -> int:
    """The largest total wavenumber that the grid's rows and columns resolve."""
    return _rings(grid).largest


def power(field: Float[np.ndarray, "*more lat lon"], grid: LatLonGrid) -> np.ndarray:
    """Power by total wavenumber, (…, wavenumber), in the field's units squared."""
    return power_of(harmonics(field, grid), largest_wavenumber(grid))


def power_of(coefficients: Complex[np.ndarray, "*more lm"], largest: int) -> np.ndarray:
    """Power by total wavenumber of the coefficients that `harmonics` returns."""
    degree, order = _degrees_and_orders(largest)
    twice = np.where(order > 0, 2.0, 1.0)  # m and -m
    square = (coefficients.real**2 + coefficients.imag**2) * twice / (4 * np.pi)
    flat = square.reshape(-1, square.shape[-1])
    totals = [np.bincount(degree, row, minlength=largest + 1) for row in flat]
    return np.array(totals).reshape(*coefficients.shape[:-1], largest + 1)


def harmonics(
    field: Float[np.ndarray, "*more lat lon"], grid: LatLonGrid
) -> Complex[np.ndarray, "*more lm"]:
    """Coefficients aₗₘ of orthonormal spherical harmonics, m ≥ 0, rows from south to north."""
    import ducc0  # noqa: PLC0415  only spectra need it

    rings = _rings(grid)
    flat = np.ascontiguousarray(field[..., ::-1, :], np.float64).reshape(-1, 1, *field.shape[-2:])
    made = [_analysis(ducc0, part, rings, spin=0)[0] for part in flat]
    return np.array(made).reshape(*field.shape[:-2], -1)


def vorticity(
    east: Float[np.ndarray, "*more lat lon"],
    north: Float[np.ndarray, "*more lat lon"],
    grid: LatLonGrid,
) -> Float[np.ndarray, "*more lat lon"]:
    """Relative vorticity (s-1) of a wind (m s-1), by spherical harmonics of the vector field."""
    import ducc0  # noqa: PLC0415  only spectra need it

    rings = _rings(grid)
    degree, _ = _degrees_and_orders(rings.largest)
    factor = -np.sqrt(degree * (degree + 1.0)) / EARTH_RADIUS
    shape = east.shape
    winds = np.stack([-north[..., ::-1, :], east[..., ::-1, :]], axis=-3)  # θ goes south
    winds = np.ascontiguousarray(winds, np.float64).reshape(-1, 2, *shape[-2:])
    fields = []
    for wind in winds:
        curl = _analysis(ducc0, wind, rings, spin=1)[1] * factor
        fields.append(_synthesis(ducc0, curl, shape[-2:], rings))
    return np.array(fields)[:, ::-1].reshape(shape)


def truncated(
    field: Float[np.ndarray, "lat lon"], grid: LatLonGrid, largest: int
) -> Float[np.ndarray, "lat lon"]:
    """The field without the wavenumbers above `largest`."""
    import ducc0  # noqa: PLC0415  only spectra need it

    rings = _rings(grid)
    degree, _ = _degrees_and_orders(rings.largest)
    kept = np.where(degree <= largest, harmonics(field, grid), 0.0)
    return _synthesis(ducc0, kept, grid.shape, rings)[::-1]


def _analysis(ducc0: Any, maps: np.ndarray, rings: _Rings, *, spin: int) -> np.ndarray:
    result: np.ndarray = ducc0.sht.analysis_2d(
        map=maps,
        spin=spin,
        lmax=rings.largest,
        mmax=rings.largest,
        geometry=rings.geometry,
        phi0=rings.first,
    )
    return result


def _synthesis(
    ducc0: Any, coefficients: np.ndarray, shape: tuple[int, ...], rings: _Rings
) -> np.ndarray:
    fields: np.ndarray = ducc0.sht.synthesis_2d(
        alm=coefficients[None],
        spin=0,
        lmax=rings.largest,
        mmax=rings.largest,
        geometry=rings.geometry,
        phi0=rings.first,
        ntheta=shape[0],
        nphi=shape[1],
    )
    return np.asarray(fields[0])


def _degrees_and_orders(
    largest: int,
) -> tuple[Int[np.ndarray, " lm"], Int[np.ndarray, " lm"]]:
    """L and m of every coefficient, in the order of ducc0: all l of m = 0, then of m = 1, …."""
    order = np.repeat(np.arange(largest + 1), np.arange(largest + 1, 0, -1))
    degree = np.concatenate([np.arange(m, largest + 1) for m in range(largest + 1)])
    return degree, order


def _rings(grid: LatLonGrid) -> _Rings:
    """How ducc0 names the grid.

    Raises:
        ValueError: the rows are neither equidistant nor Gaussian.
    """
    latitude = np.sort(np.array(grid.latitude))
    rows, columns = grid.shape
    first = float(np.deg2rad(grid.longitude[0]))
    at_poles, at_half = np.linspace(-90, 90, rows), (np.arange(rows) + 0.5) * 180 / rows - 90
    if np.allclose(latitude, at_poles, atol=_GAUSSIAN):
        geometry, limit = "CC", rows - 2
    elif np.allclose(latitude, at_half, atol=_GAUSSIAN):
        geometry, limit = "F1", rows - 1
    elif rows % 2 == 0 and np.allclose(
        latitude, LatLonGrid.gaussian(rows // 2).latitude, atol=_GAUSSIAN
    ):
        geometry, limit = "GL", rows - 1
    else:
        raise ValueError(
            "spherical harmonics need equidistant or Gaussian rows from pole to pole, and this grid"
            f" of {grid} has others; bring the fields to such a grid or leave spectra out"
        )
    return _Rings(geometry, min(limit, (columns - 1) // 2), first)
