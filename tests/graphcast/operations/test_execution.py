"""`execute`: windows are read one at a time, and a forecast goes on from the same values only."""

import gc
import json
import weakref
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import xarray as xr

from data.doctor import Finding
from data.stores.forecast.store import ForecastStore
from data.stores.kind import zarr_attributes
from graphcast import operations
from graphcast.machine.machine import Machine
from graphcast.operations import Digest, Member, Noticed, Opened, Started, Written, making
from graphcast.operations.events import Standing, Taken

from .conftest import MadeUpStarts

execute = partial(operations.execute, door="report")  # the fields are no weather


@pytest.fixture
def interrupted(monkeypatch):
    """Interrupt before the second lead of the second init time."""

    def until(self, lead, fields, **place):
        if (place["init"], lead) == (1, 1):
            raise KeyboardInterrupt
        write(self, lead, fields, **place)

    write = ForecastStore.write
    with monkeypatch.context() as patched:
        patched.setattr(ForecastStore, "write", until)
        yield patched


def stop_early(run, world, starts, output, interrupted):
    with pytest.raises(KeyboardInterrupt):
        execute(run, world.checkpoint, starts, output)
    interrupted.undo()


def test_events_tell_the_whole_story_in_order(run, world, starts, tmp_path):
    events = []
    store = execute(run, world.checkpoint, starts, tmp_path / "f.zarr", report=events.append)
    kinds = [type(event) for event in events if not isinstance(event, Noticed)]
    assert kinds == [Opened, Started, Written, Written, Started, Written, Written]
    assert [event.lead for event in events if isinstance(event, Written)] == [*run.leads] * 2
    assert xr.open_zarr(store).sizes["time"] == 2


def test_odd_inputs_are_noticed_and_forecast(run, world, starts, tmp_path):
    starts.offset = 40.0  # no such heat was ever seen, but it is no other unit either
    events = []
    execute(run, world.checkpoint, starts, tmp_path / "f.zarr", report=events.append)
    assert any(event.findings for event in events if isinstance(event, Noticed))
    events.clear()
    silent = {"report": events.append, "door": "open"}
    execute(run, world.checkpoint, starts, tmp_path / "g.zarr", **silent)
    assert not any(isinstance(event, Noticed) for event in events)


