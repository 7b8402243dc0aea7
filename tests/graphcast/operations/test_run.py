"""A run is plain data: its JSON is the manifest, and says all of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from graphcast.machine.plan import Economy
from graphcast.operations import Digest, Member, Run
from graphcast.operations.execution import forecast_header
from mesh.grid import LatLonGrid


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"economy": Economy(64, 60, keep_edges=False), "devices": 4, "processes": 2},
        {"members": (Member(3, entry=1, seed=7, perturbation="noise"),), "forcings": "toa.nc"},
        {"grid": LatLonGrid.gaussian(8), "deterministic": True, "precision": "mixed"},
        {"weights": Digest("1" * 64, statistics={"mean_by_level.nc": "2" * 64})},
        {"raw": True, "zarr_format": 2},
    ],
    ids=["plain", "machine", "members", "gaussian", "statistics", "raw"],
)
def test_json_then_run_is_identity(run, changes):
    changed = replace(run, **changes)
    assert Run.from_json(changed.to_json()) == changed


def test_json_names_a_regular_grid_by_its_ends(run):
    grid = json.loads(run.to_json())["grid"]
    assert grid["latitude"] == {"first": -90.0, "last": 90.0, "count": 10}


def test_the_attribute_provenance_is_read_as_a_run(run):
    made = replace(run, economy=Economy(64, 60))
    assert Run.from_json(forecast_header(made).provenance) == made


def test_anything_else_changes_the_fingerprint(run):
    changes = (
        {"steps": 3},
        {"inputs": ("others",)},
        {"precision": "mixed"},
        {"economy": Economy(64, 60)},
        {"devices": 2},
        {"weights": Digest("1" * 64)},
        {"members": (Member(seed=1),)},
    )
    runs = (run, *(replace(run, **change) for change in changes))
    assert len({forecast_header(each).fingerprint for each in runs}) == len(runs)


def test_amounts_are_not_negative_unless_raw_values_are_asked_for(run):
    wet = replace(run.task, targets=(*run.task.targets, "specific_humidity"))
    made = replace(run, task=wet)
    assert forecast_header(made).nonnegative == ("specific_humidity",)
    assert forecast_header(replace(made, raw=True)).nonnegative == ()


def test_windows_are_every_init_time_with_every_member(run):
    members = (Member(0), Member(1, entry=1))
    first, second = run.init_times
    assert replace(run, members=members).windows == (
        *((first, members[0]), (first, members[1])),
        *((second, members[0]), (second, members[1])),
    )


def test_leads_are_steps_of_the_task(run):
    task = replace(run.task, step_hours=12)
    assert replace(run, task=task).leads == (np.timedelta64(12, "h"), np.timedelta64(24, "h"))


@pytest.mark.parametrize("change", [{"steps": 0}, {"init_times": ()}, {"members": ()}])
def test_a_run_of_nothing_is_refused(run, change):
    with pytest.raises(ValueError, match="at least one init time, one member and one step"):
        replace(run, **change)


@pytest.mark.parametrize("text", ["{}", "[]", "weights", '{"flags": {"economy": null}}'])
def test_other_text_is_no_run(text):
    with pytest.raises(ValueError, match="a run is read from the JSON of"):
        Run.from_json(text)
