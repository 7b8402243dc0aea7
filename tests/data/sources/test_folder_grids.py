"""Files of one folder are on one grid, up to the rounding of their coordinates."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data.sources.series.folder import open_folder
from mesh.grid import LatLonGrid

TIMES = np.datetime64("2020-01-01", "ns") + np.arange(2) * np.timedelta64(6, "h")


def write(path: Path, name: str, latitude: np.ndarray, longitude: np.ndarray) -> None:
    values = np.full((2, latitude.size, longitude.size), 280.0, np.float32)
    xr.Dataset(
        {name: (("time", "latitude", "longitude"), values, {"units": "K"})},
        coords={"time": TIMES, "latitude": latitude, "longitude": longitude},
    ).to_netcdf(path)


def test_coordinates_rounded_otherwise_are_the_first_file_s(tmp_path: Path) -> None:
    latitude, longitude = LatLonGrid.gaussian(8).axes()
    write(tmp_path / "a.nc", "2m_temperature", latitude, longitude)
    rounded = np.round(latitude, 3), longitude.astype(np.float32)
    write(tmp_path / "b.nc", "sea_surface_temperature", *rounded)
    both = open_folder(tmp_path).at(
        TIMES, ["2m_temperature", "sea_surface_temperature"], tmp_path / "downloads"
    )
    assert dict(both.sizes) == {"time": 2, "latitude": 16, "longitude": 32}
    np.testing.assert_array_equal(both["latitude"], latitude)
    assert not both["sea_surface_temperature"].isnull().any()


def test_files_on_two_grids_are_refused(tmp_path: Path) -> None:
    latitude, longitude = LatLonGrid.gaussian(8).axes()
    write(tmp_path / "a.nc", "2m_temperature", latitude, longitude)
    write(tmp_path / "b.nc", "sea_surface_temperature", latitude + 0.01, longitude)
    with pytest.raises(ValueError, match=r"b.nc has another latitude than .*a.nc"):
        open_folder(tmp_path).at(
            TIMES, ["2m_temperature", "sea_surface_temperature"], tmp_path / "downloads"
        )
