"""Statics on any grid."""

import numpy as np
import pytest
import xarray as xr

from data.preparation.statics import read_statics, statics_on
from mesh.grid import LatLonGrid
from tests.reference import real

FINE, COARSE = LatLonGrid.regular(5), LatLonGrid.regular(15)


def mask(values=None):
    """A file's Dataset with land where the random numbers are high."""
    if values is None:
        values = (np.random.default_rng(0).random(FINE.shape) > 0.7).astype(np.float32)
    return xr.Dataset(
        {"lsm": (("latitude", "longitude"), values, {"units": "1", "maximum_value": 1.0})},
        coords=dict(zip(("latitude", "longitude"), FINE.axes(), strict=True)),
    )


def areas(grid):
    return grid.row_areas()[:, None] / len(grid.longitude)


def test_a_land_fraction_stays_a_fraction_of_the_same_globe(tmp_path):
    source = mask()
    source.to_netcdf(tmp_path / "mask.nc")
    land = read_statics([tmp_path / "mask.nc"], ["land_sea_mask"], COARSE)["land_sea_mask"]
    assert land.shape == (13, 24)
    assert land.dtype == np.float32
    assert 0 <= land.min() < land.max() <= 1
    expected = float((source["lsm"].values * areas(FINE)).sum())
    assert float((land * areas(COARSE)).sum()) == pytest.approx(expected, rel=1e-6)


def test_attributes_are_the_catalogues_and_say_where_it_came_from(tmp_path):
    mask().to_netcdf(tmp_path / "mask.nc")
    attrs = read_statics([tmp_path / "mask.nc"], ["land_sea_mask"], COARSE)["land_sea_mask"].attrs
    assert attrs["standard_name"] == "land_area_fraction"
    assert attrs["cell_methods"] == "area: mean"
    assert attrs["source_file"] == "mask.nc"
    assert "conservative" in attrs["provenance"]
    assert "maximum_value" not in attrs


def test_the_first_file_that_has_a_static_gives_it(tmp_path):
    for name, value in (("one", 0.25), ("two", 0.75)):
        flat = np.full(FINE.shape, value, np.float32)
        mask(flat).to_netcdf(tmp_path / f"{name}.nc")
    files = [tmp_path / "two.nc", tmp_path / "one.nc"]
    assert (read_statics(files, ["land_sea_mask"], COARSE)["land_sea_mask"] == 0.75).all()


def test_a_static_that_no_file_has_is_refused(tmp_path):
    mask().to_netcdf(tmp_path / "mask.nc")
    with pytest.raises(ValueError, match=r"none of .*mask.nc'\] has geopotential_at_surface; name"):
        names = ["land_sea_mask", "geopotential_at_surface"]
        read_statics([tmp_path / "mask.nc"], names, COARSE)


def test_a_static_with_missing_values_is_refused():
    source = mask().rename(lsm="land_sea_mask")
    source["land_sea_mask"][10, 10] = np.nan
    with pytest.raises(ValueError, match="land_sea_mask has no value at 1 points"):
        statics_on(source, COARSE)


def test_real_orography_on_one_degree():
    path = real("static/era5_surface_geopotential_0p25deg.nc")
    z = read_statics([path], ["geopotential_at_surface"], LatLonGrid.regular(1))
    z = z["geopotential_at_surface"]
    assert z.shape == (181, 360)
    assert z.attrs["units"] == "m2 s-2"
    # The Himalaya (28°N 87°E) are high, the Pacific (0°N 200°E) is not; g = 9.80665 m s-2.
    assert z.sel(latitude=28, longitude=87) > 9.8 * 3000
    assert abs(z.sel(latitude=0, longitude=200)) < 9.8 * 5
