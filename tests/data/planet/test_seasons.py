"""The planet's seasons beside ERA5's."""

import numpy as np
import pytest
import xarray as xr

from data.planet.seasons import (
    climate_differences,
    draw_climates,
    read_seasonal_climate,
    seasonal_climate,
)
from tests.reference import real


def planet(months=range(1, 13)):
    """A resting, isothermal planet, one analysis a month."""
    time = np.array([f"2001-{m:02d}-15" for m in months], "datetime64[ns]")
    latitude, longitude = np.linspace(-85, 85, 18), np.arange(0, 360, 20.0)
    level = np.array([100, 200, 500, 850])
    upper = (time.size, level.size, latitude.size, longitude.size)
    dims = ("time", "level", "latitude", "longitude")
    return xr.Dataset(
        {
            "temperature": (dims, np.full(upper, 250.0, np.float32)),
            "u_component_of_wind": (dims, np.zeros(upper, np.float32)),
            "mean_sea_level_pressure": (
                ("time", "latitude", "longitude"),
                np.full((upper[0], *upper[2:]), 1011e2, np.float32),
            ),
        },
        {"time": time, "level": level, "latitude": latitude, "longitude": longitude},
    )


def test_a_planet_does_not_differ_from_itself():
    climate = seasonal_climate(planet())
    differences = climate_differences(climate, climate)
    assert all(value == 0 for name, value in differences.items() if "zonal" in name)
    assert differences["DJF mean sea-level pressure (hPa)"] == pytest.approx(1011)


def test_half_a_year_is_not_a_climate():
    with pytest.raises(ValueError, match="simulate a whole year"):
        seasonal_climate(planet(range(1, 7)))


def test_a_folder_without_reference_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="seasons_average_ta"):
        read_seasonal_climate(tmp_path)


def test_the_picture_is_drawn_beside_era5(tmp_path):
    reference = read_seasonal_climate(real("static/era5_seasonal_1985-2014"))
    climate = seasonal_climate(planet())
    differences = climate_differences(climate, reference)
    # ERA5's winter jet at 200 hPa is some 40 m/s: the seasons and levels are read rightly.
    assert 35 < differences["DJF jet north, reference (m/s)"] < 50
    assert differences["DJF zonal temperature (K)"] > 5  # and the globe is not isothermal
    drawn = draw_climates(climate, reference, tmp_path / "climate.png")
    assert drawn.read_bytes().startswith(b"\x89PNG")
