"""Regridding: laws, a brute-force oracle, and real fields."""

import tracemalloc

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from data.regrid import METHODS, regrid
from data.regrid.fields import BLOCK, whole_fields
from data.sources import open_inputs
from data.sources.grids import grid_named
from mesh.grid import LatLonGrid
from tests.data.regrid.small_grids import (
    GRIDS,
    SHIFTED,
    WEIGHTED,
    areas,
    coordinates,
    field,
    matrices,
    on,
    random_field,
)
from tests.reference import real


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", GRIDS)
def test_on_its_own_grid_nothing_changes(name, method):
    source = field(GRIDS[name], random_field(GRIDS[name]))
    np.testing.assert_array_equal(on(source, GRIDS[name], method), source["2m_temperature"])


def test_at_a_pole_that_the_source_lacks_a_scalar_has_one_value():
    source, target = GRIDS["N16"], GRIDS["4"]
    values = random_field(source)
    result = on(field(source, values), target, "bilinear")
    for row, nearest in ((0, 0), (-1, -1)):
        # rtol 1e-6: a float32 mean of 64 numbers
        np.testing.assert_allclose(result[row], values[nearest].mean(), rtol=1e-6)


def test_at_a_pole_that_the_source_lacks_the_wind_is_one_vector():
    """A uniform wind across the pole, of 10 m/s towards 30°E, has components that turn."""
    source, target = GRIDS["N16"], GRIDS["4"]
    name = "u_component_of_wind"
    wind = 10 * np.sin(np.deg2rad(30 - source.axes()[1]))
    values = np.broadcast_to(wind, source.shape)
    result = on(field(source, values, name), target, "bilinear", name)
    expected = 10 * np.sin(np.deg2rad(30 - target.axes()[1]))
    # atol 0.02: between points 5.6° apart, a straight line is 0.12 % below the sine
    for row in (0, -1):
        np.testing.assert_allclose(result[row], expected, atol=0.02)


def test_a_subsample_is_every_second_point():
    fine, coarse = LatLonGrid.regular(5), GRIDS["10"]
    values = random_field(fine).astype(np.float32)
    np.testing.assert_array_equal(on(field(fine, values), coarse, "subsample"), values[::2, ::2])


def test_a_subsample_of_points_that_are_not_there_is_refused():
    words = r"longitude 356 is not \(the nearest is 350\); regrid conservatively or bilinearly"
    with pytest.raises(ValueError, match=words):
        regrid(
            field(GRIDS["10"], random_field(GRIDS["10"])),
            LatLonGrid(GRIDS["10"].latitude, GRIDS["4"].longitude),
            method="subsample",
        )


@pytest.mark.parametrize("method", WEIGHTED)
def test_a_nan_is_neither_skipped_nor_spread_beyond_its_weights(method):
    source, target = GRIDS["4"], GRIDS["10"]
    values = random_field(source)
    values[20, 40] = np.nan
    result = matrices("4", "10", method)
    touched = (result.rows.toarray()[:, 20] > 0)[:, None] & (result.columns.toarray()[:, 40] > 0)
    missing = np.isnan(on(field(source, values), target, method))
    np.testing.assert_array_equal(missing, touched)
    assert missing.any()
    assert not missing.all()


def test_attributes_stay_and_say_what_was_done():
    attrs = {"units": "m", "cell_methods": "time: sum", "provenance": "found"}
    source = field(GRIDS["4"], random_field(GRIDS["4"]), **attrs)
    source["latitude"].attrs["units"] = "degrees_north"
    result = regrid(source, GRIDS["10"])
    assert result["2m_temperature"].attrs == {
        "units": "m",
        "cell_methods": "time: sum area: mean",
        "provenance": "found; regridded (conservative) from 46 x 90 points to 19 x 36 points",
    }
    assert result["latitude"].attrs == {"units": "degrees_north"}
    for method, target in (("bilinear", GRIDS["10"]), ("subsample", LatLonGrid.regular(20))):
        looked_at = regrid(source, target, method=method)["2m_temperature"].attrs
        assert looked_at["cell_methods"] == "time: sum"
        assert f"regridded ({method}) from" in looked_at["provenance"]


def test_float32_stays_float32_and_dimensions_stay_in_order():
    grid = GRIDS["4"]
    dims = ("time", "level", "latitude", "longitude")
    data = np.zeros((2, 3, *grid.shape), np.float32)
    dataset = xr.Dataset(
        {"temperature": (dims, data), "number_of_days": ("time", [1, 2])},
        coords={"level": [1, 2, 3], **coordinates(grid)},
    )
    result = regrid(dataset, GRIDS["10"])
    assert list(result.data_vars) == list(dataset.data_vars)
    assert result["temperature"].dims == dims
    assert result["temperature"].dtype == np.float32
    assert result["temperature"].shape == (2, 3, *GRIDS["10"].shape)


