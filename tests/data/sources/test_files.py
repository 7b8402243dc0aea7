"""Readers: whatever the format and layout, canonical Datasets come out."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import eccodes
import numpy as np
import pytest
import xarray as xr
from fsspec.registry import known_implementations

from data.samples import analyses
from data.sources import READERS, open_inputs, open_truth
from data.windows import window
from tests.reference import PARITY, real

INIT = np.datetime64("2022-01-01T06", "ns")
HOUR = np.timedelta64(1, "h")


def weather(times: int = 3) -> xr.Dataset:
    rng = np.random.default_rng(1)
    shape = (times, 2, 7, 12)
    t = rng.normal(260, 10, shape).astype(np.float32)
    return xr.Dataset(
        {
            "temperature": (("time", "level", "latitude", "longitude"), t, {"units": "K"}),
            "2m_temperature": (("time", "latitude", "longitude"), t[:, 0] + 20, {"units": "K"}),
            "land_sea_mask": (("latitude", "longitude"), rng.random(shape[2:], np.float32)),
        },
        coords={
            "time": np.datetime64("2022-01-01", "ns") + 6 * HOUR * np.arange(times),
            "level": ("level", [500, 850], {"units": "hPa"}),
            "latitude": np.linspace(90, -90, 7),
            "longitude": np.arange(12) * 30.0,
        },
    )


def written(dataset: xr.Dataset, path: Path) -> Path:
    """Write a file in the format of its name: "x.v2.zarr", "x.v3plain.zarr", "x.classic.nc", ..."""
    if path.suffix == ".zarr":
        version = 2 if ".v2" in path.name else 3
        dataset.to_zarr(path, zarr_format=version, consolidated="plain" not in path.name)
    else:
        kind = "NETCDF3_64BIT" if "classic" in path.name else "NETCDF4"
        dataset.to_netcdf(path, format=kind)
    return path


# zarr says that consolidated metadata are not part of its format 3, each time that it writes them.
consolidating = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")

FORMATS = ["x.nc", "x.classic.nc", "x.v2.zarr", "x.v2plain.zarr", "x.v3.zarr", "x.v3plain.zarr"]


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


# ---------------------------------------------------------------------------------- GRIB


def copies(path: Path, changes: list[dict[str, int | float]]) -> Path:
    """A file with the first message of the sample, once for each set of changed keys.

    `add` is added to the field.
    """
    with analyses().open("rb") as sample, path.open("wb") as out:
        first = eccodes.codes_grib_new_from_file(sample)
        for change in changes:
            message = eccodes.codes_clone(first)
            for key, value in change.items():
                if key == "add":
                    values = eccodes.codes_get_values(message)
                    eccodes.codes_set_values(message, values + value)
                else:
                    eccodes.codes_set(message, key, value)
            eccodes.codes_write(message, out)
            eccodes.codes_release(message)
        eccodes.codes_release(first)
    return path


def test_sample_values_are_those_that_cfgrib_reads():
    (sample,) = open_inputs(analyses())
    by_cfgrib = xr.open_dataset(analyses(), engine="cfgrib", backend_kwargs={"indexpath": ""})
    by_cfgrib = by_cfgrib.isel(latitude=slice(None, None, -1), isobaricInhPa=slice(None, None, -1))
    assert by_cfgrib["step"].values.tolist() == [0, 6 * 3600 * 10**9]
    flat = by_cfgrib["t"].values.reshape(8, 6, 19, 36)
    np.testing.assert_array_equal(sample["temperature"], flat)
    flat = by_cfgrib["v"].values.reshape(8, 6, 19, 36)
    np.testing.assert_array_equal(sample["v_component_of_wind"], flat)


def test_no_file_is_left_beside_a_grib_file(tmp_path):
    shutil.copy(analyses(), tmp_path / "mine.grib")
    open_inputs(tmp_path / "mine.grib")[0].load()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.grib"]


def test_an_analysis_goes_before_a_forecast_for_the_same_time(tmp_path):
    path = copies(
        tmp_path / "both.grib",
        [
            {"dataDate": 20240602, "dataTime": 1800, "P1": 6, "add": 5.0},
            {"dataDate": 20240603, "dataTime": 0, "P1": 0, "add": 0.0},
            {"dataDate": 20240602, "dataTime": 1200, "P1": 12, "add": 9.0},
        ],
    )
    (both,) = open_inputs(path)
    (sample,) = open_inputs(analyses())
    assert both["time"].values.tolist() == sample["time"].values[:1].tolist()
    # 0.05: the packing of GRIB is renewed when a field is changed
    np.testing.assert_allclose(
        both["temperature"], sample["temperature"].sel(level=[1000]).isel(time=[0]), atol=0.05
    )


def test_lazy_grib_reads_only_what_is_asked_for(monkeypatch):
    from cfgrib import messages  # noqa: PLC0415

    (sample,) = open_inputs(analyses())
    read = []
    original = messages.FileStream.__getitem__
    monkeypatch.setattr(
        messages.FileStream, "__getitem__", lambda s, item: read.append(item) or original(s, item)
    )
    sample["geopotential"].sel(level=[500, 850]).isel(time=[2, 3]).load()
    assert len(read) == 4


@pytest.mark.parametrize("length", [3, 10, 700])
def test_a_grib_file_that_was_cut_short_is_refused(tmp_path, length):
    whole = analyses().read_bytes()
    cut = tmp_path / "cut.grib"
    cut.write_bytes(whole[: len(whole) // 2 + length])
    with pytest.raises(ValueError, match=r"cut\.grib is damaged or cut short; fetch it again"):
        open_inputs(cut)


def test_two_grids_in_one_file_are_refused(tmp_path):
    other = real("grib/tuv_pl.grib")
    both = tmp_path / "both.grib"
    both.write_bytes(analyses().read_bytes() + other.read_bytes())
    with pytest.raises(ValueError, match="all fields of a file must share one grid"):
        open_inputs(both)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("grib/t_n48.grib", "a reduced Gaussian grid"),
        ("grib/spherical_pressure_level.grib1", "spherical harmonics"),
    ],
)
def test_grids_that_are_not_regular_are_refused(name, words):
    with pytest.raises(ValueError, match=words) as caught:
        open_inputs(real(name))
    assert "ask for a regular grid" in str(caught.value)


def test_gfs_gives_every_graphcast_variable_at_one_time():
    (gfs,) = open_inputs(real("states/gfs_2p5deg_2011100800_f072.grib2"))
    assert gfs["time"].values.tolist() == [np.datetime64("2011-10-11", "ns").astype(int)]
    levels = [200, 300, 500, 700, 850, 1000]
    means = gfs.sel(level=levels).mean(["latitude", "longitude", "time"]).load()
    # Heights times g0: about the standard atmosphere; q about 1 % at the ground, 1e-5 aloft.
    np.testing.assert_allclose(means["geopotential"].sel(level=500), 54.0e3, rtol=0.03)
    assert 5e-3 < means["specific_humidity"].sel(level=1000) < 1.5e-2
    assert means["specific_humidity"].sel(level=200) < 1e-4
    assert 275 < means["2m_temperature"] < 290
    assert 1.00e5 < means["mean_sea_level_pressure"] < 1.02e5
    assert 1e-4 < means["total_precipitation_6hr"] < 2e-3
    for name in ("temperature", "u_component_of_wind", "v_component_of_wind", "vertical_velocity"):
        assert means[name].notnull().all(), name
    for name in ("10m_u_component_of_wind", "10m_v_component_of_wind"):
        assert abs(float(means[name])) < 5, name
    orography = gfs["geopotential_at_surface"]
    assert orography.dims == ("latitude", "longitude")
    assert orography.attrs["provenance"] == "converted from m to m2 s-2"
    assert 45e3 < float(orography.max()) < 57e3
    assert set(np.unique(gfs["land_sea_mask"])) == {0.0, 1.0}
    # the Himalaya stand where they are: rows and columns are not turned round
    peak = orography.load().stack(point=("latitude", "longitude")).idxmax("point").item()
    assert 25 < peak[0] < 40
    assert 70 < peak[1] < 105


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


# ----------------------------------------------------------------------- DeepMind's layout


def example(frames: list[int], *, batch: int = 1, datetime: bool = False) -> xr.Dataset:
    """DeepMind's layout with relative hours `frames`; entry b is 1 K warmer than b - 1."""
    one = weather(len(frames)).rename(latitude="lat", longitude="lon")
    relative = np.array(frames, dtype="timedelta64[h]").astype("timedelta64[ns]")
    one = one.isel(lat=slice(None, None, -1)).assign_coords(time=relative)
    static = one[["land_sea_mask"]]
    entries = [one.drop_vars("land_sea_mask") + b for b in range(batch)]
    dataset = xr.concat(entries, dim="batch").assign(static.data_vars)
    if datetime:
        absolute = INIT + relative + 24 * HOUR * np.arange(batch)[:, np.newaxis]
        dataset = dataset.assign_coords(datetime=(("batch", "time"), absolute))
    return dataset


