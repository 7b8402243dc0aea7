"""Laws of preparing a dataset: same bytes however it was made, nothing wrong gets in."""

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data import preparation
from data.doctor import examine
from data.preparation import Recipe
from data.samples import analyses
from data.sources import open_inputs
from data.stores.analyses import store as dataset_format
from data.stores.analyses.header import DatasetHeader
from data.stores.workers import Fleet
from data.task import STEP, TASKS
from data.windows import window
from tests.data.sources.loopback import LATITUDE, LONGITUDE, TASK, archive, tree, weather
from tests.reference import real

prepare = partial(preparation.prepare, force=True)  # the fields are no weather

ROOT = str(Path(__file__).parents[3])
TWO_TIMES = 2 * 4 * 5 * LATITUDE.size * LONGITUDE.size  # bytes: 2 variables on 2 levels and 1
HOUR = np.timedelta64(1, "h")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> str:
    return str(archive(tmp_path_factory.mktemp("source") / "era5.zarr", weather(12)))


def times(source: str, count: int | None = None) -> np.ndarray:
    with xr.open_zarr(source) as opened:
        return opened["time"].values[:count]


def made(source: str, path: Path, count: int | None = None, **options) -> Path:
    options = {"task": TASK, "group_bytes": TWO_TIMES, **options}
    recipe = options.pop("recipe", Recipe(source))
    return prepare(recipe, path, times=times(source, count), **options).path


# ---- what is in it ---------------------------------------------------------------------------


def test_a_dataset_holds_the_source_and_opens_as_canonical(source, tmp_path):
    path = made(source, tmp_path / "d.zarr")
    (dataset,) = open_inputs(path)
    (expected,) = open_inputs(source)
    for name in ("temperature", "geopotential", "2m_temperature", "land_sea_mask"):
        wanted = expected[name].sel(level=[500, 850]) if "level" in expected[name].dims else None
        np.testing.assert_array_equal(dataset[name], expected[name] if wanted is None else wanted)
    assert dataset["temperature"].data.chunksize == (1, 2, 9, 16)  # one time in a chunk
    start = window(dataset, TASK, init_time=dataset["time"].values[3])
    assert start.frames["temperature"].shape == (2, 2, 9, 16)


def test_it_is_zarr_3_sharded_with_cf_metadata_and_provenance(source, tmp_path):
    path = made(source, tmp_path / "d.zarr")
    meta = json.loads((path / "temperature" / "zarr.json").read_text())
    assert meta["zarr_format"] == 3
    assert meta["chunk_grid"]["configuration"]["chunk_shape"] == [2, 2, 9, 16]
    assert meta["codecs"][0]["name"] == "sharding_indexed"
    assert len(list((path / "temperature").glob("c.*"))) == 6  # a shard for each two times
    attrs = xr.open_zarr(path).attrs
    assert attrs["Conventions"].startswith("CF-")
    assert json.loads(attrs["provenance"])["recipe"]["source"] == source
    assert json.loads(attrs["made_with"])[0].keys() >= {"graphcast", "zarr"}
    assert meta["attributes"]["standard_name"] == "air_temperature"


def test_levels_and_grid_are_changed_as_asked_and_said(source, tmp_path):
    recipe = Recipe(source, levels=(600, 850), interpolate_levels=True, grid="N4")
    (dataset,) = open_inputs(made(source, tmp_path / "d.zarr", 2, recipe=recipe))
    assert dataset["level"].values.tolist() == [600, 850]
    assert dataset["temperature"].shape == (2, 2, 8, 16)
    note = dataset["temperature"].attrs["provenance"]
    assert "interpolated in log(pressure)" in note
    assert "regridded (conservative)" in note
    assert dataset["temperature"].attrs["cell_methods"] == "area: mean"
    assert dataset["land_sea_mask"].shape == (8, 16)


