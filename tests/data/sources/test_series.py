"""Archives and services, each against a real server on the loopback interface that may fail."""

import inspect
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import eccodes
import numpy as np
import pytest
import xarray as xr
from fsspec.registry import _registry as opened_filesystems
from zarr.core.sync import sync

from data import preparation
from data.preparation import Recipe
from data.samples import analyses
from data.sources import SERIES, open_inputs, open_series
from data.sources.network import download, gfs
from data.sources.network import object_stores as stores
from data.task import STEP, Task
from tests.data.sources.loopback import TASK, Loopback, archive, serving, tree, weather
from tests.reference import real

prepare = partial(preparation.prepare, force=True)  # the fields are no weather

GFS = real("states/gfs_2p5deg_2011100800_f072.grib2")
TWO_TIMES = 2 * 4 * 5 * 9 * 16  # bytes of two times of TASK
TIME = np.datetime64("2011-10-11T00", "ns")
GFS_TASK = Task(
    "gfs",
    ("temperature", "u_component_of_wind", "2m_temperature", "land_sea_mask"),
    ("temperature", "u_component_of_wind", "2m_temperature", "total_precipitation_6hr"),
    (),
    (500, 850),
)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.5)
    monkeypatch.setattr(download, "FIRST_PAUSE", 0.01)


@pytest.fixture
def server(tmp_path) -> Iterator[Loopback]:
    (tmp_path / "www").mkdir()
    with serving(tmp_path / "www") as running:
        yield running


def test_every_source_is_opened_by_name_without_touching_the_network():
    assert {"arco-era5", "weatherbench2-era5", "cds", "opendata", "gfs"} <= SERIES.keys()
    for name in ("cds", "opendata", "gfs", "gfs-1p00"):
        assert open_series(name).times is None
        assert "CC-BY" in open_series(name).credit or "public domain" in open_series(name).credit


# ---- Zarr archives ---------------------------------------------------------------------------


def prepared(url: str, path: Path, times: int = 4) -> Path:
    at = weather(times)["time"].values
    return prepare(Recipe(url), path, times=at, task=TASK, group_bytes=TWO_TIMES).path


def without_source(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name != "zarr.json"}


def test_an_archive_over_http_gives_what_the_same_files_give(server, tmp_path):
    archive(server.folder / "era5.zarr", weather(4))
    local = prepared(str(server.folder / "era5.zarr"), tmp_path / "local.zarr")
    remote = prepared(f"weatherbench2-era5@{server.url}/era5.zarr", tmp_path / "remote.zarr")
    assert without_source(tree(remote)) == without_source(tree(local))
    assert "WeatherBench 2" in xr.open_zarr(remote).attrs["source"]


@pytest.mark.parametrize("kind", ["500", "hang", "short", "gone"])
def test_failures_that_pass_are_waited_for(server, tmp_path, kind):
    archive(server.folder / "era5.zarr", weather(2))
    bad = {".zmetadata", "0.0.0.0"}
    server.fault = lambda path, count: kind if count < 2 and path.split("/")[-1] in bad else None
    path = prepared(f"{server.url}/era5.zarr", tmp_path / "d.zarr", 2)
    (result,) = open_inputs(path)
    expected = weather(2)["temperature"].sel(level=[500, 850])[:, :, ::-1]
    np.testing.assert_array_equal(result["temperature"], expected)


@pytest.mark.parametrize("kind", ["500", pytest.param("short", marks=pytest.mark.slow)])
def test_failures_that_stay_end_in_one_sentence_and_a_rerun_goes_on(server, tmp_path, kind):
    archive(server.folder / "era5.zarr", weather(4))
    expected = tree(prepared(f"{server.url}/era5.zarr", tmp_path / "whole.zarr"))
    server.asked.clear()
    server.fault = lambda path, count: kind if path.endswith("temperature/3.0.0.0") else None
    with pytest.raises(OSError, match="could not be read in 4 attempts") as caught:
        prepared(f"{server.url}/era5.zarr", tmp_path / "d.zarr")
    assert "\n" not in str(caught.value)
    assert server.asked["/era5.zarr/temperature/3.0.0.0"] <= 4 * 2
    server.fault = lambda path, count: None
    server.asked.clear()
    assert tree(prepared(f"{server.url}/era5.zarr", tmp_path / "d.zarr")) == expected
    assert not server.asked["/era5.zarr/temperature/1.0.0.0"]  # of a group that was finished


