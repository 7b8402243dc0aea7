"""Each cause of a missing value is found out and named."""

import numpy as np
import pytest
import xarray as xr

from data.gaps import check_no_gaps, check_only_natural_gaps
from data.plausibility import check_stored_values, check_values

LATITUDE, LONGITUDE = np.linspace(-90, 90, 7), np.arange(12) * 30.0


def field(name: str, values: np.ndarray, **attrs: str) -> xr.DataArray:
    times = np.datetime64("2020-01-01", "ns") + np.arange(len(values)) * np.timedelta64(6, "h")
    coords = {"time": times, "latitude": LATITUDE, "longitude": LONGITUDE}
    return xr.DataArray(values, coords, ("time", "latitude", "longitude"), name, attrs)


def warm() -> np.ndarray:
    return np.random.default_rng(0).normal(285, 5, (2, 7, 12)).astype(np.float32)


def punctured(value: float) -> np.ndarray:
    values = warm()
    values[0, 1, 2] = value
    return values


@pytest.mark.parametrize(
    ("values", "attrs", "words"),
    [
        (punctured(np.nan), {}, "1 of its 168 are missing (NaN), the first at time 2020-01-01T00"),
        (punctured(np.inf), {}, "1 of its 168 are infinite"),
        (
            punctured(np.nan),
            {"missing_means": "never written (they hold netCDF's default fill value)"},
            "1 of its 168 are never written (they hold netCDF's default fill value)",
        ),
        (
            np.stack([warm()[0], np.full((7, 12), np.nan, np.float32)]),
            {"missing_means": "marked as missing (-9999 in the file)"},
            "none of it at 2020-01-01T06 (all values are marked as missing (-9999 in the file))",
        ),
    ],
)
def test_the_cause_is_named(values, attrs, words):
    with pytest.raises(ValueError) as caught:
        check_no_gaps(field("2m_temperature", values, **attrs))
    assert words in str(caught.value)


def test_gaps_over_land_belong_to_the_sea_s_temperature_until_a_model_needs_it():
    sea = field("sea_surface_temperature", punctured(np.nan))
    check_only_natural_gaps(sea)
    check_stored_values(sea)
    with pytest.raises(ValueError, match=r"\(sea_surface_temperature has none over land\)"):
        check_values(sea)
    with pytest.raises(ValueError, match="none of it at 2020-01-01T06"):
        check_only_natural_gaps(sea.where(sea["time"] < sea["time"][1]))
    with pytest.raises(ValueError, match="1 of its 168 are infinite"):
        check_only_natural_gaps(field("sea_surface_temperature", punctured(np.inf)))


def test_a_placeholder_over_land_is_found():
    values = warm()
    values[:, :3] = 273.16
    with pytest.raises(ValueError, match=r"273.16 K stands at 43 % .*, as a placeholder does"):
        check_stored_values(field("sea_surface_temperature", values))
    ice = np.zeros((2, 7, 12), np.float32)
    check_stored_values(field("sea_ice_cover", ice))


@pytest.mark.parametrize(
    ("order", "words"), [([2, 1, 0], "in reversed order"), ([1, 0, 2], "in another order")]
)
def test_levels_in_another_order_are_named_as_that(order, words):
    heights = np.array([90e3, 55e3, 15e3], np.float32)[order]  # at 300, 500, 850 hPa
    values = heights[:, np.newaxis, np.newaxis] + np.zeros((3, 7, 12), np.float32)
    coords = {"level": [300, 500, 850], "latitude": LATITUDE, "longitude": LONGITUDE}
    array = xr.DataArray(values, coords, ("level", "latitude", "longitude"), "geopotential")
    with pytest.raises(ValueError, match=words):
        check_values(array)
