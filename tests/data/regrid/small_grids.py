"""Gaussian and regular grids, with and without poles, and fields on them."""

import numpy as np
import xarray as xr

from data.regrid import regrid
from data.regrid.weights import weights
from mesh.grid import LatLonGrid

# Gaussian and regular grids, with and without poles, finer and coarser, and one that starts
# half a cell off Greenwich.
SHIFTED = LatLonGrid.from_coordinates(np.arange(-87.5, 90, 5.0), np.arange(2.5, 360, 5.0))

GRIDS = {name: LatLonGrid.named(name) for name in ("10", "4", "N8", "N16")} | {"shifted": SHIFTED}

PAIRS = [(a, b) for a in GRIDS for b in GRIDS if a != b]

WEIGHTED = ("conservative", "bilinear", "nearest")


def field(grid, values, name="2m_temperature", **attrs):
    array = xr.DataArray(values.astype(np.float32), dims=("latitude", "longitude"), attrs=attrs)
    return array.to_dataset(name=name).assign_coords(coordinates(grid))


def coordinates(grid):
    return dict(zip(("latitude", "longitude"), grid.axes(), strict=True))


def random_field(grid, seed=0):
    return 250 + 30 * np.random.default_rng(seed).random(grid.shape)


def on(dataset, grid, method, name="2m_temperature"):
    return regrid(dataset, grid, method=method)[name].values


def matrices(one, other, method):
    return weights(method, GRIDS[one], GRIDS[other])


def areas(grid):
    """Area of every cell; they sum to 1."""
    return np.repeat(grid.row_areas()[:, None], grid.shape[1], axis=1) / grid.shape[1]
