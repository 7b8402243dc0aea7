"""Levels by name, by label and in between."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from data.regrid.levels import interpolate_levels, levels_named, select_levels
from data.sources import open_inputs
from data.task import LEVELS_13, LEVELS_37
from tests.reference import real

GRID = {"latitude": np.linspace(-90, 90, 5), "longitude": np.arange(0.0, 360, 45)}
DIMS = ("time", "level", "latitude", "longitude")


def profile(levels, function, times=1):
    """A Dataset whose temperature is `function` of pressure (hPa), times a pattern."""
    pattern = 1 + np.random.default_rng(0).random((times, 1, 5, 8))
    values = function(np.array(levels, dtype=np.float64))[:, None, None] * pattern
    return xr.Dataset(
        {
            "temperature": (DIMS, values.astype(np.float32), {"units": "K"}),
            "2m_temperature": (("time", "latitude", "longitude"), values[:, 0].astype(np.float32)),
        },
        coords={
            "time": np.datetime64("2020-01-01", "ns") + np.arange(times) * np.timedelta64(6, "h"),
            "level": ("level", list(levels), {"units": "hPa"}),
            **GRID,
        },
    )


def test_a_profile_linear_in_log_pressure_is_met_exactly():
    def linear(p):
        return 20 + 40 * np.log(p)

    wanted = (70, 125, 500, 775, 999)
    result = interpolate_levels(profile((50, 100, 300, 850, 1000), linear), wanted)
    expected = profile(wanted, linear)
    # rtol 3e-7: float32 rounding of both neighbours and of the result
    np.testing.assert_allclose(result["temperature"], expected["temperature"], rtol=3e-7)
    assert result["level"].values.tolist() == list(wanted)
    assert result["temperature"].dims == DIMS
    assert result["temperature"].dtype == np.float32


def test_levels_that_are_there_are_taken_as_they_are():
    source = profile((100, 500, 1000), np.sqrt)
    source["temperature"][0, 0] = np.nan  # a neighbour without weight may not spoil them
    result = interpolate_levels(source, (500, 700))["temperature"]
    np.testing.assert_array_equal(result.sel(level=500), source["temperature"].sel(level=500))
    assert np.isfinite(result).all()
    only = interpolate_levels(source, (500, 1000))["temperature"]
    xr.testing.assert_identical(only, source["temperature"].sel(level=[500, 1000]))


def test_interpolation_stays_between_its_neighbours():
    source = profile((100, 500, 1000), np.sin)["temperature"]
    result = interpolate_levels(source.to_dataset(), (300,))["temperature"].isel(level=0)
    pair = source.sel(level=[100, 500])
    assert ((result >= pair.min("level")) & (result <= pair.max("level"))).all()


def test_a_missing_value_is_not_skipped():
    source = profile((100, 500, 1000), np.sqrt)
    source["temperature"][0, 1, 2, 3] = np.nan
    missing = np.isnan(interpolate_levels(source, (300, 1000))["temperature"].values)
    assert missing[0, 0, 2, 3]
    assert missing.sum() == 1


def test_what_has_no_level_is_left_alone():
    source = profile((100, 500), np.sqrt)
    result = interpolate_levels(source, (200,))
    xr.testing.assert_identical(result["2m_temperature"], source["2m_temperature"])
    surface = source[["2m_temperature"]]
    xr.testing.assert_identical(interpolate_levels(surface, (200,)), surface)
    xr.testing.assert_identical(select_levels(surface, (200,)), surface)


@pytest.mark.parametrize(("wanted", "words"), [((50, 300), "50 hPa"), ((300, 1050), "1050 hPa")])
def test_nothing_is_extrapolated(wanted, words):
    with pytest.raises(ValueError, match=rf"nothing is extrapolated.*{words}.*100 to 1000 hPa"):
        interpolate_levels(profile((100, 1000), np.sqrt), wanted)


def test_selection_is_by_label_and_names_what_is_missing():
    source = profile((100, 500, 1000), np.sqrt)
    xr.testing.assert_identical(select_levels(source, (1000, 100)), source.sel(level=[100, 1000]))
    with pytest.raises(ValueError, match=r"levels 200, 850 hPa are not .* have 100, 500, 1000;"):
        select_levels(source, (200, 500, 850))


def test_the_note_says_what_was_done():
    result = interpolate_levels(profile((100, 500, 1000), np.sqrt), (300,))
    assert result["temperature"].attrs == {
        "units": "K",
        "provenance": "interpolated in log(pressure) from 3 levels",
    }
    assert result["level"].attrs == {"units": "hPa"}


def test_interpolation_is_lazy_time_by_time():
    computed = []

    def made(block_info=None):
        computed.append(block_info[None]["chunk-location"][:2])
        return np.ones((1, 1, 5, 8), np.float32)

    chunks = ((1,) * 100, (1,) * 3, (5,), (8,))
    lazy = da.map_blocks(made, chunks=chunks, dtype=np.float32, meta=np.empty(0))
    source = profile((100, 500, 1000), np.sqrt, times=100).assign(temperature=(DIMS, lazy))
    result = interpolate_levels(source, (300, 400))
    assert computed == []
    result.isel(time=7).load()
    assert sorted(computed) == [(7, 0), (7, 1), (7, 2)]


def test_levels_are_known_by_name():
    assert levels_named("13") == LEVELS_13
    assert levels_named(" 37 ") == LEVELS_37
    assert levels_named("850, 500") == (500, 850)
    assert levels_named("500") == (500,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("all", "levels are 13, 37 or a list in hPa with commas"),
        ("500;850", "not '500;850'"),
        ("", "not ''"),
        ("500,500", "each once"),
        ("0,500", "1 to 1100 hPa"),
        ("50000", "1 to 1100 hPa"),
    ],
)
def test_levels_that_cannot_be_are_refused(text, words):
    with pytest.raises(ValueError, match=words):
        levels_named(text)


def test_real_levels_left_out_come_back_nearly():
    dataset = open_inputs(real("states/era5_tl31_37lev_19590102T00.nc"))[0]
    kept = [p for p in LEVELS_37 if p != 550]
    result = interpolate_levels(select_levels(dataset, kept), LEVELS_37)
    error = (result - dataset)["temperature"].sel(level=550).values
    # K: temperature between 500 and 600 hPa is nearly linear in log(p)
    assert np.sqrt(np.mean(error**2)) < 0.5
    assert np.abs(result - dataset)["temperature"].sel(level=kept).max() == 0
