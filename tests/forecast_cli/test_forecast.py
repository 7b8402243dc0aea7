"""`graphcast forecast`: its store, its messages and its errors."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from data.stores.forecast.store import ForecastStore
from data.time_range import moment
from forecast_cli.arguments import lead_time
from graphcast.checkpoints import read_checkpoint, write_checkpoint
from graphcast.machine import plan

from .conftest import analyses


def check_refused(run, *words):
    """The error's sentence, after checking that it is one, with exit code 2 and no traceback."""
    assert run.code == 2, run
    assert run.sentence.startswith("error: ")
    assert "Traceback" not in run.err
    for word in words:
        assert word in run.sentence, run.sentence
    return run.sentence


def saved(case, dataset):
    path = case.folder / "changed.nc"
    dataset.to_netcdf(path)
    return path


def test_forecast_is_written_and_described(graphcast, case):
    run = graphcast(*case.forecast())
    assert run.code == 0, run.err
    assert "init time  2024-06-03T06 UTC" in run.out
    assert "random weights" in run.out
    assert f"next: graphcast score --forecast {case.output} --truth {case.inputs}" in run.out
    forecast = xr.open_zarr(case.output)
    assert forecast["geopotential"].dims == (
        "time",
        "prediction_timedelta",
        "level",
        "latitude",
        "longitude",
    )
    hours = forecast["prediction_timedelta"].values / np.timedelta64(1, "h")
    np.testing.assert_array_equal(hours, [6, 12])
    assert forecast["time"].values == np.datetime64("2024-06-03T06")
    assert np.isfinite(forecast["temperature"].values).all()
    assert "sha256" in forecast.attrs["provenance"]


def test_the_same_command_again_says_so_and_touches_nothing(graphcast, case):
    assert graphcast(*case.forecast()).code == 0
    before = {p: p.stat().st_mtime_ns for p in case.output.rglob("*")}
    run = graphcast(*case.forecast())
    assert run.code == 0, run.err
    assert "it was there already, made from the same inputs by the same command" in run.out
    assert {p: p.stat().st_mtime_ns for p in case.output.rglob("*")} == before
    assert graphcast(*case.forecast(), "--overwrite").code == 0
    assert case.output.stat().st_mtime_ns > max(before.values())


def test_another_command_is_refused_and_a_longer_one_goes_on(graphcast, case):
    assert graphcast(*case.forecast()).code == 0
    run = graphcast(*case.forecast(lead_time="6h"))
    check_refused(run, "lead time 12 h, not 6 h", "--overwrite")
    run = graphcast(*case.forecast(lead_time="24h"))
    assert run.code == 0, run.err
    assert "2 of 4 taken from the forecast that was there" in run.out
    assert graphcast(*case.forecast(lead_time="24h", output=case.folder / "new")).code == 0
    assert same_bytes(case.output, case.folder / "new")


def test_a_name_that_ends_as_something_else_is_refused(graphcast, case):
    check_refused(graphcast(*case.forecast(output="a.json")), "a.json is the name of a JSON file")
    check_refused(graphcast(*case.forecast(output="-")), "not to standard output")


def test_findings_have_their_severity_and_remedy_and_strict_contradicts_force(graphcast, case):
    run = graphcast(*case.forecast())
    assert run.code == 0
    assert "error: geopotential and temperature between 850 and 500 hPa" in run.err
    assert "\n  → " in run.err
    refused = graphcast(*case.forecast(output=case.folder / "new.zarr"), "--strict")
    check_refused(refused, "--strict stops at what the input doctor finds, and --force")


def test_deepminds_format_with_a_folder_of_statistics_forecasts_the_same(graphcast, case):
    npz, other = case.folder / "weights.npz", case.folder / "other.zarr"
    assert graphcast("convert", case.checkpoint, npz).code == 0
    check_refused(graphcast(*case.forecast(checkpoint=npz, output=other)), "--statistics")
    statistics = case.folder / "stats"
    run = graphcast(*case.forecast(checkpoint=npz, output=other, statistics=statistics))
    assert run.code == 0, run.err
    assert graphcast(*case.forecast()).code == 0
    xr.testing.assert_equal(xr.open_zarr(other).load(), xr.open_zarr(case.output).load())


