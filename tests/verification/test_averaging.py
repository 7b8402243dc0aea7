"""Laws of means over regions."""

import numpy as np
import pytest
import xarray as xr

from mesh.grid import LatLonGrid
from verification.averaging import RegionWeights
from verification.regions import REGIONS, Region

GRIDS = [
    LatLonGrid.regular(10.0),
    LatLonGrid.regular(7.5, poles=False),
    LatLonGrid.gaussian(16),
    LatLonGrid.from_coordinates(
        LatLonGrid.regular(10.0).latitude[::-1], np.arange(-180.0, 180.0, 10.0)
    ),
]


@pytest.mark.parametrize("grid", GRIDS)
def test_weights_of_every_region_sum_to_one(grid):
    weights = RegionWeights.on(grid, REGIONS)
    points = weights.rows * weights.columns
    np.testing.assert_allclose(points.sum(["latitude", "longitude"]), 1.0, rtol=1e-12)
    assert (points >= 0).all()


@pytest.mark.parametrize("grid", GRIDS)
def test_the_mean_of_a_constant_is_the_constant_everywhere(grid):
    weights = RegionWeights.on(grid, REGIONS)
    field = xr.full_like(weights.rows[0] * weights.columns[0], 7.25).drop_vars("region")
    np.testing.assert_allclose(weights.mean(field), 7.25, rtol=1e-12)


@pytest.mark.parametrize("grid", GRIDS)
def test_global_mean_of_the_squared_sine_of_latitude_is_a_third(grid):
    weights = RegionWeights.on(grid, ["global"])
    sine = np.sin(np.deg2rad(weights.rows.latitude)) ** 2
    field = sine * xr.ones_like(weights.columns[0]).drop_vars("region")
    # 1 %: the midpoint rule on 10° rows
    np.testing.assert_allclose(weights.mean(field), 1 / 3, rtol=1e-2)


def test_the_mean_is_the_hand_written_formula():
    grid = LatLonGrid.regular(10.0)
    field = xr.DataArray(
        np.random.default_rng(0).normal(size=grid.shape).astype("f4"),
        {"latitude": list(grid.latitude), "longitude": list(grid.longitude)},
    )
    europe = field.sel(latitude=slice(35, 75)).values[:, [35, 0, 1, 2, 3, 4]]  # 350°, 0° … 40°
    edges = np.sin(np.deg2rad(np.arange(35, 76, 10)))
    areas = np.diff(edges)
    expected = (europe.mean(axis=1) * areas).sum() / areas.sum()
    mean = RegionWeights.on(grid, ["europe"]).mean(field)
    np.testing.assert_allclose(mean.sel(region="europe"), expected, rtol=1e-6)


def test_regions_cross_any_meridian_in_any_convention():
    pacific = Region(25, 60, 145, 230)
    for longitude in (np.arange(0.0, 360, 5), np.arange(-180.0, 180, 5)):
        inside = longitude[pacific.columns(longitude)] % 360
        assert (inside.min(), inside.max()) == (145, 230)
    assert Region(-90, 90).columns(np.arange(0.0, 360, 5)).all()


def test_nan_anywhere_makes_the_mean_nan_and_never_vanishes():
    grid = LatLonGrid.regular(10.0)
    weights = RegionWeights.on(grid, ["tropics"])
    field = (weights.rows[0] * weights.columns[0]).drop_vars("region").copy()
    field[0, 0] = np.nan
    assert np.isnan(weights.mean(field)).all()


def test_a_field_of_rows_is_averaged_over_the_rows_of_a_region():
    grid = LatLonGrid.regular(10.0)
    weights = RegionWeights.on(grid, ["global", "tropics"])
    spectrum = (weights.rows[0] * 0 + xr.DataArray([1.0, 2.0], dims="wavenumber")).drop_vars(
        "region"
    )
    mean = weights.mean(spectrum)
    assert set(mean.dims) == {"region", "wavenumber"}
    np.testing.assert_allclose(mean.transpose("region", ...), [[1, 2], [1, 2]], rtol=1e-12)


def test_unknown_and_empty_regions_are_refused():
    with pytest.raises(
        ValueError, match=r"unknown region\(s\) 'europa' \(did you mean 'europe'\?\)"
    ):
        RegionWeights.on(GRIDS[0], ["europa"])
    with pytest.raises(ValueError, match=r"s\.africa hold no point of the 5 by 8 grid"):
        RegionWeights.on(LatLonGrid.regular(45.0), ["global", "s.africa"])
