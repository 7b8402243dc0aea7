"""Laws of means over regions."""

import numpy as np
import pytest

from data.constants import STANDARD_GRAVITY
from mesh.grid import LatLonGrid
from verification.averaging import RegionWeights
from verification.regions import REGIONS, Region, Surface, region_named

GRIDS = [
    LatLonGrid.regular(10.0),
    LatLonGrid.regular(7.5, poles=False),
    LatLonGrid.gaussian(16),
    LatLonGrid.from_coordinates(
        LatLonGrid.regular(10.0).latitude[::-1], np.arange(-180.0, 180.0, 10.0)
    ),
]


def surface(grid):
    """The eastern half is land, and height rises with longitude from 0 to 1000 m."""
    fraction = np.broadcast_to(np.arange(grid.shape[1]) / grid.shape[1], grid.shape)
    return Surface((fraction >= 0.5) * 1.0, 1000 * STANDARD_GRAVITY * fraction)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("rows", ["area", "cosine"])
def test_the_mean_of_a_constant_is_the_constant_in_every_region(grid, rows):
    weights = RegionWeights.on(grid, REGIONS, rows=rows, surface=surface(grid))
    np.testing.assert_allclose(weights.mean(np.full((2, *grid.shape), 7.25)), 7.25, rtol=1e-12)


@pytest.mark.parametrize("grid", GRIDS)
def test_global_mean_of_the_squared_sine_of_latitude_is_a_third(grid):
    sine = np.sin(np.deg2rad(grid.latitude)) ** 2
    field = np.repeat(sine[:, None], grid.shape[1], axis=1)
    # 1 %: the midpoint rule on 10° rows
    np.testing.assert_allclose(RegionWeights.on(grid, ["global"]).mean(field), 1 / 3, rtol=1e-2)


def test_the_mean_is_the_hand_written_formula():
    grid = LatLonGrid.regular(10.0)
    field = np.random.default_rng(0).normal(size=grid.shape)
    rows = [i for i, latitude in enumerate(grid.latitude) if 35 <= latitude <= 75]
    europe = field[rows][:, [35, 0, 1, 2, 3, 4]]  # 350°, 0° … 40°
    areas = np.diff(np.sin(np.deg2rad(np.arange(35, 76, 10))))
    expected = (europe.mean(axis=1) * areas).sum() / areas.sum()
    np.testing.assert_allclose(RegionWeights.on(grid, ["europe"]).mean(field)[0], expected)
    cosine = np.cos(np.deg2rad([40, 50, 60, 70]))
    expected = (europe.mean(axis=1) * cosine).sum() / cosine.sum()
    by_cosine = RegionWeights.on(grid, ["europe"], rows="cosine")
    np.testing.assert_allclose(by_cosine.mean(field)[0], expected)


def test_regions_cross_any_meridian_in_any_convention():
    pacific = Region(25, 60, 145, 230)
    for longitude in (np.arange(0.0, 360, 5), np.arange(-180.0, 180, 5)):
        inside = longitude[pacific.columns(longitude)] % 360
        assert (inside.min(), inside.max()) == (145, 230)
    assert Region(-90, 90).columns(np.arange(0.0, 360, 5)).all()


def test_wmo_boxes_have_its_rows_on_its_grid():
    grid = LatLonGrid.regular(1.5)
    latitude = np.array(grid.latitude)
    rows = {name: latitude[REGIONS[name].rows(latitude)] for name in REGIONS}
    assert (rows["wmo.nh"].min(), rows["wmo.tropics"].max()) == (21, 19.5)
    assert (rows["wmo.europe"].min(), rows["wmo.europe"].max()) == (25.5, 69)
    assert len(rows["wmo.nh"]) + len(rows["wmo.tropics"]) + len(rows["wmo.sh"]) == 121


def test_spelt_regions_are_boxes_and_may_be_narrowed_to_a_surface():
    grid = LatLonGrid.regular(10.0)
    names = ["lat:20:40", "box:-10:10:350:20", "global@land", "europe@sea", "global@height:0:500"]
    weights = RegionWeights.on(grid, names, surface=surface(grid))
    longitude = np.broadcast_to(np.array(grid.longitude), grid.shape)
    latitude = np.broadcast_to(np.array(grid.latitude)[:, None], grid.shape)
    expected = [
        (latitude == 30) * 1.0,
        ((abs(latitude) <= 10) & ((longitude >= 350) | (longitude <= 20))) * 1.0,
        (longitude >= 180) * 1.0,
        None,
        (longitude < 180) * 1.0,
    ]
    for place, inside in enumerate(expected):
        if inside is not None and place > 0:
            assert np.isclose(weights.mean(inside)[place], 1)
            assert np.isclose(weights.mean(1 - inside)[place], 0)
    assert region_named("extra-tropics").rows(np.array([-20.0, 0.0, 30.0])).tolist() == [
        True,
        False,
        True,
    ]
    assert region_named("ausnz") == region_named("austnz")


def test_nan_anywhere_makes_the_mean_nan_and_never_vanishes():
    grid = LatLonGrid.regular(10.0)
    weights = RegionWeights.on(grid, ["tropics"])
    field = np.ones(grid.shape)
    field[0, 0] = np.nan
    assert np.isnan(weights.mean(field)).all()
    total, weight = weights.mean_of_present(field)
    assert np.isclose(total / weight, 1)


def test_unknown_and_empty_regions_are_refused():
    with pytest.raises(
        ValueError, match=r"unknown region\(s\) 'europa' \(did you mean 'europe'\?\)"
    ):
        RegionWeights.on(GRIDS[0], ["europa"])
    with pytest.raises(ValueError, match=r"s\.africa hold no point of the 5 by 8 grid"):
        RegionWeights.on(LatLonGrid.regular(45.0), ["global", "s.africa"])
    with pytest.raises(ValueError, match="region land needs land_sea_mask, which neither truth"):
        RegionWeights.on(GRIDS[0], ["land"])
    with pytest.raises(ValueError, match="needs geopotential_at_surface"):
        RegionWeights.on(GRIDS[0], ["europe@height:0:9"], surface=Surface(np.ones((19, 36)), None))
    with pytest.raises(ValueError, match="narrowed by @land, @sea or @height:500:1000, not by @c"):
        region_named("europe@cities")
    with pytest.raises(ValueError, match="goes from south to north, and lat:40:20 from 40 to 20"):
        region_named("lat:40:20")
