"""One field of the small weather, and how to compare it."""

import numpy as np
import xarray as xr

from tests.data.sources.files_of_all_formats import weather

FORMATS = ["x.nc", "x.classic.nc", "x.v2.zarr", "x.v3.zarr"]

NAME = "2m_temperature"


def surface(times: int = 4) -> xr.Dataset:
    return weather(times)[[NAME]]


def in_order(dataset: xr.Dataset) -> xr.Dataset:
    return dataset.sortby("latitude")


def assert_same(result: xr.Dataset, expected: xr.Dataset) -> None:
    for name in expected.data_vars:
        np.testing.assert_allclose(result[name], in_order(expected)[name], rtol=1e-6)