def frames(count, computed):
    """`count` lazy times of 1°; `computed` notes each that is made."""
    grid = LatLonGrid.regular(1)

    def made(block_info=None):
        computed.append(block_info[None]["chunk-location"][0])
        return np.full((1, *grid.shape), 280.0, np.float32)

    lazy = da.map_blocks(
        made,
        chunks=((1,) * count, *((n,) for n in grid.shape)),
        dtype=np.float32,
        meta=np.empty(0),
    )
    return xr.Dataset(
        {"2m_temperature": (("time", "latitude", "longitude"), lazy)},
        coords={
            "time": np.datetime64("2020-01-01", "ns") + np.arange(count) * np.timedelta64(6, "h"),
            **coordinates(grid),
        },
    )


@pytest.mark.parametrize("method", METHODS)
def test_only_the_times_that_are_wanted_are_made(method):
    computed = []
    result = regrid(frames(1000, computed), GRIDS["10"], method=method)
    assert computed == []
    result.isel(time=[3, 700]).load()
    assert sorted(computed) == [3, 700]


def peak(count):
    """Most bytes that are held while the least value of each regridded time is found."""
    result = regrid(frames(count, []), GRIDS["10"])["2m_temperature"]
    lows = result.min(("latitude", "longitude")).data
    tracemalloc.start()
    lows.compute(scheduler="synchronous")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_memory_does_not_grow_with_the_number_of_times():
    peak(2)  # imports
    few, many = peak(10), peak(110)
    field_bytes = 181 * 360 * 4
    # dask's own graph grows, by about ten kilobytes for each time: not the fields
    assert many - few < 100 * field_bytes / 10
    assert few < 10 * field_bytes


def test_large_blocks_are_cut_along_time_into_whole_fields():
    lazy = da.zeros((400, 721, 1440), chunks=(400, 103, 1440), dtype=np.float32)
    array = whole_fields(xr.DataArray(lazy, dims=("time", "latitude", "longitude")))
    times, *field_chunks = array.chunks
    assert field_chunks == [(721,), (1440,)]
    assert max(times) * 721 * 1440 * 4 <= BLOCK


def test_a_grid_may_be_that_of_a_file(tmp_path):
    field(SHIFTED, random_field(SHIFTED)).isel(latitude=slice(None, None, -1)).to_netcdf(
        tmp_path / "shifted.nc"
    )
    assert grid_named(str(tmp_path / "shifted.nc")) == SHIFTED


@pytest.mark.parametrize(
    ("text", "words"),
    [("no.nc", "not 'no.nc', and there is no file of that name"), ("O96", "N96 is full")],
)
def test_a_grid_that_is_neither_a_name_nor_a_file_is_refused(text, words):
    with pytest.raises(FileNotFoundError, match=f"a grid is a resolution .*{words}"):
        grid_named(text)


def test_regions_and_unknown_methods_are_refused():
    source = field(GRIDS["10"], random_field(GRIDS["10"]))
    north = source.sel(latitude=slice(0, 90))
    with pytest.raises(
        ValueError, match="regrid from: a grid's latitudes must reach from pole to p"
    ):
        regrid(north, GRIDS["4"])
    east = source.sel(longitude=slice(0, 180))
    with pytest.raises(ValueError, match="uniform and go once around the globe"):
        regrid(east, GRIDS["4"])
    with pytest.raises(ValueError, match="grid to regrid to has latitudes that ascend"):
        regrid(source, LatLonGrid(GRIDS["4"].latitude[::-1], GRIDS["4"].longitude))
    with pytest.raises(ValueError, match="not 'cubic'"):
        regrid(source, GRIDS["4"], method="cubic")


def test_what_lies_on_one_axis_only_is_refused():
    source = field(GRIDS["10"], random_field(GRIDS["10"]))
    clock = source.assign(day_progress_sin=("longitude", np.zeros(36)))
    with pytest.raises(ValueError, match="day_progress_sin only on one of them; drop it"):
        regrid(clock, GRIDS["4"])


def test_real_orography_keeps_its_mean_and_its_bounds():
    path = real("static/era5_surface_geopotential_0p25deg.nc")
    fine = open_inputs(path)[0][["geopotential_at_surface"]]
    source = LatLonGrid.regular(0.25)
    z = fine["geopotential_at_surface"].values
    mean = (z.astype(np.float64) * areas(source)).sum()
    for name in ("1.0", "N48"):
        grid = LatLonGrid.named(name)
        coarse = on(fine, grid, "conservative", "geopotential_at_surface")
        # rel 1e-6: the promise; float32 rounding of the cells averages out far below
        assert (coarse * areas(grid)).sum() == pytest.approx(mean, rel=1e-6)
        assert z.min() < coarse.min() < coarse.max() < z.max()
    every_fourth = on(fine, LatLonGrid.regular(1), "subsample", "geopotential_at_surface")
    np.testing.assert_array_equal(every_fourth, z[::4, ::4])
