"""Readers: whatever the format and layout, canonical Datasets come out."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from fsspec.registry import known_implementations

from data.samples import analyses
from data.sources import READERS, open_inputs
from data.windows import window
from tests.data.sources.files_of_all_formats import FORMATS, consolidating, weather, written
from tests.reference import real


def test_there_is_a_reader_for_each_format():
    assert set(READERS) == {"grib", "netcdf", "zarr"}


@consolidating
@pytest.mark.parametrize("name", FORMATS)
def test_each_format_gives_the_same_lazy_dataset(tmp_path, name):
    (result,) = open_inputs(written(weather(), tmp_path / name))
    assert all(array.chunks is not None for array in result.data_vars.values())
    expected = weather().isel(latitude=slice(None, None, -1))
    for variable in expected:
        np.testing.assert_array_equal(result[variable], expected[variable])
    for axis in ("time", "level", "latitude", "longitude"):
        np.testing.assert_array_equal(result[axis], expected[axis])


@consolidating
@pytest.mark.parametrize("name", ["x.nc", "x.v2.zarr", "x.v3plain.zarr"])
def test_the_format_is_known_by_content_not_by_name(tmp_path, name):
    path = written(weather(), tmp_path / name)
    (result,) = open_inputs(path.rename(tmp_path / "analysis.dat"))
    assert result.sizes["time"] == 3


@consolidating
def test_a_store_keeps_its_chunks_and_a_whole_file_is_cut_along_time(tmp_path):
    dataset = weather(4)
    chunked = {n: {"chunks": (2, *dataset[n].shape[1:])} for n in ("temperature", "2m_temperature")}
    dataset.to_zarr(tmp_path / "x.zarr", encoding=chunked)
    (stored,) = open_inputs(tmp_path / "x.zarr")
    (whole,) = open_inputs(written(dataset, tmp_path / "x.nc"))
    assert stored["temperature"].chunks[0] == (2, 2)
    assert whole["temperature"].chunks[0] == (1, 1, 1, 1)


# ------------------------------------------------------------------------- files of others


def test_the_same_fields_in_grib_and_netcdf_agree():
    (grib,) = open_inputs(real("grib/test4.grib"))
    (netcdf,) = open_inputs(real("grib/test4.nc"))
    for name in ("temperature", "geopotential"):
        # netCDF packs into 16 bits: steps of the range / 65536
        spread = float(grib[name].max() - grib[name].min())
        np.testing.assert_allclose(grib[name], netcdf[name], atol=spread / 3e4)


def test_era5_on_37_levels_and_a_gaussian_grid():
    (era5,) = open_inputs(real("states/era5_tl31_37lev_19590102T00.nc"))
    assert era5["temperature"].dims == ("time", "level", "latitude", "longitude")
    assert era5.sizes["level"] == 37
    assert era5["latitude"].values[0] == pytest.approx(-85.76, abs=0.01)
    # January: Siberia is colder than Australia
    near_ground = era5["temperature"].sel(level=925).isel(time=0)
    north = near_ground.sel(latitude=64, longitude=110, method="nearest")
    assert (
        float(north) < 260 < float(near_ground.sel(latitude=-25, longitude=135, method="nearest"))
    )


def test_a_zarr_3_store_without_consolidated_metadata_and_with_counted_hours():
    (series,) = open_inputs(real("series/era5_surface_1deg_7h_202603.zarr"))
    assert series["time"].values[0] == np.datetime64("2026-03-25T14")
    assert series["latitude"].values[0] == -90
    assert "2m_temperature" in series
    assert "total_precipitation_6hr" not in series
    antarctica = series["2m_temperature"].isel(time=0).sel(latitude=-85).mean()
    assert float(antarctica) < 250


def test_an_ensemble_comes_as_one_dataset_for_each_member():
    eda = open_inputs(real("ensemble/era5_eda_3deg_12h_20170101-02.grib"))
    assert [int(member["number"]) for member in eda] == list(range(10))
    assert eda[3]["geopotential"].dims == ("time", "level", "latitude", "longitude")
    spread = float(abs(eda[3]["temperature"] - eda[4]["temperature"]).max())
    assert 0.1 < spread < 20


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("static/era5_surface_geopotential_0p25deg.nc", "geopotential_at_surface"),
        ("reference/era5_msl_2025120100_2.5x2.5.nc", "mean_sea_level_pressure"),
        (
            "static/era5_seasonal_1985-2014/seasons_average_psl_ERA5_r360x180_1985-2014.nc",
            "mean_sea_level_pressure",
        ),
        ("grib/ncep_T62_flux_3x6h_20230614.grib2", "2m_temperature"),
        ("grib/tuv_pl.grib", "temperature"),
    ],
)
def test_other_files_at_hand_are_read(name, variable):
    (dataset,) = open_inputs(real(name))
    assert dataset[variable].notnull().all()


def test_a_file_without_longitude_is_refused():
    path = real("static/era5_seasonal_1985-2014/seasons_average_ta_ERA5_r360x180_1985-2014.nc")
    with pytest.raises(ValueError, match="there is no longitude"):
        open_inputs(path)


# --------------------------------------------------------------------------------- URLs


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}", tmp_path
        httpd.shutdown()
        thread.join()


@consolidating
@pytest.mark.parametrize("name", ["x.v2.zarr", "x.v3.zarr"])
def test_a_zarr_store_is_read_over_http(server, name):
    url, folder = server
    written(weather(), folder / name)
    (result,) = open_inputs(f"{url}/{name}")
    np.testing.assert_array_equal(
        result["temperature"], weather()["temperature"].isel(latitude=slice(None, None, -1))
    )


@pytest.mark.parametrize("name", ["x.nc", "sample.grib"])
def test_a_file_is_fetched_over_http(server, name):
    url, folder = server
    if name.endswith("grib"):
        shutil.copy(analyses(), folder / name)
    else:
        written(weather(), folder / name)
    (remote,) = open_inputs(f"{url}/{name}")
    (local,) = open_inputs(folder / name)
    xr.testing.assert_identical(remote.load(), local.load())


def test_what_is_not_at_a_url_is_said(server):
    url, _ = server
    with pytest.raises(FileNotFoundError, match=r"there is none at http://.*/missing\.grib"):
        open_inputs(f"{url}/missing.grib")
    with pytest.raises(ValueError, match=r"no Zarr store could be read at http://.*/missing\.zarr"):
        open_inputs(f"{url}/missing.zarr")


@pytest.mark.parametrize("url", ["cloud://bucket/era5.zarr", "cloud://bucket/era5.nc"])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch, url):
    entry = {"class": "no_such_package.Files", "err": "Install no_such_package to access the cloud"}
    monkeypatch.setitem(known_implementations, "cloud", entry)
    with pytest.raises(ValueError, match="Install no_such_package") as caught:
        open_inputs(url)
    assert "pip install 'graphcast[remote]'" in str(caught.value)


# -------------------------------------------------------------------------------- errors


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is none at"):
        open_inputs(tmp_path / "none.nc")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"latitude,longitude\n", "must be a GRIB or netCDF file or a Zarr store"),
        ("a.zip", b"PK\x03\x04....", "ZIP archive must be whole and not locked"),
        ("a.nc", b"", r"a\.nc is empty; fetch it again"),
        ("a.grib", b"", r"a\.grib is empty; fetch it again"),
        ("a.grib", b"GRIB is what this pretends to be", "is damaged or cut short"),
        ("a.nc", b"\x89HDF\r\n\x1a\n and nothing more", "must be whole and decodable"),
    ],
)
def test_what_is_no_input_is_refused_in_a_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        open_inputs(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a folder is a Zarr store, or holds GRIB, netCDF or Zarr"):
        open_inputs(tmp_path)


@pytest.mark.parametrize("name", ["x.nc", "x.classic.nc"])
def test_a_netcdf_file_that_was_cut_short_is_refused(tmp_path, name):
    path = written(weather(), tmp_path / name)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="must be whole and decodable"):
        open_inputs(path)


@consolidating
def test_a_damaged_chunk_is_named_when_it_is_read(tmp_path):
    path = written(weather(2), tmp_path / "x.v3.zarr")
    for chunk in (path / "temperature" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(chunk.read_bytes()[:40])
    (dataset,) = open_inputs(path)
    from data.task import Task  # noqa: PLC0415

    task = Task("t", ("temperature",), ("temperature",), (), (500, 850))
    with pytest.raises(ValueError, match=r"could not be read .*; fetch the file again"):
        window(dataset, task)


def test_forecasts_are_flattened_to_their_valid_times(tmp_path):
    start = weather(2)
    lead = np.array([0, 6], dtype="timedelta64[h]").astype("timedelta64[ns]")
    forecast = xr.concat([start, start + 1], dim="prediction_timedelta", data_vars="all")
    forecast = forecast.assign_coords(prediction_timedelta=lead)
    (result,) = open_inputs(written(forecast, tmp_path / "forecast.nc"))
    assert result.sizes["time"] == 3
    expected = start["temperature"].isel(time=1, latitude=slice(None, None, -1))
    np.testing.assert_array_equal(result["temperature"].isel(time=1), expected)


def test_a_server_that_does_not_answer_is_named():
    url = "http://127.0.0.1:9/analyses.nc"  # the discard port: nobody listens
    with pytest.raises(OSError, match=f"{url} could not be fetched"):
        open_inputs(url)
