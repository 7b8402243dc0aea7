"""Archives and services, each against a real server on the loopback interface that may fail."""

import inspect
import sys
import threading
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import xarray as xr
from fsspec.registry import _registry as opened_filesystems
from zarr.core.sync import sync

from data import preparation
from data.preparation import Recipe
from data.sources import SERIES, open_inputs, open_series
from data.sources.network import download
from data.sources.network import object_stores as stores
from tests.data.sources.grib_messages import IFS_TASK
from tests.data.sources.loopback import TASK, archive, serving, tree, weather

prepare = partial(preparation.prepare, force=True)  # the fields are no weather

pytestmark = pytest.mark.usefixtures("short_waits")

TWO_TIMES = 2 * 4 * 5 * 9 * 16  # bytes of two times of TASK


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


@pytest.mark.parametrize(("kind", "words"), [("500", "Server Error"), ("short", "not completed")])
def test_a_store_whose_metadata_do_not_come_is_not_called_empty(server, kind, words):
    archive(server.folder / "era5.zarr", weather(2))
    server.fault = lambda path, count: kind if count < 2 and "zmetadata" in path else None
    with pytest.raises(ValueError, match=rf"no Zarr store could be read at http.*{words}"):
        open_inputs(f"{server.url}/era5.zarr")


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
