import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh import LatLonGrid

EVEN = np.arange(-90, 91, 10.0)
AROUND = np.arange(0, 360, 10.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("start", [0.0, -180.0, 20.1, 359.9])
@pytest.mark.parametrize("resolution", [0.1, 0.25, 1 / 3, 0.28125, 1, 5.625])
def test_regular_coordinates_are_taken_from_any_start(
    resolution: float, start: float, dtype: type
) -> None:
    columns = round(360 / resolution)
    longitude = (start + resolution * np.arange(columns)).astype(dtype)
    latitude = np.linspace(90, -90, columns // 2 + 1).astype(dtype)
    grid = LatLonGrid.from_coordinates(latitude, longitude)
    assert grid.shape == (columns // 2 + 1, columns)
    assert grid.size == len(latitude) * len(longitude)
    np.testing.assert_array_equal(grid.latitude, latitude)
    np.testing.assert_array_equal(grid.longitude, longitude)


def test_longitudes_rounded_to_a_thousandth_of_a_degree_are_taken() -> None:
    whole = LatLonGrid.gaussian(320)
    rounded = np.round(whole.longitude, 3)
    assert LatLonGrid.from_coordinates(whole.latitude, rounded).shape == whole.shape


def test_a_pole_may_be_rounded_beyond_itself() -> None:
    beyond = np.nextafter(np.float32(90), np.float32(91))
    grid = LatLonGrid.from_coordinates(np.array([-beyond, 0, beyond]), AROUND)
    assert grid.has_poles
    np.testing.assert_allclose(grid.row_areas().sum(), 1, rtol=1e-12)


@given(st.integers(2, 40), st.booleans())
def test_areas_sum_to_the_sphere(rows: int, poles: bool) -> None:
    areas = LatLonGrid.regular(180 / rows, poles=poles).row_areas()
    assert areas.min() > 0
    np.testing.assert_allclose(areas.sum(), 1, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 16, 48, 320])
def test_gaussian_grids_are_symmetric_and_have_no_poles(n: int) -> None:
    grid = LatLonGrid.gaussian(n)
    assert grid.shape == (2 * n, 4 * n)
    assert not grid.has_poles
    np.testing.assert_allclose(np.add(grid.latitude, grid.latitude[::-1]), 0, atol=1e-12)
    np.testing.assert_allclose(grid.row_areas().sum(), 1, rtol=1e-12)


def test_gaussian_latitudes_are_the_published_ones() -> None:
    # N48: the first latitudes of ECMWF's table of Gaussian grids
    published = [88.572169, 86.722531, 84.861970]
    np.testing.assert_allclose(LatLonGrid.gaussian(48).latitude[:-4:-1], published, atol=5e-7)


def test_bounds_lie_midway_between_rows_and_end_at_the_poles() -> None:
    grid = LatLonGrid.regular(45.0)
    np.testing.assert_array_equal(grid.row_bounds(), [-90, -67.5, -22.5, 22.5, 67.5, 90])
    down = LatLonGrid(grid.latitude[::-1], grid.longitude)
    np.testing.assert_array_equal(down.row_bounds(), grid.row_bounds()[::-1])


@pytest.mark.parametrize(
    ("text", "grid"),
    [
        ("0.25", LatLonGrid.regular(0.25)),
        (" 1 ", LatLonGrid.regular(1.0)),
        ("N48", LatLonGrid.gaussian(48)),
        ("f8", LatLonGrid.gaussian(8)),
    ],
)
def test_grids_are_known_by_name(text: str, grid: LatLonGrid) -> None:
    assert LatLonGrid.named(text) == grid


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("inputs.nc", "a resolution in degrees (0.25) or a full Gaussian grid (N48), not 'inputs"),
        ("O320", "not 'O320' (rows of an octahedral grid differ in length; N320 is full)"),
        ("7", "must divide 180 degrees into at least two steps, got 7; 6.92308 degrees would"),
        ("1e-9", "must divide 180 degrees into at least two steps, got 1e-09"),
        ("-1", "must divide 180 degrees"),
        ("inf", "must divide 180 degrees"),
        ("N0", "at least one row per hemisphere, got N0"),
    ],
)
def test_names_of_no_grid_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        LatLonGrid.named(text)


def millidegrees(values: np.ndarray, cut_off: bool) -> np.ndarray:
    """Coordinates as GRIB edition 1 stores them: rounded, or cut off towards zero."""
    return (np.trunc if cut_off else np.round)(values * 1000) / 1000


@pytest.mark.parametrize("cut_off", [False, True])
@pytest.mark.parametrize("name", ["0.25", "0.28125", "1", "N48", "N320"])
def test_a_grid_is_recognised_through_the_rounding_of_files(name: str, cut_off: bool) -> None:
    grid = LatLonGrid.named(name)
    written = LatLonGrid.from_coordinates(*(millidegrees(axis, cut_off) for axis in grid.axes()))
    float32 = LatLonGrid.from_coordinates(*(axis.astype(np.float32) for axis in grid.axes()))
    rounded = LatLonGrid.from_coordinates(*(millidegrees(axis, False) for axis in grid.axes()))
    for one in (grid, written, float32, rounded):
        assert all(one.matches(other) for other in (grid, written, float32, rounded))


def test_rounded_down_longitudes_that_begin_off_greenwich_are_uniform() -> None:
    start = 0.0005 + 360 / 1280 / 2  # the first column is cut off by half a thousandth, too
    longitude = millidegrees(start + np.arange(1280) * 360 / 1280, cut_off=True)
    assert LatLonGrid.from_coordinates(EVEN, longitude).shape == (19, 1280)