def test_each_batch_entry_has_its_own_dates(tmp_path):
    path = written(example([0, 6, 12], batch=2, datetime=True), tmp_path / "example.nc")
    one, two = open_inputs(path)
    assert one["time"].values.tolist() == (INIT + HOUR * np.array([0, 6, 12])).tolist()
    assert (two["time"].values - one["time"].values == 24 * HOUR).all()
    assert "batch" not in one.dims
    np.testing.assert_allclose(two["temperature"] - one["temperature"], 1, atol=1e-4)
    np.testing.assert_array_equal(two["land_sea_mask"], one["land_sea_mask"])
    assert one["land_sea_mask"].dims == ("latitude", "longitude")


@pytest.mark.parametrize(
    ("frames", "first"),
    [([-6, 0], -6), ([0, 6], -6), ([0, 6, 12], -6), ([-6, 0, 6], -6), ([6, 12], 6), ([6], 6)],
)
def test_relative_times_count_from_the_initial_time(tmp_path, frames, first):
    path = written(example(frames), tmp_path / "example.nc")
    (dataset,) = open_inputs(path, init_time=INIT)
    assert dataset["time"].values[0] == INIT + first * HOUR


def test_forcings_alone_always_count_from_zero(tmp_path):
    forcings = example([0, 6]).rename({"2m_temperature": "toa_incident_solar_radiation"})
    path = written(forcings[["toa_incident_solar_radiation"]], tmp_path / "forcings.nc")
    (dataset,) = open_inputs(path, init_time=INIT)
    assert dataset["time"].values[0] == INIT