def test_a_server_that_dies_half_way_leaves_what_is_finished(tmp_path):
    (tmp_path / "www").mkdir()
    archive(tmp_path / "www" / "era5.zarr", weather(4))
    with serving(tmp_path / "www") as server:
        url = f"{server.url}/era5.zarr"
        dead = threading.Event()

        def fault(path: str, count: int) -> str | None:
            if path.endswith("geopotential/2.0.0.0"):
                dead.set()
            return "gone" if dead.is_set() else None

        server.fault = fault
        with pytest.raises(OSError, match="what was finished is kept"):
            prepared(url, tmp_path / "d.zarr")
        server.fault = lambda path, count: None
        prepared(url, tmp_path / "d.zarr")
        assert tree(tmp_path / "d.zarr") == tree(prepared(url, tmp_path / "whole.zarr"))


def test_what_is_no_archive_is_said(server, tmp_path):
    with pytest.raises(ValueError, match=r"no Zarr store could be read at .*; check the address"):
        open_series(f"{server.url}/nothing.zarr")
    with pytest.raises(FileNotFoundError, match="or one of arco-era5"):
        open_series(str(tmp_path / "nothing"))


@pytest.fixture
def clouds(server, tmp_path, monkeypatch) -> dict[str, str]:
    """The same store in two clouds, both of them on the loopback server."""
    pytest.importorskip("gcsfs", reason="the extra `remote` is not installed")
    pytest.importorskip("s3fs", reason="the extra `remote` is not installed")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    amazon = archive(server.folder / "amazon/era5.zarr", weather(2))
    google = server.folder / "download/storage/v1/b/google/o"
    google.mkdir(parents=True)
    for file in (p for p in amazon.rglob("*") if p.is_file()):
        name = quote(str(file.relative_to(amazon.parent)), safe="")
        (google / name).write_bytes(file.read_bytes())
    return {"s3": "s3://amazon/era5.zarr", "gs": "gs://google/era5.zarr"}


@pytest.mark.parametrize("kind", ["500", "hang"])
@pytest.mark.parametrize("cloud", ["gs", "s3"])
def test_a_cloud_that_fails_for_a_while_is_waited_for(server, clouds, tmp_path, cloud, kind):
    ends = ".zmetadata" if kind == "hang" else (".zmetadata", "0.0.0.0")
    server.fault = lambda path, count: kind if count < 2 and path.endswith(ends) else None
    (result,) = open_inputs(prepared(clouds[cloud], tmp_path / "d.zarr", 2))
    expected = weather(2)["temperature"].sel(level=[500, 850])[:, :, ::-1]
    np.testing.assert_array_equal(result["temperature"], expected)


@pytest.mark.parametrize("cloud", ["gs", "s3"])
def test_each_attempt_asks_a_cloud_once(server, clouds, cloud, capfd):
    """The clients do not retry within our attempts, so giving up takes only the time of ours."""
    server.fault = lambda path, count: "500"
    with pytest.raises(
        OSError, match=rf"{clouds[cloud]} could not be read in 4 attempts"
    ) as caught:
        open_series(clouds[cloud])
    assert "\n" not in str(caught.value)
    assert max(server.asked.values()) == download.ATTEMPTS
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("cloud", ["gs", "s3"])
def test_a_cloud_that_stays_silent_is_given_up_after_the_time_limit(
    server, clouds, monkeypatch, cloud
):
    monkeypatch.setattr(stores, "TIMEOUT", 0.1)  # and the server hangs up after 1.5 s
    server.fault = lambda path, count: "hang"
    with pytest.raises(OSError, match=r"could not be read in 4 attempts \((Read t|T)imeout on"):
        open_series(clouds[cloud])