def test_a_window_is_let_go_before_the_next_is_read(run, world, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    read = []

    class Counting(MadeUpStarts):
        def window(self, init_time, member):
            gc.collect()  # xarray's objects refer to each other
            assert [window() for window in read] == [None] * len(read)
            made = super().window(init_time, member)
            read.append(weakref.ref(made))
            return made

    times = tuple(world.analyses["time"].values[1:4])
    store = execute(
        replace(run, init_times=times, steps=1),
        world.checkpoint,
        Counting(world),
        tmp_path / "f.zarr",
    )
    assert xr.open_zarr(store).sizes["time"] == 3


def test_bad_values_in_the_first_window_leave_no_store(run, world, starts, tmp_path):
    starts.offset = np.nan
    with pytest.raises(ValueError, match="must be given at every time"):
        execute(run, world.checkpoint, starts, tmp_path / "f.zarr")
    assert not list(tmp_path.glob("f.zarr*"))


def test_bad_values_in_a_later_window_keep_the_leads_before_it(run, world, starts, tmp_path):
    class Broken(MadeUpStarts):
        def window(self, init_time, member):
            self.offset = np.nan if init_time == run.init_times[1] else 0.0
            return super().window(init_time, member)

    output = tmp_path / "f.zarr"
    with pytest.raises(ValueError, match="must be given at every time"):
        execute(run, world.checkpoint, Broken(world), output)
    events = []
    execute(run, world.checkpoint, starts, output, report=events.append)
    assert next(event for event in events if isinstance(event, Opened)).resumed == 2


def test_the_manifest_names_every_window(run, world, starts, tmp_path):
    store = execute(run, world.checkpoint, starts, tmp_path / "f.zarr")
    manifest = json.loads(zarr_attributes(store)["provenance"])
    assert [made["init_time"] for made in manifest["inputs"]] == [str(t) for t in run.init_times]
    hashes = {made["sha256"] for made in manifest["inputs"]}
    assert {len(each) for each in hashes} == {64}
    assert len(hashes) == 2
    assert all(made["notes"] for made in manifest["inputs"])
    assert manifest["flags"]["lead_time_hours"] == 12
    assert manifest["versions"]["jax"]


def test_an_interrupted_run_goes_on_to_the_same_bytes(run, world, starts, tmp_path, interrupted):
    output = tmp_path / "f.zarr"
    stop_early(run, world, starts, output, interrupted)
    events = []
    execute(run, world.checkpoint, starts, output, report=events.append)
    assert next(event for event in events if isinstance(event, Opened)).resumed == 3
    assert [type(event) for event in events].count(Written) == 1
    whole = execute(run, world.checkpoint, starts, tmp_path / "whole.zarr")
    files = [path.relative_to(whole) for path in whole.rglob("*") if path.is_file()]
    assert files
    for name in files:
        assert (output / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.parametrize("changed", [0, 1], ids=["finished window", "window begun"])
def test_changed_inputs_do_not_go_on(run, world, starts, tmp_path, interrupted, changed):
    class Changed(MadeUpStarts):
        def window(self, init_time, member):
            self.offset = 0.25 * (init_time == run.init_times[changed])
            return super().window(init_time, member)

    output = tmp_path / "f.zarr"
    stop_early(run, world, starts, output, interrupted)
    day_and_hour = str(run.init_times[changed])[:13]
    with pytest.raises(FileExistsError, match=f"those for {day_and_hour} have changed since"):
        execute(run, world.checkpoint, Changed(world), output)
    events = []
    replaced = execute(
        run, world.checkpoint, Changed(world), output, overwrite=True, report=events.append
    )
    assert [e.resumed for e in events if isinstance(e, Opened)][-1] == 0
    fresh = execute(run, world.checkpoint, Changed(world), tmp_path / "fresh.zarr")
    xr.testing.assert_identical(xr.open_zarr(replaced).load(), xr.open_zarr(fresh).load())


def test_init_times_and_members_make_a_table(run, world, starts, tmp_path):
    several = replace(run, members=(Member(0), Member(1)), steps=1)
    store = xr.open_zarr(execute(several, world.checkpoint, starts, tmp_path / "f.zarr"))
    assert store["temperature"].dims[:3] == ("time", "number", "prediction_timedelta")
    assert starts.asked == ["03T06 0", "03T06 1", "03T12 0", "03T12 1"]
    assert np.isfinite(store["temperature"].values).all()
    assert float(abs(store["2m_temperature"].diff("number")).max()) > 0.1


def test_a_step_that_does_not_fit_is_refused(run, world, starts, tmp_path):
    with pytest.raises(ValueError, match="a step needs"):
        execute(run, world.checkpoint, starts, tmp_path / "f.zarr", machine=Machine(memory=1000))
    assert not list(tmp_path.glob("f.zarr*"))


def same_bytes(one, other):
    files = [path.relative_to(one) for path in one.rglob("*") if path.is_file()]
    assert files
    assert sorted(files) == sorted(p.relative_to(other) for p in other.rglob("*") if p.is_file())
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in files)


def states(folder):
    return {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.rglob("*")}


def test_a_finished_forecast_is_left_alone(run, world, starts, tmp_path):
    output = execute(run, world.checkpoint, starts, tmp_path / "f.zarr")
    before = states(tmp_path / "f.zarr")
    events = []
    execute(run, world.checkpoint, starts, output, report=events.append)
    assert [type(event) for event in events] == [Standing]
    assert states(tmp_path / "f.zarr") == before
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("change", ["leads", "dates before", "dates between"])
def test_a_finished_forecast_grows_to_the_bytes_of_one_made_at_once(
    run, world, starts, tmp_path, change
):
    times = tuple(world.analyses["time"].values[1:4])
    long = replace(run, init_times=times, steps=3)
    short = {
        "leads": replace(long, steps=1),
        "dates before": replace(long, init_times=times[1:]),
        "dates between": replace(long, init_times=(times[0], times[2])),
    }[change]
    output = execute(short, world.checkpoint, starts, tmp_path / "f.zarr")
    events = []
    execute(long, world.checkpoint, starts, output, report=events.append)
    taken = sum(event.leads for event in events if isinstance(event, Taken))
    assert taken == len(short.windows) * short.steps
    assert [type(event) for event in events].count(Written) == 9 - taken
    whole = execute(long, world.checkpoint, starts, tmp_path / "whole.zarr")
    assert same_bytes(output, whole)
    assert not list(tmp_path.glob("*.partial"))


def test_a_growing_forecast_that_was_interrupted_leaves_the_old_one_and_goes_on(
    run, world, starts, tmp_path, interrupted
):
    short = replace(run, steps=1)
    interrupted.undo()
    output = execute(short, world.checkpoint, starts, tmp_path / "f.zarr")
    write = ForecastStore.write

    def until(self, lead, fields, **place):
        if place["init"] == 1:
            raise KeyboardInterrupt
        write(self, lead, fields, **place)

    interrupted.setattr(ForecastStore, "write", until)
    stop_early(run, world, starts, output, interrupted)
    assert xr.open_zarr(output).sizes["prediction_timedelta"] == 1
    execute(run, world.checkpoint, starts, output)
    assert same_bytes(output, execute(run, world.checkpoint, starts, tmp_path / "whole.zarr"))


@pytest.mark.parametrize("steps", [2, 3])
def test_a_finished_forecast_of_other_values_is_refused(run, world, starts, tmp_path, steps):
    output = execute(run, world.checkpoint, starts, tmp_path / "f.zarr")
    before = states(output)
    starts.offset = 0.25
    with pytest.raises(FileExistsError, match="those for 2024-06-03T06 have changed since"):
        execute(replace(run, steps=steps), world.checkpoint, starts, output)
    assert states(output) == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 1}, "lead time 12 h, not 6 h"),
        ({"precision": "mixed"}, "precision float32, not mixed"),
        ({"inputs": ("others",)}, "inputs analyses in memory, not others"),
        (
            {"weights": Digest("1" * 64)},
            r"weights random weights \(0{12}\), not undescribed",
        ),
        (
            {"deterministic": True, "forcings": "toa.nc"},
            "forcings computed, not toa.nc; determ",
        ),
    ],
)
def test_another_forecast_is_refused_and_the_difference_is_named(
    run, world, starts, tmp_path, changes, words
):
    output = execute(run, world.checkpoint, starts, tmp_path / "f.zarr")
    with pytest.raises(FileExistsError, match=f"f.zarr is there already, made with {words}"):
        execute(replace(run, **changes), world.checkpoint, starts, output)


