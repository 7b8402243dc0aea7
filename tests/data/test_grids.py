"""The grid of fields, and the check that they cover the globe."""

import numpy as np
import pytest
import xarray as xr

from data.grids import grid_of
from mesh.grid import LatLonGrid


def fields(latitude: np.ndarray, longitude: np.ndarray) -> xr.Dataset:
    shape = (latitude.size, longitude.size)
    return xr.Dataset(
        {"2m_temperature": (("latitude", "longitude"), np.zeros(shape, np.float32))},
        coords={"latitude": latitude, "longitude": longitude},
    )


@pytest.mark.parametrize(
    "grid", [LatLonGrid.regular(10.0), LatLonGrid.regular(9.0, poles=False), LatLonGrid.gaussian(8)]
)
def test_the_grid_of_fields_is_the_one_that_they_were_made_on(grid: LatLonGrid) -> None:
    dataset = fields(*grid.axes())
    assert grid_of(dataset) == grid_of(dataset["2m_temperature"]) == grid


def test_less_than_the_globe_is_refused_with_the_name_of_the_file() -> None:
    dataset = fields(*LatLonGrid.regular(10.0).axes())
    with pytest.raises(
        ValueError, match=r"^half.nc: a grid's longitudes must be uniform and go on"
    ):
        grid_of(dataset.isel(longitude=slice(0, 18)), "half.nc")
    with pytest.raises(ValueError, match=r"^a grid's latitudes must reach from pole to pole"):
        grid_of(dataset.isel(latitude=slice(0, 12)))