@pytest.mark.parametrize("cloud", ["gs", "s3"])
def test_a_cloud_that_is_not_there_is_said_soon(clouds, monkeypatch, cloud):
    for name in ("AWS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(OSError, match=r"could not be read in 4 attempts .* try again later"):
        open_series(clouds[cloud])


def test_the_private_parts_of_clients_are_where_we_reach_for_them():
    """See `object_stores`: without them, each of our attempts would be several of the client's."""
    core = pytest.importorskip("gcsfs.core", reason="the extra `remote` is not installed")
    s3fs = pytest.importorskip("s3fs", reason="the extra `remote` is not installed")
    request = core.GCSFileSystem._request
    assert inspect.unwrap(request) is not request  # the decorator that retries
    assert s3fs.S3FileSystem.retries > 1
    assert "_s3creator" in inspect.getsource(s3fs.S3FileSystem.set_session)
    assert callable(sync)


def test_what_is_no_store_in_a_cloud_is_said(clouds):
    with pytest.raises(ValueError, match="no Zarr store could be read at s3://amazon/nothing"):
        open_series("s3://amazon/nothing.zarr")


def test_a_lost_chunk_is_found(server, tmp_path):
    archive(server.folder / "era5.zarr", weather(4))
    (server.folder / "era5.zarr/temperature/2.0.0.0").unlink()
    url = f"{server.url}/era5.zarr"
    with pytest.raises(ValueError, match=rf"{url} lacks chunk 2\.0\.0\.0 of temperature; copy"):
        prepared(url, tmp_path / "d.zarr")
    assert server.asked["/era5.zarr/temperature/2.0.0.0"] == 1  # and nobody waits for it


def test_times_that_arco_era5_has_only_room_for_are_not_there(server):
    room = weather(40).assign_attrs(valid_time_start="2020-01-02", valid_time_stop="2020-01-04")
    archive(server.folder / "arco.zarr", room)
    series = open_series(f"arco-era5@{server.url}/arco.zarr")
    assert series.times[[0, -1]].astype("datetime64[h]").tolist() == [
        np.datetime64(t, "h").item() for t in ("2020-01-02T00", "2020-01-04T18")
    ]


@pytest.mark.slow
def test_an_archive_in_s3_is_read_without_an_account(tmp_path, monkeypatch):
    moto = pytest.importorskip("moto.server", reason="needs moto, a server that speaks S3")
    boto3 = pytest.importorskip("boto3")
    s3 = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    s3.start()
    try:
        host, port = s3.get_host_and_port()
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
        client.create_bucket(Bucket="public", ACL="public-read")
        folder = archive(tmp_path / "era5.zarr", weather(2))
        for file in (p for p in folder.rglob("*") if p.is_file()):
            key = f"era5.zarr/{file.relative_to(folder)}"
            client.put_object(Bucket="public", Key=key, Body=file.read_bytes(), ACL="public-read")
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setattr(download, "TIMEOUT", 10.0)
        path = prepared("s3://public/era5.zarr", tmp_path / "d.zarr", 2)
        local = prepared(str(folder), tmp_path / "local.zarr", 2)
        assert without_source(tree(path)) == without_source(tree(local))
    finally:
        s3.stop()


# ---- GFS: real messages behind an index ------------------------------------------------------

NCEP = {"gh": "HGT", "t": "TMP", "u": "UGRD", "v": "VGRD", "w": "VVEL", "2t": "TMP", "10u": "UGRD"}
NCEP |= {"10v": "VGRD", "prmsl": "PRMSL", "tp": "APCP", "orog": "HGT", "lsm": "LAND", "r": "RH"}


def messages(path: Path) -> list[tuple[bytes, dict[str, object]]]:
    """Each message of a GRIB file, and what its first field is: two may share a message."""
    eccodes.codes_grib_multi_support_off()
    keys = ("shortName", "level", "typeOfLevel", "validityDate", "validityTime")
    result = []
    with path.open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            field = {key: eccodes.codes_get(handle, key) for key in keys}
            result.append((eccodes.codes_get_message(handle), field))
            eccodes.codes_release(handle)
    return result


def gfs_line(field: dict[str, object]) -> tuple[str, str, str] | None:
    name, level = NCEP.get(str(field["shortName"])), field["level"]
    if name is None:
        return None
    kind = "0-6 hour acc fcst" if name == "APCP" else "anl"
    places = {
        "isobaricInhPa": f"{level} mb",
        "heightAboveGround": f"{level} m above ground",
        "surface": "surface",
        "meanSea": "mean sea level",
    }
    place = places.get(str(field["typeOfLevel"]))
    return None if place is None else (name, place, kind)


def publish_gfs(folder: Path, source: Path, time: np.datetime64) -> None:
    """The state as NOAA would lay it out: the analysis, and the rain of the run before."""
    for start, step, rain in ((time, 0, False), (time - STEP, 6, True)):
        run = start.astype("datetime64[h]").item()
        stem = f"gfs.t{run:%H}z.pgrb2.0p25.f{step:03d}"
        place = folder / f"gfs.{run:%Y%m%d}/{run:%H}/atmos"
        place.mkdir(parents=True, exist_ok=True)
        body, lines = b"", []
        for content, field in messages(source):
            line = gfs_line(field)
            if line is None or (line[0] == "APCP") != rain:
                continue
            # this file has u and v in one message; wgrib2 counts such fields 7.1, 7.2
            described = [line, ("VGRD", *line[1:])] if line[0] == "UGRD" else [line]
            for part, (name, level, kind) in enumerate(described, 1):
                number = f"{len(lines) + 1}.{part}" if len(described) > 1 else f"{len(lines) + 1}"
                lines.append(f"{number}:{len(body)}:d={run:%Y%m%d%H}:{name}:{level}:{kind}:")
            body += content
        (place / stem).write_bytes(body)
        (place / f"{stem}.idx").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("noaa")
    publish_gfs(folder, GFS, TIME)
    return folder


@pytest.fixture
def noaa(server, published) -> Loopback:
    shutil.copytree(published, server.folder, dirs_exist_ok=True)
    return server


def gfs_dataset(server: Loopback, path: Path) -> xr.Dataset:
    prepare(Recipe(f"gfs@{server.url}"), path, times=np.array([TIME]), task=GFS_TASK)
    return open_inputs(path)[0]


def test_gfs_messages_come_by_byte_range_and_only_those_asked_for(noaa, tmp_path):
    result = gfs_dataset(noaa, tmp_path / "d.zarr")
    (whole,) = open_inputs(GFS)
    for name in ("temperature", "u_component_of_wind", "total_precipitation_6hr"):
        expected = whole[name].sel(level=[500, 850]) if "level" in whole[name].dims else whole[name]
        np.testing.assert_array_equal(result[name], expected)
    np.testing.assert_array_equal(result["land_sea_mask"], whole["land_sea_mask"])
    assert sum(noaa.asked.values()) == 3 + 2 * 2 + 1 + 1 + 1  # indexes, then one for each message
    assert not (tmp_path / "d.zarr.partial").exists()


@pytest.mark.parametrize("kind", ["500", "short"])
def test_gfs_failures_that_pass_are_waited_for(noaa, tmp_path, kind):
    noaa.fault = lambda path, count: kind if count < 2 else None
    assert gfs_dataset(noaa, tmp_path / "d.zarr").sizes["time"] == 1


def test_gfs_failures_that_stay_end_in_one_sentence(noaa, tmp_path):
    noaa.fault = lambda path, count: "500"
    with pytest.raises(OSError, match=r"could not be read in 4 attempts .*500"):
        gfs_dataset(noaa, tmp_path / "d.zarr")
    assert sum(noaa.asked.values()) == 4
    noaa.fault = lambda path, count: None
    for idx in noaa.folder.rglob("*f000.idx"):
        lines = idx.read_text().splitlines()
        idx.write_text("\n".join(line for line in lines if ":TMP:500 mb:" not in line))
    with pytest.raises(ValueError, match="lacks TMP at 500 mb; ask for others"):
        gfs_dataset(noaa, tmp_path / "d.zarr")
    for idx in noaa.folder.rglob("*f000.idx"):
        idx.write_text("<html>busy</html>")
    with pytest.raises(ValueError, match="an index has lines as"):
        gfs_dataset(noaa, tmp_path / "d.zarr")
    for idx in noaa.folder.rglob("*f000.idx"):
        idx.unlink()
    with pytest.raises(FileNotFoundError, match=r"is not there \(404\); it may not be published"):
        gfs_dataset(noaa, tmp_path / "d.zarr")


def test_gfs_messages_that_are_not_where_the_index_says_are_refused(noaa, tmp_path):
    for file in noaa.folder.rglob("*.f000"):
        file.write_bytes(b"x" * 9 + file.read_bytes())
    with pytest.raises(ValueError, match="has no whole GRIB message at byte"):
        gfs_dataset(noaa, tmp_path / "d.zarr")


def test_gfs_has_four_analyses_a_day(noaa, tmp_path):
    recipe = Recipe(f"gfs@{noaa.url}")
    with pytest.raises(ValueError, match="at 00, 06, 12 and 18 UTC, not at 03 UTC"):
        prepare(recipe, tmp_path / "d", times=np.array([TIME + STEP // 2]), task=GFS_TASK)


def test_an_index_knows_parts_of_messages_and_the_last_has_no_end():
    text = "1:0:d=2022010100:HGT:500 mb:anl:\n2.1:7:d=2022010100:UGRD:500 mb:anl:\n"
    entries = gfs.read_index(text + "2.2:7:d=2022010100:VGRD:500 mb:anl:\n", "x")
    assert [(e.start, e.end) for e in entries] == [(0, 7), (7, None), (7, None)]


# ---- ECMWF's open data, through ECMWF's client -----------------------------------------------

IFS_TASK = replace(
    GFS_TASK,
    inputs=("temperature", "u_component_of_wind", "geopotential"),
    targets=("temperature", "u_component_of_wind", "geopotential"),
)


def publish_open_data(folder: Path) -> None:
    """The packaged analyses of 2024-06-03 as ECMWF lays its forecasts out, with their index."""
    for hour, stream in ((0, "oper"), (6, "scda")):
        place = folder / f"20240603/{hour:02d}z/ifs/0p25/{stream}"
        place.mkdir(parents=True)
        body, lines = b"", []
        for content, field in messages(analyses()):
            if (field["validityDate"], field["validityTime"]) == (20240603, 100 * hour):
                name = {"z": "gh"}.get(str(field["shortName"]), field["shortName"])
                line = {"type": "fc", "stream": stream, "step": "0", "levtype": "pl"}
                line |= {"levelist": str(field["level"]), "param": name, "model": "ifs"}
                line |= {"_offset": len(body), "_length": len(content)}
                lines.append(json.dumps(line))
                body += content
        stem = f"20240603{hour:02d}0000-0h-{stream}-fc"
        (place / f"{stem}.grib2").write_bytes(body)
        (place / f"{stem}.index").write_text("\n".join(lines))


@pytest.fixture
def ecmwf(server, capsys) -> Loopback:
    pytest.importorskip("ecmwf.opendata", reason="needs ecmwf-opendata")
    publish_open_data(server.folder)
    return server


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of packages that the client uses
@pytest.mark.parametrize("kind", [None, "500"])
def test_open_data_comes_through_ecmwfs_client(ecmwf, tmp_path, kind):
    ecmwf.fault = lambda path, count: kind if count < 2 else None
    times = np.array(["2024-06-03T00", "2024-06-03T06"], dtype="datetime64[ns]")
    recipe = Recipe(f"opendata@{ecmwf.url}")
    prepare(recipe, tmp_path / "d.zarr", times=times, task=IFS_TASK)
    (result,) = open_inputs(tmp_path / "d.zarr")
    (whole,) = open_inputs(analyses())
    for name in IFS_TASK.inputs:
        expected = whole[name].sel(time=times, level=[500, 850])
        np.testing.assert_array_equal(result[name], expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_open_data_that_stays_away_ends_in_one_sentence(ecmwf, tmp_path):
    times = np.array(["2024-06-03T00"], dtype="datetime64[ns]")
    recipe = Recipe(f"opendata@{ecmwf.url}")
    ecmwf.fault = lambda path, count: "500"
    with pytest.raises(OSError, match=r"ECMWF open data of 2024-06-03T00 .* in 4 attempts"):
        prepare(recipe, tmp_path / "d.zarr", times=times, task=IFS_TASK)
    ecmwf.fault = lambda path, count: None
    with pytest.raises(ValueError, match=r"open data of 2024-06-03T00 .*Cannot find index"):
        prepare(recipe, tmp_path / "d.zarr", times=times, task=replace(IFS_TASK, levels=(7,)))


# ---- the Climate Data Store, through its client ----------------------------------------------


def serve_climate_data_store(server: Loopback) -> list[dict[str, object]]:
    """The processes, jobs and results of the store's API; every request gets the sample's day."""
    requests: list[dict[str, object]] = []
    result = messages(analyses())
    day = b"".join(content for content, field in result if field["validityDate"] == 20240603)
    (server.folder / "result.grib").write_bytes(day)
    server.replies["GET", "/catalogue/v1/messages"] = lambda _: b'{"messages": []}'
    base = "/retrieve/v1"
    for dataset in ("reanalysis-era5-pressure-levels", "reanalysis-era5-single-levels"):
        process = f"{base}/processes/{dataset}"
        server.replies["GET", process] = lambda _: b'{"id": "x", "links": []}'

        def execute(body: bytes) -> bytes:
            requests.append(json.loads(body)["inputs"])
            link = {"rel": "monitor", "href": f"{server.url}{base}/jobs/1"}
            return json.dumps({"jobID": "1", "status": "accepted", "links": [link]}).encode()

        server.replies["POST", f"{process}/execution"] = execute
    link = {"rel": "results", "href": f"{server.url}{base}/jobs/1/results"}
    job = {"jobID": "1", "status": "successful", "links": [link], "processID": "x"}
    server.replies["GET", f"{base}/jobs/1"] = lambda _: json.dumps(job).encode()
    asset = {"href": f"{server.url}/result.grib", "file:size": len(day), "type": "grib"}
    results = json.dumps({"asset": {"value": asset}}).encode()
    server.replies["GET", f"{base}/jobs/1/results"] = lambda _: results
    return requests


@pytest.fixture
def copernicus(server, monkeypatch) -> tuple[Loopback, list[dict[str, object]]]:
    pytest.importorskip("cdsapi", reason="needs cdsapi")
    monkeypatch.setenv("CDSAPI_KEY", "a-key")
    monkeypatch.setenv("CDSAPI_RC", os.devnull)
    return server, serve_climate_data_store(server)


@pytest.mark.parametrize("kind", [None, pytest.param("short", marks=pytest.mark.slow)])
def test_the_climate_data_store_is_asked_through_its_client(copernicus, tmp_path, kind):
    server, requests = copernicus
    server.fault = lambda path, count: (
        kind if count < 2 and path == "/result.grib" and kind else None
    )
    times = np.array(["2024-06-03T00", "2024-06-03T06"], dtype="datetime64[ns]")
    recipe = Recipe(f"cds@{server.url}")
    prepare(recipe, tmp_path / "d.zarr", times=times, task=IFS_TASK)
    (result,) = open_inputs(tmp_path / "d.zarr")
    (whole,) = open_inputs(analyses())
    expected = whole["temperature"].sel(time=times, level=[500, 850])
    np.testing.assert_array_equal(result["temperature"], expected)
    assert requests[0]["pressure_level"] == ["500", "850"]
    assert requests[0]["time"] == ["00:00", "06:00", "12:00", "18:00"]
    assert (requests[0]["year"], requests[0]["day"]) == (["2024"], ["03"])


def test_the_climate_data_store_needs_an_account_and_says_what_it_refuses(
    copernicus, tmp_path, monkeypatch
):
    server, _ = copernicus
    times = np.array(["2024-06-03T00"], dtype="datetime64[ns]")
    failed = json.dumps({"jobID": "1", "status": "failed", "links": []}).encode()
    server.replies["GET", "/retrieve/v1/jobs/1"] = lambda _: failed
    refusal = json.dumps({"title": "too much", "detail": "cost limits exceeded"}).encode()
    server.replies["GET", "/retrieve/v1/jobs/1/results"] = lambda _: refusal
    with pytest.raises(ValueError, match=r"refuses reanalysis-era5.*cost limits exceeded"):
        prepare(Recipe(f"cds@{server.url}"), tmp_path / "d", times=times, task=IFS_TASK)
    monkeypatch.delenv("CDSAPI_KEY")
    with pytest.raises(ValueError, match="needs an account"):
        prepare(Recipe(f"cds@{server.url}"), tmp_path / "d", times=times, task=IFS_TASK)


# ---- packages that are not there -------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "package", "extra"),
    [
        ("cds", "cdsapi", "cds"),
        ("opendata", "ecmwf.opendata", "opendata"),
        ("gs://weatherbench2/x.zarr", "gcsfs", "remote"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, source, package, extra):
    monkeypatch.delitem(opened_filesystems, "gs", raising=False)  # of an earlier test
    monkeypatch.setitem(sys.modules, package, None)
    times = np.array(["2024-06-03T00"], dtype="datetime64[ns]")
    with pytest.raises(ValueError, match=rf"pip install 'graphcast\[{extra}\]'"):
        prepare(Recipe(source), tmp_path / "d.zarr", times=times, task=IFS_TASK)