def test_statistics_that_contradict_the_checkpoint_are_refused(graphcast, case):
    path = case.folder / "stats" / "mean_by_level.nc"
    changed = xr.load_dataset(path) + 1
    changed.to_netcdf(path)
    run = graphcast(*case.forecast(statistics=case.folder / "stats"))
    check_refused(run, "carries its own statistics", "leave --statistics out")


def test_longitudes_from_minus_180_are_turned(graphcast, case):
    dataset = analyses()
    turned = dataset.assign_coords(longitude=(dataset.longitude + 180) % 360 - 180)
    inputs = saved(case, turned.sortby("longitude"))
    assert graphcast(*case.forecast(inputs=inputs)).code == 0
    straight = case.folder / "straight.zarr"
    assert graphcast(*case.forecast(output=straight)).code == 0
    xr.testing.assert_equal(xr.open_zarr(case.output).load(), xr.open_zarr(straight).load())


def test_latitudes_from_north_to_south_are_turned(graphcast, case):
    inputs = saved(case, analyses().isel(latitude=slice(None, None, -1)))
    assert graphcast(*case.forecast(inputs=inputs)).code == 0
    assert (np.diff(xr.open_zarr(case.output)["latitude"]) > 0).all()


def test_entries_of_a_batch_become_members_or_init_times(graphcast, case):
    frames = analyses(2)
    batch = xr.concat([frames, frames + 1.0], "batch").rename(latitude="lat", longitude="lon")
    relative = batch.assign_coords(time=frames["time"] - frames["time"][-1])
    path = case.folder / "batch.nc"
    relative.to_netcdf(path)
    run = graphcast(*case.forecast(inputs=path))
    assert run.code == 0, run.err
    members = xr.open_zarr(case.output)
    assert members.sizes["number"] == 2
    assert float(abs(members["2m_temperature"].diff("number")).max()) > 0.5

    times = np.stack([frames["time"].values, frames["time"].values + np.timedelta64(1, "D")])
    dated = relative.assign_coords(datetime=(("batch", "time"), times))
    dated.to_netcdf(case.folder / "dated.nc")
    several = case.folder / "several.zarr"
    run = graphcast(*case.forecast(inputs=case.folder / "dated.nc", init_time=None, output=several))
    assert run.code == 0, run.err
    np.testing.assert_array_equal(
        xr.open_zarr(several)["time"], np.array(["2024-06-03T06", "2024-06-04T06"], "M8[ns]")
    )


@pytest.fixture
def interrupted(monkeypatch):
    """A context in which the forecast is interrupted before its fourth lead."""
    write = ForecastStore.write

    def until_fourth(self, lead, fields, **place):
        if lead == 3:
            raise KeyboardInterrupt
        write(self, lead, fields, **place)

    @contextmanager
    def context():
        with monkeypatch.context() as patched:
            patched.setattr(ForecastStore, "write", until_fourth)
            yield

    return context


def same_bytes(one, other):
    """Whether two folders hold equal files."""
    names = [path.relative_to(one) for path in sorted(one.rglob("*")) if path.is_file()]
    return bool(names) and all((one / n).read_bytes() == (other / n).read_bytes() for n in names)


def test_interrupted_forecast_goes_on_to_the_same_bytes(graphcast, case, interrupted):
    whole = case.folder / "whole.zarr"
    assert graphcast(*case.forecast(output=whole, lead_time="30h")).code == 0
    with interrupted():
        run = graphcast(*case.forecast(lead_time="30h"))
    assert run.code == 130
    assert "goes on where this one stopped" in run.sentence
    assert not case.output.exists()
    run = graphcast(*case.forecast(lead_time="30h"))
    assert "3 of 5 taken from the interrupted run" in run.out
    assert same_bytes(whole, case.output)


def test_a_resumed_forecast_keeps_its_blocks(graphcast, case, interrupted, monkeypatch):
    whole = case.folder / "whole.zarr"
    with monkeypatch.context() as begun:
        begun.setattr(plan, "ON_CPU", (plan.Economy(64, 60, keep_edges=False),))
        assert graphcast(*case.forecast(output=whole, lead_time="30h")).code == 0
        with interrupted():
            assert graphcast(*case.forecast(lead_time="30h")).code == 130
    run = graphcast(*case.forecast(lead_time="30h"))
    assert "3 of 5 taken from the interrupted run" in run.out
    assert '"grid_block": 64' in xr.open_zarr(case.output).attrs["provenance"]
    assert same_bytes(whole, case.output)


