"""Latitude-longitude grids as two coordinate arrays, and the names that people give them."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import roots_legendre

FULL_CIRCLE = 360.0  # degrees
POLE = 90.0  # degrees
# Coordinates nearer than this are the same point: GRIB edition 1 rounds to a thousandth of a
# degree, float32 to 3e-5.
ROUNDING = 6e-4  # degrees


class Grid(NamedTuple):
    """Latitudes (ascending) and longitudes (ascending from [0, 360), uniform), degrees."""

    latitude: Float[np.ndarray, " lat"]
    longitude: Float[np.ndarray, " lon"]

    def __str__(self) -> str:
        """``721 x 1440 points``, for messages and notes."""
        return f"{self.latitude.size} x {self.longitude.size} points"


def grid_named(text: str) -> Grid:
    """The grid that a person means.

    ``1.0`` or ``0.25``: regular, that many degrees apart, poles included, as ERA5's is served.
    ``N48`` (or ``F48``): the full Gaussian grid of 96 latitudes and 192 longitudes. Anything else
    is a file or Zarr store, whose grid is taken.

    Raises:
        ValueError: a resolution that does not divide 180 degrees; a file whose grid is not global.
        FileNotFoundError: the text is none of the above, and there is no such file.
    """
    name = text.strip()
    if match := re.fullmatch(r"[NFnf](\d+)", name):
        return gaussian(int(match[1]))
    try:
        resolution = float(name)
    except ValueError:
        return _grid_of_file(name)
    return regular(resolution)


def regular(resolution: float) -> Grid:
    """Every ``resolution`` degrees, the poles included, longitudes from 0."""
    rows = round(180 / resolution) if 0 < resolution < np.inf else 0
    if rows < 2 or not np.isclose(rows * resolution, 180, rtol=1e-6):
        raise ValueError(
            "a regular grid's resolution divides 180 degrees into two or more steps, and"
            f" {resolution:g} does not; {180 / max(rows, 2):.6g} would"
        )
    latitude = np.linspace(-POLE, POLE, rows + 1)
    return Grid(latitude, np.arange(2 * rows) * (180 / rows))


def gaussian(number: int) -> Grid:
    """The full Gaussian grid ``N<number>``: 2N latitudes, no poles, 4N longitudes from 0.

    The sines of the latitudes are the roots of the Legendre polynomial of degree 2N.
    """
    if number < 1:
        raise ValueError(
            f"a Gaussian grid has one row or more per hemisphere, not N{number}; N48 has 96 rows"
        )
    sines, _ = roots_legendre(2 * number)
    return Grid(np.rad2deg(np.arcsin(sines)), np.arange(4 * number) * (90 / number))


def _grid_of_file(name: str) -> Grid:
    if "://" not in name and not Path(name).exists():
        raise FileNotFoundError(
            "a grid is a resolution in degrees (0.25), a Gaussian grid (N48) or an existing file"
            f" whose grid is meant, not {name!r}"
        )
    # here, because sources of data may regrid in their turn
    from data.sources import open_inputs  # noqa: PLC0415

    dataset = open_inputs(name)[0]
    grid = Grid(
        np.asarray(dataset["latitude"].values, dtype=np.float64),
        np.asarray(dataset["longitude"].values, dtype=np.float64),
    )
    check_global(grid, name)
    return grid


def check_global(grid: Grid, where: str) -> None:
    """Raise one ValueError that begins with ``where`` unless the grid is global and canonical."""
    latitude, longitude = (np.asarray(axis, dtype=np.float64) for axis in grid)
    # Written so that a nan is refused, too.
    steps = np.diff(latitude)
    if latitude.size < 2 or not (steps > 0).all() or not np.abs(latitude).max() <= POLE + 1e-5:
        raise ValueError(
            f"{where}: latitudes ascend between -90 and 90 degrees, and these are"
            f" {_summary(latitude)}; sort them"
        )
    if POLE - min(-latitude[0], latitude[-1]) > 1.001 * steps.max():
        raise ValueError(
            f"{where}: regridding needs latitudes from pole to pole (the end rows within one step"
            f" of ±90), and these are {_summary(latitude)}; use the global field, not a region"
        )
    uniform = np.arange(longitude.size) * (FULL_CIRCLE / longitude.size)
    off = np.abs(longitude - longitude[:1] - uniform)
    if longitude.size < 2 or not (off <= ROUNDING).all():
        raise ValueError(
            f"{where}: regridding needs longitudes that are uniform and go once around the globe,"
            f" and these are {_summary(longitude)}; use the global field, not a region"
        )


def same_points(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two axes have the same coordinates, up to the rounding of file formats."""
    return one.shape == other.shape and bool((np.abs(one - other) <= ROUNDING).all())


def row_bounds(latitude: Float[np.ndarray, " lat"]) -> Float[np.ndarray, " lat+1"]:
    """Edges of the latitude rows, degrees: midway between neighbours, ±90 at the ends.

    A row at a pole so has half a cell, as in DeepMind's weights and in ``mesh.LatLonGrid``.
    """
    middle = (latitude[1:] + latitude[:-1]) / 2
    return np.concatenate([[-POLE], middle, [POLE]])


def uniform_longitude(longitude: Float[np.ndarray, " lon"]) -> Float[np.ndarray, " lon"]:
    """Longitudes without the rounding of their file format: exactly uniform."""
    steps = np.arange(longitude.size) * (FULL_CIRCLE / longitude.size)
    return np.asarray((longitude - steps).mean() + steps)


def _summary(values: np.ndarray) -> str:
    if values.size < 4:
        return f"{values.tolist()}"
    return f"{values[0]:g}, {values[1]:g}, ..., {values[-1]:g} ({values.size} values)"
