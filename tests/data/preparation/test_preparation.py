"""Laws of preparing a dataset: same bytes however it was made, nothing wrong gets in."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import xarray as xr

from data import preparation
from data.doctor import examine
from data.preparation import Recipe
from data.samples import analyses
from data.sources import open_inputs
from data.stores.analyses.header import DatasetHeader
from data.stores.workers import Fleet
from data.task import STEP, TASKS
from data.windows import window
from tests.data.preparation.small_archive import HOUR, TWO_TIMES, made, times
from tests.data.preparation.stopping import stop_after
from tests.data.sources.loopback import TASK, archive, tree, weather
from tests.reference import real

prepare = partial(preparation.prepare, force=True)  # the fields are no weather

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
    with pytest.raises(ValueError, match=r"needs land_sea_mask, which .* \(`statics`\)"):
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
    with pytest.raises(ValueError, match=r"has one time, 2011-10-11T00; .*`repeat_single`"):
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
    with pytest.raises(ValueError, match=r"none of it at 700 hPa; add it, or .*`levels` 500,850\)"):
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
    (tmp_path / "mine.zarr").write_text("precious")
    (tmp_path / "folder.zarr").mkdir()
    (tmp_path / "folder.zarr" / "mine.txt").write_text("precious")
    for target in (tmp_path / "folder.zarr", tmp_path / "mine.zarr"):
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