@pytest.mark.parametrize(
    "other",
    [
        LatLonGrid.regular(10.0, poles=False),
        LatLonGrid(LatLonGrid.regular(10.0).latitude[::-1], LatLonGrid.regular(10.0).longitude),
        LatLonGrid.from_coordinates(EVEN, AROUND + 0.01),
        LatLonGrid.regular(5.0),
        LatLonGrid.gaussian(9),
    ],
)
def test_other_points_or_another_order_are_another_grid(other: LatLonGrid) -> None:
    grid = LatLonGrid.regular(10.0)
    assert grid.matches(grid)
    assert not grid.matches(other)
    assert not other.matches(grid)


def test_areas_follow_the_rows() -> None:
    down = LatLonGrid.from_coordinates(EVEN[::-1][:-1], AROUND)  # no south pole
    up = LatLonGrid.from_coordinates(EVEN[1:], AROUND)
    np.testing.assert_allclose(down.row_areas(), up.row_areas()[::-1], rtol=1e-12)
    last = (1 - np.sin(np.deg2rad(75))) / 2  # the row at 80 degrees south reaches to the pole
    np.testing.assert_allclose(down.row_areas()[-1], last, rtol=1e-12)


def test_areas_of_rows_by_hand() -> None:
    # poles, ±30, equator: caps from 60 to 90, rows from 15 to 60, equator between ±15 degrees
    grid = LatLonGrid.from_coordinates([-90, -30, 0, 30, 90], AROUND)
    sine = np.sin(np.deg2rad([15, 60, 90]))
    expected = [(sine[2] - sine[1]) / 2, (sine[1] - sine[0]) / 2, sine[0]]
    np.testing.assert_allclose(grid.row_areas(), expected + expected[1::-1], rtol=1e-12)


@pytest.mark.parametrize(
    ("grid", "shape", "poles"),
    [
        (LatLonGrid.regular(0.25), (721, 1440), True),
        (LatLonGrid.regular(1.0), (181, 360), True),
        (LatLonGrid.regular(5.625, poles=False), (32, 64), False),
    ],
)
def test_regular_grids(grid: LatLonGrid, shape: tuple[int, int], poles: bool) -> None:
    assert grid.shape == shape
    assert grid.has_poles == poles
    assert grid.longitude[0] == 0


def test_nodes_count_along_longitude_first() -> None:
    grid = LatLonGrid.regular(45.0)
    latitude, longitude = grid.nodes()
    assert latitude.dtype == longitude.dtype == np.float32
    np.testing.assert_array_equal(latitude.reshape(grid.shape)[:, 0], grid.latitude)
    np.testing.assert_array_equal(longitude.reshape(grid.shape)[0], grid.longitude)


@pytest.mark.parametrize(
    ("latitude", "longitude", "sentence"),
    [
        (
            np.ones((3, 3)),
            AROUND,
            "latitude must be one-dimensional, got shape (3, 3); pass the coordinate vector",
        ),
        (
            [0.0],
            AROUND,
            "latitudes must be two or more finite degrees between -90 and 90, got [0.0]; convert",
        ),
        ([-90, np.nan, 90], AROUND, "finite degrees between -90 and 90, got [-90.0, nan, 90.0]"),
        (EVEN + 90, AROUND, "between -90 and 90, got 0, 10, ..., 180 (19 values); convert radians"),
        (
            [-90, 0, 0, 90],
            AROUND,
            "strictly increasing or strictly decreasing, got 0 followed by 0 at row 1; sort the "
            "rows and drop repeated ones",
        ),
        ([90, 0, 10, -90], AROUND, "got 0 followed by 10 at row 1"),
        (
            np.arange(20, 70, 10),
            AROUND,
            "must reach from pole to pole (the end rows within one step of ±90), got 20, 30, ..., "
            "60 (5 values); use the global field, not a region",
        ),
        (np.arange(-60, 61, 10), AROUND, "must reach from pole to pole"),
        (EVEN, [10.0], "longitudes must be two or more finite degrees, got [10.0]; pass"),
        (
            EVEN,
            AROUND[::-1],
            "must increase from west to east, got 350 followed by 340 at column 0; sort the "
            "columns",
        ),
        (EVEN, np.roll(AROUND, 18), "got 350 followed by 0 at column 17; sort the columns"),
        (
            EVEN,
            np.append(AROUND, 360),
            "uniform and go once around the globe (37 columns, 9.72973 degrees apart), got 0, 10, "
            "..., 360 (37 values); drop the last column, which repeats the first",
        ),
        (
            EVEN,
            AROUND[:-1],
            "..., 340 (35 values); use the global field, or regrid it to uniform longitudes",
        ),
        (EVEN, AROUND + np.where(AROUND == 50, 0.1, 0), "longitudes must be uniform"),
    ],
)
def test_bad_coordinates_are_refused(
    latitude: np.ndarray, longitude: np.ndarray, sentence: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        LatLonGrid.from_coordinates(latitude, longitude)


@pytest.mark.parametrize("resolution", [0.0, -1.0, 180.0, np.nan])
def test_impossible_resolutions_are_refused(resolution: float) -> None:
    with pytest.raises(ValueError, match="must divide 180 degrees into at least two steps, got"):
        LatLonGrid.regular(resolution)


def test_a_resolution_that_does_not_divide_is_refused_with_one_that_does() -> None:
    with pytest.raises(ValueError, match=re.escape("got 0.7; 0.700389 degrees would")):
        LatLonGrid.regular(0.7)


def test_a_gaussian_grid_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row per hemisphere, got N0; N48 has 96"):
        LatLonGrid.gaussian(0)