def test_hours_of_rain_become_six_hours_and_the_first_five_are_needed(tmp_path):
    hourly = weather(19, hours=1)
    rain = np.full((19, 9, 16), 1e-4, np.float32) * np.arange(19, dtype=np.float32)[:, None, None]
    hourly["total_precipitation"] = (("time", "latitude", "longitude"), rain, {"units": "m"})
    path = archive(tmp_path / "hourly.zarr", hourly)
    wet = replace(
        TASK,
        inputs=(*TASK.inputs, "total_precipitation_6hr"),
        targets=(*TASK.targets, "total_precipitation_6hr"),
    )
    at = hourly["time"].values[[6, 12, 18]]
    prepare(Recipe(str(path)), tmp_path / "d.zarr", times=at, task=wet)
    (dataset,) = open_inputs(tmp_path / "d.zarr")
    sums = [sum(range(hour - 5, hour + 1)) * 1e-4 for hour in (6, 12, 18)]
    np.testing.assert_allclose(dataset["total_precipitation_6hr"][:, 0, 0], sums, rtol=1e-5)
    with pytest.raises(ValueError, match=r"summed from hours, and .* has no 2019-12-31T19"):
        prepare(Recipe(str(path)), tmp_path / "e.zarr", times=hourly["time"].values[:1], task=wet)


def test_statics_come_from_a_file_where_the_source_has_none(source, tmp_path):
    bare = archive(tmp_path / "bare.zarr", weather(2).drop_vars("land_sea_mask"))
    with pytest.raises(ValueError, match=r"needs land_sea_mask, which .* \(--statics\)"):
        prepare(Recipe(str(bare)), tmp_path / "d.zarr", task=TASK)
    assert list(tmp_path.iterdir()) == [bare]
    prepare(Recipe(str(bare), statics=(source,)), tmp_path / "d.zarr", task=TASK)
    (dataset,) = open_inputs(tmp_path / "d.zarr")
    np.testing.assert_array_equal(dataset["land_sea_mask"], weather(1)["land_sea_mask"][::-1])


def test_a_folder_of_files_split_by_time_and_by_variable_is_one_source(tmp_path):
    whole = weather(6)
    folder = tmp_path / "files"
    folder.mkdir()
    upper, surface = ["temperature", "geopotential"], ["2m_temperature", "land_sea_mask"]
    whole[upper].isel(time=slice(0, 3)).to_netcdf(folder / "a_upper.nc")
    whole[upper].isel(time=slice(3, 6)).to_netcdf(folder / "b_upper.nc")
    whole[surface].to_netcdf(folder / "surface.nc")
    prepare(Recipe(str(folder)), tmp_path / "d.zarr", task=TASK)
    (dataset,) = open_inputs(tmp_path / "d.zarr")
    np.testing.assert_array_equal(
        dataset["temperature"], whole["temperature"].sel(level=[500, 850])[:, :, ::-1]
    )


def test_one_time_is_repeated_only_on_request_and_the_dataset_says_so(tmp_path):
    gfs = real("states/gfs_2p5deg_2011100800_f072.grib2")
    task = replace(TASKS["graphcast_small"], levels=(500, 850))
    with pytest.raises(ValueError, match=r"has one time, 2011-10-11T00; .*--repeat-single-time"):
        prepare(Recipe(str(gfs)), tmp_path / "gfs.zarr", task=task)
    recipe = Recipe(str(gfs), repeat_single=True)
    prepare(recipe, tmp_path / "gfs.zarr", task=task)
    (dataset,) = open_inputs(tmp_path / "gfs.zarr")
    assert "repeated on request" in dataset.attrs["comment"]
    assert json.loads(dataset.attrs["provenance"])["recipe"]["repeat_single"] is True
    frames = window(dataset, task).frames
    assert frames["time"].values[1] - frames["time"].values[0] == STEP
    np.testing.assert_array_equal(frames["temperature"][0], frames["temperature"][1])
    (repeated,) = (f for f in examine(dataset) if f.rule == "repeated")
    assert repeated.severity == "warning"
    assert "repeated on request" in repeated.message
    with pytest.raises(ValueError, match="only a source with one time"):
        prepare(Recipe(str(analyses()), repeat_single=True), tmp_path / "x.zarr")


def test_a_level_that_one_variable_lacks_is_said_with_the_levels_that_all_have(tmp_path):
    part = weather(2)
    part["temperature"] = part["temperature"].where(part["level"] != 700)
    source = str(archive(tmp_path / "part.zarr", part))
    with pytest.raises(ValueError, match=r"none of it at 700 hPa; add it, or .*--levels 500,850\)"):
        prepare(Recipe(source), tmp_path / "d.zarr")
    recipe = Recipe(source, levels=(500, 850))
    assert prepare(recipe, tmp_path / "d.zarr").written == 2