def test_times_of_an_example_are_counted_whatever_their_order(tmp_path):
    path = written(example([0, -6]), tmp_path / "turned.nc")
    (dataset,) = open_inputs(path, init_time=INIT)
    np.testing.assert_array_equal(dataset["time"], INIT + HOUR * np.array([-6, 0]))
    path = written(example([0, 6, 12, 18]), tmp_path / "example.nc")
    (dataset,) = open_inputs(path, init_time=INIT)
    np.testing.assert_array_equal(dataset["time"], INIT + HOUR * np.array([-6, 0, 6, 12]))


def test_what_followed_counts_from_the_initial_time_itself(tmp_path):
    path = written(example([0, 6, 12]), tmp_path / "truth.nc")
    (dataset,) = open_truth(path, init_time=INIT)
    np.testing.assert_array_equal(dataset["time"], INIT + HOUR * np.array([0, 6, 12]))


def test_relative_times_without_an_initial_time_are_refused(tmp_path):
    path = written(example([-6, 0]), tmp_path / "example.nc")
    with pytest.raises(ValueError, match=r"example\.nc: the initial time must be known"):
        open_inputs(path)


@pytest.mark.parametrize("case", PARITY)
def test_reference_files_come_back_to_the_bit(case):
    path = PARITY[case] / "inputs.nc"
    raw = xr.load_dataset(path, decode_timedelta=True).isel(batch=0)
    (dataset,) = open_inputs(path, init_time=INIT)
    assert dataset["time"].values.tolist() == [(INIT - 6 * HOUR).astype(int), INIT.astype(int)]
    for name in raw.data_vars:
        np.testing.assert_array_equal(dataset[name], raw[name].values, err_msg=str(name))
    np.testing.assert_array_equal(dataset["latitude"], raw["lat"])


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
        ("a.zip", b"PK\x03\x04....", "is a ZIP archive"),
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
