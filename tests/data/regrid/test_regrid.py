"""Regridding: laws, a brute-force oracle, and real fields."""

import tracemalloc

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from data.regrid import METHODS, regrid
from data.regrid.fields import BLOCK, whole_fields
from data.regrid.weights import weights
from data.sources import open_inputs
from data.sources.grids import grid_named
from mesh.grid import LatLonGrid
from tests.reference import real

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


@pytest.mark.parametrize("method", WEIGHTED)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_weights_are_never_negative_and_sum_to_one(one, other, method):
    for matrix in matrices(one, other, method)[:2]:
        assert matrix.data.min() > 0  # zeros are not stored
        # atol 1e-12: float64 rounding of at most a few dozen weights
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("method", WEIGHTED)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_constant_stays_constant(one, other, method):
    flat = field(GRIDS[one], np.full(GRIDS[one].shape, 287.65))
    # exact but for the last bit of float32
    np.testing.assert_allclose(on(flat, GRIDS[other], method), np.float32(287.65), rtol=1e-7)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_conservative_keeps_the_global_mean(one, other):
    source = field(GRIDS[one], random_field(GRIDS[one]))
    before = (source["2m_temperature"].values.astype(np.float64) * areas(GRIDS[one])).sum()
    after = (on(source, GRIDS[other], "conservative") * areas(GRIDS[other])).sum()
    assert after == pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", GRIDS)
def test_on_its_own_grid_nothing_changes(name, method):
    source = field(GRIDS[name], random_field(GRIDS[name]))
    np.testing.assert_array_equal(on(source, GRIDS[name], method), source["2m_temperature"])


@pytest.mark.parametrize(("one", "other"), [("10", "N8"), ("N8", "4"), ("shifted", "10")])
def test_conservative_is_the_mean_over_a_fine_raster(one, other):
    """Brute force: both grids painted on a raster of equal-area points, then averaged."""
    source, target = GRIDS[one], GRIDS[other]
    values = random_field(source)
    n = 20_000
    sines = (np.arange(n) + 0.5) / n * 2 - 1
    turns = (np.arange(n) + 0.5) / n * 360
    from_row, to_row = (rows_at(g, sines) for g in (source, target))
    from_column, to_column = (columns_at(g, turns) for g in (source, target))
    rows = histogram(to_row, from_row, target.shape[0], source.shape[0])
    columns = histogram(to_column, from_column, target.shape[1], source.shape[1])
    expected = rows @ values @ columns.T
    # A row of the raster is 1/20000 of the sphere's height; the smallest row here, at the pole of
    # the 4° grid, has sin height 6e-4, so a weight is off by up to 1/6 there, 1e-3 elsewhere.
    inner = slice(1, -1)
    result = on(field(source, values), target, "conservative")
    np.testing.assert_allclose(result[inner], expected[inner], atol=0.15)
    np.testing.assert_allclose(result, expected, atol=3)


def rows_at(grid, sines):
    middle = bounds(grid.latitude)[1:-1]
    return np.searchsorted(np.sin(np.deg2rad(middle)), sines)


def columns_at(grid, turns):
    step = 360 / grid.shape[1]
    return np.floor((turns - grid.longitude[0] + step / 2) / step).astype(int) % grid.shape[1]


def histogram(to, source, rows, columns):
    counts = np.zeros((rows, columns))
    np.add.at(counts, (to, source), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def test_conservative_weights_are_overlaps_of_cells_written_out():
    for one, other in PAIRS:
        source, target = GRIDS[one], GRIDS[other]
        result = matrices(one, other, "conservative")
        edges, to_edges = (bounds(g.latitude) for g in (source, target))
        for i in (0, 1, target.shape[0] // 2, target.shape[0] - 1):
            low, high = to_edges[i], to_edges[i + 1]
            expected = [
                max(0.0, sine(min(edges[j + 1], high)) - sine(max(edges[j], low)))
                if min(edges[j + 1], high) > max(edges[j], low)
                else 0.0
                for j in range(source.shape[0])
            ] / (sine(high) - sine(low))
            # atol 1e-12: the differences of sines near 1 have lost four digits
            np.testing.assert_allclose(result.rows.toarray()[i], expected, atol=1e-12)


def sine(degrees):
    return np.sin(np.deg2rad(degrees))


def bounds(latitude):
    return [-90, *((a + b) / 2 for a, b in zip(latitude[1:], latitude[:-1], strict=True)), 90]


@settings(deadline=None, max_examples=30)
@given(st.floats(-89.9, 89.9), st.floats(0, 360, exclude_max=True), st.integers(0, 5))
def test_bilinear_is_the_formula_of_four_points(latitude, longitude, seed):
    source = GRIDS["10"]
    values = random_field(source, seed)
    i = min(int((latitude + 90) // 10), 17)
    j = int(longitude // 10) % 36  # 359.9999999999999 // 10 may be 36
    y, x = (latitude - source.latitude[i]) / 10, longitude / 10 - j
    corners = values[i : i + 2][:, [j, (j + 1) % 36]]
    expected = np.array([1 - y, y]) @ corners @ np.array([1 - x, x])
    target = LatLonGrid((-90.0, latitude, 90.0), (longitude, longitude + 180))
    result = weights("bilinear", source, target)
    # atol 1e-9: float64
    got = (result.rows @ values @ result.columns.T)[1, 0]
    assert got == pytest.approx(expected, abs=1e-9)


def test_bilinear_is_exact_for_what_is_linear_and_goes_on_across_greenwich():
    source, target = GRIDS["10"], GRIDS["4"]
    φ = np.broadcast_to(source.axes()[0][:, None], source.shape)
    # float32 of numbers up to 90: 4e-6
    np.testing.assert_allclose(
        on(field(source, φ), target, "bilinear"),
        np.broadcast_to(target.axes()[0][:, None], target.shape),
        atol=1e-5,
    )
    near = np.zeros(source.shape)
    near[:, 0] = 10.0  # Greenwich; 356° is four tenths of the way from 0 to 350
    result = on(field(source, near), target, "bilinear")
    assert result[20, -1] == pytest.approx(6.0)
    assert result[20, 1] == pytest.approx(6.0)


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


def test_nearest_is_the_nearest_of_all_points_by_brute_force():
    source, target = GRIDS["10"], GRIDS["N8"]
    values = np.arange(source.size).reshape(source.shape)
    φs, λs = source.axes()
    result = on(field(source, values), target, "nearest")
    for i, φ in enumerate(target.latitude):
        for j, λ in enumerate(target.longitude):
            row, column = divmod(int(result[i, j]), source.shape[1])
            turn = np.abs((λs - λ + 180) % 360 - 180)
            assert abs(φs[row] - φ) == np.abs(φs - φ).min()
            assert turn[column] == turn.min()


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