def test_the_test_period_of_its_task_stands_in_the_dataset(source, tmp_path):
    task = replace(TASK, test_period="2020-01-02/2020-01-03")
    path = prepare(Recipe(source), tmp_path / "d.zarr", task=task).path
    assert xr.open_zarr(path).attrs["test_period"] == "2020-01-02/2020-01-03"


def test_deepminds_example_layout_is_read(tmp_path):
    whole = weather(3)
    example = whole.drop_vars("land_sea_mask").expand_dims("batch")
    example = example.assign_coords(
        datetime=(("batch", "time"), whole["time"].values[None]),
        time=whole["time"].values - whole["time"].values[0],
    ).rename(latitude="lat", longitude="lon")
    mask = whole["land_sea_mask"].rename(latitude="lat", longitude="lon")
    example.assign(land_sea_mask=mask).to_netcdf(tmp_path / "example.nc")
    prepare(Recipe(str(tmp_path / "example.nc")), tmp_path / "d.zarr", task=TASK)
    (dataset,) = open_inputs(tmp_path / "d.zarr")
    np.testing.assert_array_equal(dataset["time"], whole["time"])


# ---- the same bytes, however it was made -----------------------------------------------------


def test_times_added_later_give_the_bytes_of_all_at_once(source, tmp_path):
    expected = tree(made(source, tmp_path / "whole.zarr"))
    path = tmp_path / "grown.zarr"
    for count in (1, 3, 4, 9, 12):  # groups of two times: full ones and half full ones
        made(source, path, count)
        assert xr.open_zarr(path).sizes["time"] == count
    assert tree(path) == expected
    assert not (tmp_path / "grown.zarr.partial").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the child's start, in Python 3.12
def test_two_workers_give_the_bytes_of_one(source, tmp_path):
    expected = tree(made(source, tmp_path / "one.zarr"))
    assert tree(made(source, tmp_path / "two.zarr", fleet=Fleet(2))) == expected


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from data.stores.workers import Fleet
from tests.data.preparation.test_preparation import made
if __name__ == "__main__":
    source, count, workers = sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    print("ready", flush=True)
    made(source, Path(sys.argv[1]), count, fleet=Fleet(workers))
