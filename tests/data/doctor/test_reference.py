"""The doctor's climatology, its digest of a dataset, and how it reads files."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data.doctor import era5, examine_file
from data.doctor.digest import digested
from data.doctor.make_climatology import make_climatology
from data.doctor.reading import lead_times
from data.samples import analyses
from data.sources import open_inputs
from tests.reference import real

FOLDER = Path(era5.__file__).parent
LATITUDE = np.arange(-87.5, 90, 5.0)


def test_the_table_is_small_and_attributed():
    assert (FOLDER / "climatology.npz").stat().st_size < 200e3
    assert "ERA5" in (FOLDER / "README.md").read_text()
    assert "CC-BY-4.0" in (FOLDER / "README.md").read_text()


def test_the_table_can_be_made_again(tmp_path):
    make_climatology(
        real("static/era5_seasonal_1985-2014"),
        real("static/era5_surface_geopotential_0p25deg.nc"),
        real("states/gfs_2p5deg_2011100800_f072.grib2"),
        tmp_path / "again.npz",
    )
    with np.load(tmp_path / "again.npz") as again, np.load(FOLDER / "climatology.npz") as table:
        assert set(again.files) == set(table.files)
        for name in table.files:
            np.testing.assert_allclose(again[name], table[name], rtol=1e-6, atol=1e-12)


def test_winter_is_cold_on_its_own_hemisphere():
    january = era5.usual("temperature", 15, (850,), LATITUDE).mean[0]
    july = era5.usual("temperature", 196, (850,), LATITUDE).mean[0]
    assert january[-4] < july[-4] - 15
    assert july[3] < january[3] - 5


def test_the_year_closes():
    for name in ("temperature", "mean_sea_level_pressure"):
        first = era5.usual(name, 0, (500,), LATITUDE)
        last = era5.usual(name, era5.YEAR, (500,), LATITUDE)
        np.testing.assert_allclose(first.mean, last.mean, rtol=1e-12)


def test_seasonal_means_come_back():
    """The mean over a season of the daily values is the table's."""
    with np.load(FOLDER / "climatology.npz") as table:
        winter = table["temperature"][0, list(table["level"]).index(500)]
    days = np.arange(-30.0, 61.0)
    daily = [era5.usual("temperature", day, (500,), LATITUDE).mean[0] for day in days]
    # 0.1 K: seasons are not quite a quarter of a year, nor their middles quite a quarter apart
    np.testing.assert_allclose(np.mean(daily, axis=0), winter, atol=0.1)


def test_geopotential_follows_from_temperature():
    usual = era5.usual("geopotential", 196, (1000, 500, 10), LATITUDE).mean / 9.80665
    assert 80 < usual[0].mean() < 140
    assert 5500 < usual[1].mean() < 5700
    assert 30500 < usual[2].mean() < 31500


def test_maps_know_tibet_and_the_pacific():
    where = (np.array([-5.0, 33.0]), np.array([88.0, 200.0]))
    assert era5.orography(*where)[1, 0] > 4000
    assert abs(era5.orography(*where)[0, 1]) < 50
    assert era5.land(*where)[1, 0] == pytest.approx(1)
    assert era5.land(*where)[0, 1] == pytest.approx(0)


def field_of(latitude: np.ndarray, longitude: np.ndarray) -> xr.Dataset:
    values = np.sin(np.deg2rad(latitude))[:, None] + np.cos(np.deg2rad(longitude))
    return xr.Dataset(
        {"2m_temperature": (("latitude", "longitude"), (280 + values).astype(np.float32))},
        coords={"latitude": latitude, "longitude": longitude},
    )