def test_a_forecast_begun_with_more_memory_is_not_resumed_with_less(graphcast, case, interrupted):
    with interrupted():
        assert graphcast(*case.forecast(lead_time="30h")).code == 130
    run = graphcast(*case.forecast(lead_time="30h", memory="1kB"))
    check_refused(run, "as the interrupted forecast planned it", "--overwrite")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.isel(time=[0]), ("two frames 6 h apart", "one time")),
        (
            lambda d: d.isel(time=[0, 1]).assign_coords(
                time=d.time.values[:2] + np.array([0, 1], "m8[h]")
            ),
            ("7 h apart",),
        ),
        (lambda d: d.drop_vars("geopotential"), ("lacks geopotential",)),
        (lambda d: d.sel(level=[500]), ("lacks 850 hPa",)),
        (lambda d: d.assign(temperature=d.temperature - 273.15), ("temperature", "K")),
        (lambda d: d.assign(geopotential=d.geopotential / 9.80665), ("geopotential", "height")),
        (lambda d: d.where(d.latitude < 80), ("NaN",)),
        (lambda d: d.isel(longitude=slice(0, 9)), ("longitude", "globe")),
    ],
    ids=["one frame", "7 h", "variable", "level", "celsius", "height", "nan", "half globe"],
)
def test_bad_inputs_get_a_sentence(graphcast, case, change, words):
    check_refused(graphcast(*case.forecast(inputs=saved(case, change(analyses())))), *words)
    assert not case.output.exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"lead_time": "7h"}, ("steps of 6 h", "7h is 7 h")),
        ({"lead_time": "soon"}, ("10d, 36h or 1d12h", "'soon'")),
        ({"lead_time": "0h"}, ("positive multiple",)),
        ({"init_time": "yesterday"}, ("2024-06-03T18", "'yesterday'")),
        ({"init_time": "2024-06-09T06"}, ("can start from 2024-06-03T06, 2024-06-03T12",)),
        ({"init_time": None}, ("--init-time", "2024-06-03T06")),
        ({"inputs": "nowhere.nc"}, ("nowhere.nc",)),
        ({"checkpoint": "nowhere.npz"}, ("there is no checkpoint at nowhere.npz",)),
        ({"precision": "half"}, ("choose one of float32",)),
        ({"output": "/proc/forecast.zarr"}, ("/proc/forecast.zarr",)),
        ({"statistics": "nowhere"}, ("nowhere",)),
        ({"lead_time": "10000000d"}, ("at most 36525d",)),
        ({"init_time": "2024-06-03T06+02:00"}, ("reads a UTC time",)),
        ({"init_time": "now"}, ("reads a UTC time",)),
        ({"init_time": "9999-01-01"}, ("between the years 1678 and 2261",)),
        ({"devices": 0}, ("--devices counts from 1 to",)),
        ({"output": "s3://bucket/forecast.zarr"}, ("written to a local path",)),
    ],
)
def test_bad_flags_get_a_sentence(graphcast, case, flags, words):
    check_refused(graphcast(*case.forecast(**flags)), *words)


