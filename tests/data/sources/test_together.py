"""Several files are read as one Dataset, joined by their labels."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data.sources import open_inputs, open_truth
from data.sources.files.places import files_named
from data.sources.inputs import open_joined

T0 = np.datetime64("2022-01-01T00", "ns")
STEP = np.timedelta64(6, "h")
UPPER, SURFACE, STATIC = "temperature", "2m_temperature", "land_sea_mask"


def weather(times: int = 3) -> xr.Dataset:
    rng = np.random.default_rng(1)
    shape = (times, 2, 7, 12)
    t = rng.normal(260, 10, shape).astype(np.float32)
    return xr.Dataset(
        {
            UPPER: (("time", "level", "latitude", "longitude"), t, {"units": "K"}),
            SURFACE: (("time", "latitude", "longitude"), t[:, 0] + 20, {"units": "K"}),
            STATIC: (("latitude", "longitude"), rng.random(shape[2:], np.float32), {"units": "1"}),
        },
        coords={
            "time": T0 + STEP * np.arange(times),
            "level": ("level", [500, 850], {"units": "hPa"}),
            "latitude": np.linspace(-90, 90, 7),
            "longitude": np.arange(12) * 30.0,
        },
    )


@pytest.fixture
def whole(tmp_path: Path) -> xr.Dataset:
    """A Dataset that is also in a file for each kind of field and in a file for each time."""
    dataset = weather()
    for name, fields in (("pl", [UPPER]), ("sfc", [SURFACE]), ("static", [STATIC])):
        dataset[fields].to_netcdf(tmp_path / f"{name}.nc")
    (tmp_path / "days").mkdir()
    for index in range(3):
        dataset.isel(time=[index]).to_netcdf(tmp_path / "days" / f"{index}.nc")
    (tmp_path / "days" / "README").write_text("no data")
    return dataset


def test_a_file_for_each_kind_of_field_is_as_good_as_one(whole, tmp_path):
    (found,) = open_inputs([tmp_path / f"{name}.nc" for name in ("sfc", "pl", "static")])
    xr.testing.assert_equal(found.compute(), whole)


@pytest.mark.parametrize("place", ["days", "days/*.nc", "days/[0-2].nc"])
def test_a_folder_or_a_pattern_is_as_good_as_one_file(whole, tmp_path, place):
    (found,) = open_inputs(f"{tmp_path}/{place}")
    xr.testing.assert_equal(found[[UPPER, SURFACE]].compute(), whole[[UPPER, SURFACE]])
    (truth,) = open_truth(f"{tmp_path}/{place}", init_time=None)
    xr.testing.assert_equal(truth.compute(), found.compute())


def test_a_clock_without_a_grid_may_be_in_any_of_the_files(whole, tmp_path):
    clock = xr.DataArray(np.arange(3, dtype=np.float32), {"time": whole.time}, name="x")
    for name in (SURFACE, UPPER):
        whole[[name]].assign(year_progress_sin=clock).to_netcdf(tmp_path / f"{name}.nc")
    (found,) = open_inputs([tmp_path / f"{name}.nc" for name in (SURFACE, UPPER)])
    np.testing.assert_array_equal(found["year_progress_sin"], clock)
    xr.testing.assert_equal(found[[UPPER, SURFACE]].compute(), whole[[UPPER, SURFACE]])


def test_nothing_is_read_before_it_is_asked_for(whole, tmp_path):
    (found,) = open_inputs(tmp_path / "days")
    assert all(found[name].chunks for name in (UPPER, SURFACE))


def test_names_with_brackets_and_spaces_are_files_first(whole, tmp_path):
    odd = tmp_path / "ERA5 [2022].nc"
    whole.to_netcdf(odd)
    assert files_named(odd) == (str(odd),)
    assert files_named([odd, str(odd)]) == (str(odd),)


def test_a_time_counts_that_has_every_required_variable(whole, tmp_path):
    whole[[SURFACE]].isel(time=slice(0, 2)).to_netcdf(tmp_path / "short.nc")
    files = [tmp_path / "pl.nc", tmp_path / "short.nc"]
    (found,) = open_joined(files, required=[UPPER, SURFACE])
    assert list(found.dataset["time"].values) == [T0, T0 + STEP]
    assert found.incomplete == {T0 + 2 * STEP: (SURFACE,)}
    assert found.files_at([T0 + 2 * STEP]) == (str(tmp_path / "pl.nc"),)


def test_files_without_a_common_time_are_refused(whole, tmp_path):
    later = whole[[SURFACE]].assign_coords(time=whole.time + 10 * STEP)
    later.to_netcdf(tmp_path / "later.nc")
    with pytest.raises(ValueError, match="share times, and there is none that has every variable"):
        open_joined([tmp_path / "pl.nc", tmp_path / "later.nc"], required=[UPPER, SURFACE])


def test_members_of_two_files_are_joined_in_their_order(whole, tmp_path):
    members = xr.concat([whole, whole + 1], "number").assign_coords(number=[0, 1])
    for name in (UPPER, SURFACE):
        members[[name]].to_netcdf(tmp_path / f"{name}.nc")
    files = [tmp_path / f"{name}.nc" for name in (UPPER, SURFACE)]
    first, second = open_inputs([*files, tmp_path / "static.nc"])
    np.testing.assert_allclose(second[UPPER] - first[UPPER], 1, atol=1e-4)  # float32 near 300
    assert STATIC in first
    assert STATIC in second
    members.isel(number=[0, 1, 1]).to_netcdf(tmp_path / "three.nc")
    with pytest.raises(ValueError, match=r"three\.nc has 3 and .*nc has 2"):
        open_inputs([*files, tmp_path / "three.nc"])


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nowhere.nc", "there is none at .*nowhere"),
        ("no*.nc", r"none matches .*no\*"),
        ("empty", "a folder is a Zarr store, or holds GRIB, netCDF or Zarr"),
    ],
)
def test_a_place_without_files_is_named(tmp_path, place, words):
    (tmp_path / "empty").mkdir()
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        open_inputs(f"{tmp_path}/{place}")
    with pytest.raises(ValueError, match="at least one input file"):
        open_inputs([])