"""


def killed(folder: Path, path: Path, source: str, count: int, after: float, workers: int) -> bool:
    """Start making a dataset and kill it; whether it was killed before it was done."""
    script = folder / "child.py"
    script.write_text(textwrap.dedent(CHILD))
    command = [sys.executable, str(script), str(path), ROOT, source, str(count), str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(after)
        child.send_signal(signal.SIGKILL)
    return child.returncode == -signal.SIGKILL


def in_a_process(source: str, path: Path, count: int) -> float:
    """Make a dataset in a process of its own; its peak memory in MiB."""
    measure = (
        "import re, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from tests.data.preparation.test_preparation import made;"
        "made(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), group_bytes=2**20);"
        # not getrusage, which counts what the parent had
        "status = Path('/proc/self/status').read_text();"
        "print(int(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1]) / 1024)"
    )
    command = [sys.executable, "-c", measure, ROOT, source, str(path), str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_times(tmp_path):
    fine = {"latitude": np.linspace(90, -90, 73), "longitude": np.arange(144) * 2.5}
    series = weather(300).interp(fine, kwargs={"fill_value": "extrapolate"}).astype(np.float32)
    source = str(archive(tmp_path / "fine.zarr", series))
    few, many = (in_a_process(source, tmp_path / f"{n}.zarr", n) for n in (10, 300))
    print(f"peak memory: {few:.0f} MiB for 10 times, {many:.0f} MiB for 300")
    assert many < 1.1 * few


def many_kills(source: str, folder: Path, kills: int, seed: int, workers: int = 1) -> int:
    """Kill at random moments, half of the time while times are added; how many hit."""
    begin = time.perf_counter()
    expected = tree(made(source, folder / "whole.zarr"))
    duration = 1.2 * (time.perf_counter() - begin) + 1.5 * (workers > 1)
    first = tree(made(source, folder / "half.zarr", 5))
    moments, hits = random.Random(seed), 0
    path = folder / "killed.zarr"
    while hits < kills:
        fresh = not path.exists() and not (folder / "killed.zarr.partial").exists()
        if fresh and moments.random() < 0.5:
            made(source, path, 5)
        hits += killed(folder, path, source, 12, moments.uniform(0, duration), workers)
        # a reader finds the times that were there, or all of them, or nothing
        if path.exists():
            opened = xr.open_zarr(path)
            assert opened.sizes["time"] in (5, 12)
            assert np.isfinite(opened["temperature"].values).all()
            if opened.sizes["time"] == 5 and not (folder / "killed.zarr.partial").exists():
                assert tree(path) == first
        if moments.random() < 0.4:
            try:
                made(source, path)
            except FileExistsError:
                assert not (folder / "killed.zarr.partial").exists()
            assert tree(path) == expected
            subprocess.run(["rm", "-r", str(path)], check=True)
    return hits


def test_killed_at_any_moment_and_run_again_gives_the_same_bytes(source, tmp_path):
    assert many_kills(source, tmp_path, kills=2, seed=0) == 2


@pytest.mark.slow
def test_killed_many_times(source, tmp_path):
    kills = int(os.environ.get("GRAPHCAST_TEST_KILLS", "15"))
    assert many_kills(source, tmp_path, kills=kills, seed=1) == kills


@pytest.mark.slow
def test_killed_with_workers_leaves_none_behind_and_goes_on(source, tmp_path):
    assert many_kills(source, tmp_path, kills=4, seed=2, workers=2) == 4
    time.sleep(0.5)
    lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    assert not any(str(tmp_path).encode() in line for line in lines)


def test_every_step_of_the_last_move_may_be_the_last(source, tmp_path, monkeypatch):
    """Not at random, but at each file that is moved when times are added."""
    expected = tree(made(source, tmp_path / "whole.zarr", 5))
    path = tmp_path / "grown.zarr"
    made(source, path, 3)
    replace_file, allowed = Path.replace, 0

    class Killed(BaseException):
        pass

    for allowed in range(100):
        left = allowed

        def limited(self, target):
            nonlocal left
            if Path(target).is_relative_to(path):
                if left == 0:
                    raise Killed
                left -= 1
            return replace_file(self, target)

        monkeypatch.setattr(Path, "replace", limited)
        try:
            made(source, path, 5)
            break
        except Killed:
            opened = xr.open_zarr(path)
            assert opened.sizes["time"] in (3, 5)
            assert np.isfinite(opened["temperature"].values).all()
    assert allowed > 10
    assert tree(path) == expected


def test_a_run_killed_at_its_very_end_leaves_nothing_behind(source, tmp_path):
    path = made(source, tmp_path / "d.zarr", 3)
    before, partial = tree(path), tmp_path / "d.zarr.partial"
    partial.mkdir()  # all but this was removed
    assert tree(made(source, path, 3)) == before
    assert not partial.exists()


def test_an_interrupted_run_may_be_asked_for_more_times(source, tmp_path, monkeypatch):
    expected = tree(made(source, tmp_path / "whole.zarr"))
    path = tmp_path / "d.zarr"
    stop_after(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        made(source, path, 7)
    monkeypatch.undo()
    assert tree(made(source, path)) == expected


def stop_after(monkeypatch, groups: int) -> None:
    commit, left = dataset_format.DatasetStore.commit, groups

    def limited(self, group):
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        commit(self, group)

    monkeypatch.setattr(dataset_format.DatasetStore, "commit", limited)


# ---- refusals --------------------------------------------------------------------------------


def test_a_complete_dataset_is_left_as_it_is(source, tmp_path):
    path = made(source, tmp_path / "d.zarr", 4)
    before = {p: p.stat().st_mtime_ns for p in path.rglob("*")}
    again = prepare(Recipe(source), path, times=times(source, 4), task=TASK, group_bytes=TWO_TIMES)
    assert (again.written, again.times.size) == (0, 4)
    assert {p: p.stat().st_mtime_ns for p in path.rglob("*")} == before
    assert not path.with_name("d.zarr.partial").exists()


def test_another_dataset_is_refused_and_replaced_on_request(source, tmp_path, monkeypatch):
    path = made(source, tmp_path / "d.zarr", 4)
    with pytest.raises(FileExistsError, match="times are added after those that are there"):
        prepare(Recipe(source), path, times=times(source)[2:], task=TASK, group_bytes=TWO_TIMES)
    with pytest.raises(FileExistsError, match="another source or with other settings"):
        made(source, path, recipe=Recipe(source, grid="N4"))
    expected = tree(made(source, tmp_path / "other.zarr", recipe=Recipe(source, grid="N4")))
    options = {"recipe": Recipe(source, grid="N4"), "overwrite": True}
    stop_after(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        made(source, path, **options)
    assert xr.open_zarr(path).sizes["time"] == 4  # the old one stays until the new one is complete
    monkeypatch.undo()
    with pytest.raises(FileExistsError, match="holds an interrupted dataset with another source"):
        made(source, path)
    assert tree(made(source, path, **options)) == expected


def test_what_is_no_dataset_is_never_touched(source, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    for target in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(FileExistsError, match="is not a dataset of graphcast prepare"):
            made(source, target, overwrite=True)
    (tmp_path / "d.zarr.partial").mkdir()
    (tmp_path / "d.zarr.partial" / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError, match=r"holds \['mine.txt'\], which are not ours"):
        made(source, tmp_path / "d.zarr")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a: a.where(a["latitude"] < 90), "at 2020-01-01T12: temperature must have a value"),
        (lambda a: a - 273.15, "2020-01-01T12: temperature must be in K, .* as if it were in °C"),
        (lambda a: a * 0 + 1e20, "at 2020-01-01T12: temperature must be in K"),
    ],
)
def test_nothing_wrong_is_written(tmp_path, spoil, words):
    bad = weather(4)
    third = bad["time"].values[2]
    bad["temperature"] = xr.where(
        bad["time"] == third, spoil(bad["temperature"]), bad["temperature"]
    )
    source = str(archive(tmp_path / "bad.zarr", bad))
    with pytest.raises(ValueError, match=words):
        made(source, tmp_path / "d.zarr")
    assert not (tmp_path / "d.zarr").exists()
    made(source, tmp_path / "d.zarr", 2)  # what is before it may be had


def test_requests_that_cannot_be_met_end_in_one_sentence(source, tmp_path):
    path = tmp_path / "d.zarr"
    cases = [
        (Recipe(str(tmp_path / "no")), {}, FileNotFoundError, "there is nothing at"),
        (Recipe(source), {"times": times(source) + 365 * 24 * HOUR}, ValueError, "lacks 12 of"),
        (Recipe(source, levels=(500, 1000)), {}, ValueError, "1000 hPa are not in the data"),
        (Recipe(source), {"task": TASKS["graphcast_small"]}, ValueError, "lacks 10m_u_component"),
        (Recipe(source, grid="7.7"), {}, ValueError, "7.7"),
        (Recipe("cds"), {}, ValueError, "has to be asked for times"),
        (Recipe(source, method="magic", grid="N4"), {}, ValueError, "regridding is"),
    ]
    for recipe, options, error, words in cases:
        with pytest.raises(error, match=words) as caught:
            prepare(recipe, path, **{"task": TASK, **options})
        assert "\n" not in str(caught.value)
        assert not list(tmp_path.iterdir())


def test_a_series_that_is_not_six_hourly_is_refused(tmp_path):
    sparse = weather(9).isel(time=[0, 1, 2, 5])
    source = str(archive(tmp_path / "sparse.zarr", sparse))
    with pytest.raises(ValueError, match=r"a time every 6 h, and those of .* are 6, 18 h apart"):
        prepare(Recipe(source), tmp_path / "d.zarr", task=TASK)
    prepare(Recipe(source), tmp_path / "d.zarr", task=TASK, times=sparse["time"].values)


def test_a_header_is_checked():
    good = DatasetHeader(("2m_temperature",), (), (), (-45.0, 45.0), (0.0, 180.0), "t", "s")
    assert good.group_times == 8
    with pytest.raises(ValueError, match="at least one variable"):
        replace(good, variables=())
    with pytest.raises(ValueError, match="latitude must ascend"):
        replace(good, latitude=(45.0, -45.0))
    with pytest.raises(ValueError, match="unknown variable"):
        replace(good, variables=("2m_temperatur",))


def test_a_damaged_shard_raises_when_it_is_read(source, tmp_path):
    path = made(source, tmp_path / "d.zarr", 2)
    shard = path / "temperature" / "c.0.0.0.0"
    damaged = bytearray(shard.read_bytes())
    damaged[100] ^= 1
    shard.write_bytes(damaged)
    with pytest.raises(ValueError, match="checksum"):
        xr.open_zarr(path)["temperature"].values  # noqa: B018  reading is the point


def test_a_fleet_has_workers():
    with pytest.raises(ValueError, match="at least one worker"):
        Fleet(0)