def test_truncated_inputs_get_a_sentence(graphcast, case):
    content = case.inputs.read_bytes()
    case.inputs.write_bytes(content[: len(content) // 2])
    check_refused(graphcast(*case.forecast()), "analyses.nc")


@pytest.mark.parametrize(("text", "steps"), [("6h", 1), ("10d", 40), ("1d12h", 6), (" 36H ", 6)])
def test_lead_times_are_steps_of_six_hours(text, steps):
    assert lead_time(text) == steps


@pytest.mark.parametrize("text", ["2024-06-03T18", "2024-06-03 18:00Z", "2024-06-03T18:00+00:00"])
def test_init_times_are_utc(text):
    assert moment(text) == np.datetime64("2024-06-03T18", "ns")


def test_forcings_count_from_the_init_time_of_their_inputs(graphcast, case):
    times = np.array([6, 12], "m8[h]").astype("m8[ns]")
    grid = analyses()
    given = xr.Dataset({"day_progress_cos": (("time", "lon"), np.full((2, 18), 0.5, np.float32))})
    given = given.assign_coords(time=times, lat=grid.latitude.values, lon=grid.longitude.values)
    given.to_netcdf(case.folder / "forcings.nc")
    inputs = saved(case, grid.isel(time=[0, 1]))
    flags = {"inputs": inputs, "forcings": case.folder / "forcings.nc", "init_time": None}
    run = graphcast(*case.forecast(**flags))
    assert run.code == 0, run.err
    assert "read from the forcings for 2024-06-03T12 … 2024-06-03T18" in run.out


def test_nothing_is_left_of_a_forecast_that_could_not_start(graphcast, case):
    times = np.array(["2024-06-03T12", "2024-06-03T18"], "M8[ns]")
    clock = np.full((2, 18), 0.5, np.float32)
    clock[1, 3] = np.nan
    grid = analyses()
    given = xr.Dataset({"day_progress_cos": (("time", "longitude"), clock)})
    given = given.assign_coords(time=times, latitude=grid.latitude, longitude=grid.longitude)
    given.to_netcdf(case.folder / "forcings.nc")
    before = sorted(case.folder.iterdir())
    run = graphcast(*case.forecast(forcings=case.folder / "forcings.nc"))
    check_refused(run, "day_progress_cos must have a value everywhere", "2024-06-03T18")
    check_refused(graphcast(*case.forecast(), "--no-examine", "--devices", "99"), "not 99")
    assert set(case.folder.iterdir()) - set(before) <= {case.folder / "cache"}


def test_weights_for_another_resolution_run_with_a_warning(graphcast, case):
    checkpoint = read_checkpoint(case.checkpoint)
    other = replace(checkpoint, spec=replace(checkpoint.spec, resolution=1.0))
    write_checkpoint(other, case.folder / "other.safetensors")
    run = graphcast(*case.forecast(checkpoint=case.folder / "other.safetensors"))
    assert run.code == 0
    assert "made for a grid of 1°" in run.err
    assert "one of 20° × 20°" in run.err


def test_statistics_are_checked_before_anything_is_computed(graphcast, case):
    npz = case.folder / "weights.npz"
    assert graphcast("convert", case.checkpoint, npz).code == 0
    path = case.folder / "stats" / "stddev_by_level.nc"
    statistics = xr.load_dataset(path)
    flags = {"checkpoint": npz, "statistics": case.folder / "stats"}
    for change, words in (
        (statistics.drop_vars("2m_temperature"), ("stddev", "2m_temperature")),
        (statistics * 0, ("positive", "2m_temperature (0.0)")),
        (statistics.expand_dims(batch=2), ("one number for each variable", "along batch")),
        (statistics.isel(level=[0, 1, 1]), ("same levels",)),
        (statistics.drop_vars("level"), ("which levels they stand on",)),
    ):
        change.to_netcdf(path)
        run = graphcast(*case.forecast(**flags))
        check_refused(run, *words)
        made = graphcast(
            "convert", npz, case.folder / "new.safetensors", "--statistics", path.parent
        )
        check_refused(made, *words)
    path.write_bytes(b"not a netCDF file")
    check_refused(graphcast(*case.forecast(**flags)), "statistics are netCDF files", path.name)


def test_a_forecast_is_written_as_its_name_says(graphcast, case):
    target = case.folder / "forecast.grib2"
    run = graphcast(*case.forecast(output=target, levels="500", region="tropics"))
    assert run.code == 0, run.err
    assert "written    only levels 500 hPa" in run.out
    assert "written    only region -20 to 20 degrees north, 0 to 360 degrees east" in run.out
    assert "GRIB       centre 255 (missing), generating process 255 (missing), 16 bits" in run.out
    assert target.read_bytes()[:4] == b"GRIB"
    assert not (case.folder / "forecast.grib2.partial").exists()
    again = graphcast(*case.forecast(output=target))
    assert again.code == 2
    assert "is there already; choose another output or replace it" in again.sentence