def test_another_interrupted_forecast_is_refused_and_the_difference_is_named(
    run, world, starts, tmp_path, interrupted
):
    output = tmp_path / "f.zarr"
    stop_early(run, world, starts, output, interrupted)
    with pytest.raises(FileExistsError, match="interrupted forecast with lead time 12 h, not 18 h"):
        execute(replace(run, steps=3), world.checkpoint, starts, output)


def test_a_forecast_that_fails_stops_no_other_and_is_tried_again(run, world, starts, tmp_path):
    class Broken(MadeUpStarts):
        def window(self, init_time, member):
            if init_time == run.init_times[0]:
                self.asked.append("broken")
                raise OSError("the server does not answer")
            return super().window(init_time, member)

    output, broken, events = tmp_path / "f.zarr", Broken(world), []
    words = (
        r"1 of 2 forecasts could not be made: 2024-06-03T06 \(the server does not answer\); the"
        " others are kept, and the same command tries these again"
    )
    with pytest.raises(ValueError, match=words):
        execute(run, world.checkpoint, broken, output, report=events.append)
    assert broken.asked.count("broken") == 2  # once more at the end
    assert [type(event) for event in events].count(Written) == run.steps
    assert not output.exists()
    execute(run, world.checkpoint, starts, output)
    assert same_bytes(output, execute(run, world.checkpoint, starts, tmp_path / "whole.zarr"))


def test_values_that_cannot_be_stop_no_other(run, world, tmp_path, starts):
    class Celsius(MadeUpStarts):
        def window(self, init_time, member):
            self.offset = -273.15 * (init_time == run.init_times[1])
            return super().window(init_time, member)

    with pytest.raises(ValueError, match=r"1 of 2 .*: 2024-06-03T12 \(.* must be in K"):
        execute(run, world.checkpoint, Celsius(world), tmp_path / "f.zarr")


def test_a_warning_is_reported_and_stops_where_that_is_asked_for(
    run, world, starts, tmp_path, monkeypatch
):
    warning = Finding("climate", "warning", "it is warm", "look at it")
    monkeypatch.setattr(making, "examine_frames", lambda *_: [warning])
    one, events = replace(run, init_times=run.init_times[:1]), []
    with pytest.raises(ValueError, match="by the rule 'climate': it is warm; look"):
        execute(one, world.checkpoint, starts, tmp_path / "f.zarr", door="strict")
    assert not (tmp_path / "f.zarr").exists()
    execute(one, world.checkpoint, starts, tmp_path / "f.zarr", report=events.append)
    assert Noticed((warning,)) in events