@pytest.mark.parametrize(("rows", "columns"), [(721, 1440), (181, 360), (19, 36), (64, 128)])
def test_a_digest_keeps_means_and_extremes(rows, columns):
    dataset = field_of(np.linspace(-90, 90, rows), np.arange(columns) * 360 / columns)
    digest = digested(dataset)
    field = digest.field("2m_temperature", None)
    assert max(field.coarse.shape) <= 180
    assert field.low == dataset["2m_temperature"].min()
    assert field.high == dataset["2m_temperature"].max()
    assert field.mean == pytest.approx(280, abs=1e-3)
    again = digested(dataset.assign({"2m_temperature": dataset["2m_temperature"] + 0}))
    assert again.field("2m_temperature", None).fingerprint == field.fingerprint
    # block means lie on the smooth field, at the middles of the blocks
    expected = field_of(digest.latitude, digest.longitude)["2m_temperature"].values
    np.testing.assert_allclose(field.coarse, expected, atol=3e-3)


def test_gaps_are_counted_and_left_out():
    dataset = field_of(np.linspace(-90, 90, 181), np.arange(360.0))
    values = dataset["2m_temperature"].values.copy()
    values[40, 7:10] = np.nan
    digest = digested(
        dataset.assign({"2m_temperature": dataset["2m_temperature"].copy(data=values)})
    )
    field = digest.fields["2m_temperature", None, None]
    assert (field.gaps, field.first_gap, field.whole) == (3, (40, 7), False)
    assert np.isfinite(field.mean)
    assert np.isfinite(field.coarse).all()


# Files.
def test_what_cannot_be_read_is_a_finding(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("weather")
    (finding,) = examine_file(notes)
    assert (finding.rule, finding.severity) == ("readable", "error")
    assert "GRIB or netCDF" in finding.message
    assert finding.remedy.startswith("fetch it again")
    (finding,) = examine_file(tmp_path / "nothing.nc")
    assert "there is none at" in finding.message


def test_a_grid_that_is_not_read_is_a_finding():
    (finding,) = examine_file(real("grib/t_n48.grib"))
    assert "reduced Gaussian" in finding.message
    assert "regular grid" in finding.remedy


def test_forecasts_are_noted():
    (note,) = lead_times(analyses())
    assert note.severity == "note"
    assert note.message.startswith("some of the fields are forecasts, +6 h")


def test_a_forecast_of_three_days_in_grib_and_in_netcdf_is_noted(tmp_path):
    (note,) = lead_times(real("states/gfs_2p5deg_2011100800_f072.grib2"))
    assert "+72 h" in note.message
    dataset = field_of(np.linspace(-90, 90, 19), np.arange(36) * 10.0)
    dataset = dataset.expand_dims(step=[np.timedelta64(72, "h").astype("timedelta64[ns]")])
    dataset.assign_coords(time=np.datetime64("2024-01-01", "ns")).to_netcdf(tmp_path / "f.nc")
    (note,) = lead_times(tmp_path / "f.nc")
    assert "+72 h" in note.message


def test_members_are_sampled_and_it_is_said():
    findings = examine_file(real("ensemble/era5_eda_3deg_12h_20170101-02.grib"))
    assert [f.severity for f in findings] == ["note"] * len(findings)
    assert any("3 of 10 entries" in f.message for f in findings)


def test_repeated_times_and_levels_in_a_file_are_errors(tmp_path):
    dataset = field_of(np.linspace(-90, 90, 19), np.arange(36) * 10.0)
    twice = dataset.expand_dims(time=np.array(["2024-01-01", "2024-01-01"], "datetime64[ns]"))
    twice.to_netcdf(tmp_path / "twice.nc")
    (finding,) = examine_file(tmp_path / "twice.nc")
    assert finding.severity == "error"
    assert "comes twice" in finding.message


def test_latitude_as_stored_north_to_south_is_fine(tmp_path):
    dataset = open_inputs(analyses())[0].isel(time=slice(0, 2))[["temperature", "geopotential"]]
    turned = dataset.load().isel(latitude=slice(None, None, -1))
    turned.to_netcdf(tmp_path / "north_first.nc")
    assert all(f.severity == "note" for f in examine_file(tmp_path / "north_first.nc"))
    upside_down = turned.assign_coords(latitude=turned["latitude"].values[::-1])
    upside_down.to_netcdf(tmp_path / "wrong.nc")
    assert any(f.rule == "latitude" for f in examine_file(tmp_path / "wrong.nc"))
