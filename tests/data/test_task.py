"""Laws of tasks."""

import json
from dataclasses import replace

import pytest

from data.task import LEVELS_13, LEVELS_37, STEP, TASKS, Task

SMALL = Task(
    name="five upper-air variables",
    inputs=("geopotential", "temperature", "specific_humidity", "year_progress_sin"),
    targets=("geopotential", "temperature", "specific_humidity"),
    forcings=("year_progress_sin",),
    levels=(300, 500, 850),
)


KEPT = replace(SMALL, name="with a test period", test_period="2018-01-01/2018-12-31")


@pytest.mark.parametrize("task", [*TASKS.values(), SMALL, KEPT], ids=lambda task: task.name)
def test_json_gives_the_same_task_back(task):
    again = Task.from_json(task.to_json())
    assert again == task
    assert hash(again) == hash(task)


def test_a_file_gives_the_same_task_back(tmp_path):
    path = tmp_path / "task.json"
    path.write_text(SMALL.to_json())
    assert Task.from_file(path) == SMALL


def test_published_tasks_are_deepminds():
    assert len(LEVELS_37) == 37
    assert len(LEVELS_13) == 13
    assert set(LEVELS_13) < set(LEVELS_37)
    full, small, operational = (
        TASKS[name] for name in ("graphcast", "graphcast_small", "graphcast_operational")
    )
    assert replace(small, name="graphcast", levels=LEVELS_37) == full
    assert set(small.inputs) - set(operational.inputs) == {"total_precipitation_6hr"}
    assert operational.targets == small.targets
    assert full.statics == ("geopotential_at_surface", "land_sea_mask")
    assert STEP.astype("timedelta64[h]").astype(int) == 6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"targets": ("temprature",)}, "did you mean 'temperature'"),
        ({"targets": ("temperature", "temperature")}, "stands once; repeated: temperature"),
        ({"targets": ()}, "predicts at least one"),
        ({"levels": (500, 300)}, r"levels ascend.*would be \(300, 500\)"),
        ({"levels": (500, 500)}, r"levels ascend.*would be \(500,\)"),
        ({"levels": (0, 500)}, "1 to 1100 hPa"),
        ({"levels": (50_000, 85_000)}, "1 to 1100 hPa"),
        ({"levels": ()}, "live on pressure levels, but the task has none"),
        ({"forcings": ("temperature",)}, "predicted or given, not both; take temperature"),
        ({"targets": ("land_sea_mask",)}, "land_sea_mask do not vary in time.*not targets"),
        ({"forcings": ("land_sea_mask",)}, "land_sea_mask do not vary in time.*not forcings"),
        ({"targets": ("day_progress_cos",)}, "follow from the date"),
        ({"forcings": ()}, "inputs year_progress_sin vary in time but are neither"),
        ({"targets": ("temperature",)}, "inputs geopotential, specific_humidity vary in time"),
    ],
)
def test_a_task_that_cannot_work_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **change)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "exactly the fields .* this one has list"),
        ('{"name": "x"}', r"exactly the fields .* this one has \['name'\]"),
        (SMALL.to_json().replace('"name": "five', '"name": 5, "x": "'), "exactly the fields"),
        (SMALL.to_json().replace("300", '"300"'), "levels are a list of int"),
        (SMALL.to_json().replace("300", "true"), "levels are a list of int"),
        (SMALL.to_json().replace("300", "300.0"), "levels are a list of int"),
        (json.dumps({**json.loads(SMALL.to_json()), "inputs": "temperature"}), "list of str"),
        (json.dumps({**json.loads(SMALL.to_json()), "name": 5}), "name is a string"),
        (json.dumps({**json.loads(SMALL.to_json()), "test_period": 5}), "test_period is a string"),
    ],
)
def test_json_that_is_no_task_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        Task.from_json(text)


def test_a_bad_file_is_named(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"mine\.json: a task has exactly the fields"):
        Task.from_file(path)
