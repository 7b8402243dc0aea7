"""ECMWF's open data and the Climate Data Store, each through its own client."""

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from data import preparation
from data.preparation import Recipe
from data.samples import analyses
from data.sources import open_inputs
from tests.data.sources.grib_messages import IFS_TASK, messages
from tests.data.sources.loopback import Loopback

prepare = partial(preparation.prepare, force=True)  # the fields are no weather

pytestmark = pytest.mark.usefixtures("short_waits")


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
