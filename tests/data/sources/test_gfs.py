"""GFS: real messages behind an index, on a server that may fail."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data import preparation
from data.preparation import Recipe
from data.sources import open_inputs
from data.sources.network import gfs
from data.task import STEP
from tests.data.sources.grib_messages import GFS_TASK, messages
from tests.data.sources.loopback import Loopback
from tests.reference import real

prepare = partial(preparation.prepare, force=True)  # the fields are no weather

pytestmark = pytest.mark.usefixtures("short_waits")

GFS = real("states/gfs_2p5deg_2011100800_f072.grib2")

TIME = np.datetime64("2011-10-11T00", "ns")


NCEP = {"gh": "HGT", "t": "TMP", "u": "UGRD", "v": "VGRD", "w": "VVEL", "2t": "TMP", "10u": "UGRD"}

NCEP |= {"10v": "VGRD", "prmsl": "PRMSL", "tp": "APCP", "orog": "HGT", "lsm": "LAND", "r": "RH"}


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
