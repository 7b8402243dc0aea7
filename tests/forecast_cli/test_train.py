"""`graphcast train` from files to weights that forecast, and the sentences for what is wrong."""

import json
import shlex

import numpy as np
import pytest

from data.task import Task
from forecast_cli.training.validation import fitted_climatology
from graphcast.checkpoints import read_checkpoint

from .conftest import analyses

TASK = {
    "name": "one temperature",
    "inputs": ["2m_temperature", "day_progress_cos"],
    "targets": ["2m_temperature"],
    "forcings": ["day_progress_cos"],
    "levels": [],
}
RECIPE = {
    "phases": [{"name": "one", "updates": 4, "peak": 1e-2}],
    "batch": 1,
    "validation": {"times": 2, "init_times": 2, "lead_steps": 2},
}
SPEC = {"mesh": {"splits": 0}, "latent_size": 4, "processor_steps": 1}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # One device, also where this test is the first to start JAX.
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=1")
    slow = TASK | {"step_hours": 12}
    for name, content in (("task", TASK), ("12h", slow), ("recipe", RECIPE), ("spec", SPEC)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    analyses(24).to_netcdf("data.nc")
    return tmp_path


def flags(**changes):
    """Arguments of a small run, with some of them changed, or left out by None."""
    given = {
        "data": "data.nc",
        "task": "task.json",
        "model": "spec.json",
        "recipe": "recipe.json",
        "output": "run",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return ["train", *(x for k, v in given.items() if v is not None for x in (f"--{k}", str(v)))]


def test_a_run_ends_in_weights_that_forecast_and_says_where_everything_is(graphcast, folder):
    run = graphcast(*flags())
    assert run.code == 0, run.err
    assert "update 4: RMSE over that of persistence 0." in run.out
    assert "run/checkpoint.safetensors" in run.out
    assert "trained    4 updates on 2024-06-03T00/" in run.out
    assert "samples/s" in run.out
    trained = read_checkpoint(folder / "run" / "checkpoint.safetensors")
    assert trained.task == Task.from_json(json.dumps(TASK))
    assert trained.spec.resolution == 20
    assert "trained on data.nc, 2024-06-03T00/2024-06-07T18/6h" in trained.description
    page = (folder / "run" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 3
    assert "Skill of the kept weights" in page
    assert "<td>2</td>" in page or "<td>2 (kept)</td>" in page
    assert page.count(" (kept)</td>") == 1
    lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines].count("update") == 4

    told = graphcast("info", "run")
    assert told.code == 0, told.err
    assert "training run" in told.out
    assert "4 of 4 updates" in told.out
    assert "of persistence's after update" in told.out

    again = graphcast(*flags())
    assert again.code == 0
    assert "going on after update 4" in again.err

    other = graphcast(*flags(seed=1))
    assert other.code == 2
    assert "comes from another training: its recipe.seed is 0, and 1 is asked for" in other.err

    (next_line,) = [line for line in run.out.splitlines() if line.startswith("next: ")]
    forecast = graphcast(*shlex.split(next_line.removeprefix("next: graphcast ")))
    assert forecast.code == 0, forecast.err

    finer = graphcast(*flags(init_from="run/checkpoint.safetensors", output="finer", model="tiny"))
    assert finer.code == 2
    assert "weights keep their size, and those in run/checkpoint.safetensors have" in finer.err
    finer = graphcast(
        *flags(init_from="run/checkpoint.safetensors", output="finer", model=None, task="12h.json")
    )
    assert finer.code == 2
    assert "weights keep their step, and these were trained for 6 h, not 12 h" in finer.err


def with_data(**selection):
    return lambda: analyses(24).isel(**selection).to_netcdf("data.nc")


@pytest.mark.parametrize(
    ("prepare", "changes", "words"),
    [
        (with_data(time=[*range(9), *range(10, 24)]), {}, "the data must have every time of"),
        (with_data(time=slice(0, None, 2)), {}, "the data must have every time of"),
        (with_data(time=slice(0, 2)), {}, "three times at least, and data.nc has 2"),
        (with_data(time=slice(0, 4)), {}, "training and validation both need times"),
        (
            None,
            {"train_time": "2024-06-03/2024-06-05", "validation_time": "2024-06-05/2024-06-07"},
            "lies outside the training period, and 2024-06-05T00/2024-06-07T18/6h overlaps",
        ),
        (
            None,
            {"train_time": "2024-06-03T00/2024-06-03T06"},
            r"an example of 1 step(s) takes 3 frames, and the training data have 2",
        ),
        (
            None,
            {"train_time": "2024-06-03/2024-06-06", "validation_time": "2024-06-08/2024-06-08T06"},
            "a validation forecast of 2 steps takes 4 times 6 h apart, and the validation period",
        ),
        (None, {"train_time": "2023/2024"}, "the data must have every time of"),
        (None, {"task": "graphcast_small"}, "task 'graphcast_small' starts from variables that"),
        (None, {"recipe": "slow"}, "one of quick, paper, finetune or a JSON file, and there is no"),
        (None, {"model": "huge"}, "one of tiny, small, paper or a JSON file, and there is no file"),
        (None, {"batch": 2, "devices": 3}, "share a batch of 2 samples equally"),
        (None, {"data": "no.zarr"}, "no.zarr"),
        (None, {"init_from": "no.npz"}, "there is no checkpoint at no.npz"),
        (None, {"statistics": "no"}, "no has no mean_by_level.nc"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_in_a_sentence(
    graphcast, folder, prepare, changes, words
):
    if prepare is not None:
        prepare()
    run = graphcast(*flags(**changes))
    assert run.code == 2, run.err
    assert words in run.sentence
    assert "Traceback" not in run.err
    assert not (folder / "run" / "checkpoint.safetensors").exists()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"mesh": {"splits": 1}}, "has latent_size, mesh, processor_steps and perhaps hidden"),
        (SPEC | {"mesh": 3}, "the mesh of a model is a JSON object that has splits"),
        (SPEC | {"latent_size": 0}, "latent_size of a model is a whole number from 1, and this is"),
        (SPEC | {"mesh": {"splits": "3"}}, "splits of a mesh is a number, and this is '3'"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_model_is_refused(graphcast, folder, spec, words):
    (folder / "spec.json").write_text(json.dumps(spec))
    run = graphcast(*flags())
    assert run.code == 2
    assert words in run.sentence


def test_the_climatology_of_a_year_has_its_seasons_and_hours(record_year):
    training, task, due = record_year
    valid = np.array(["2003-02-01T06", "2003-08-01T18"], "datetime64[ns]")
    fitted = fitted_climatology(training, task, valid)["2m_temperature"]
    for time in valid:
        day = int((time - time.astype("datetime64[Y]")) / np.timedelta64(1, "D")) + 1
        hour = int((time - time.astype("datetime64[D]")) / np.timedelta64(1, "h"))
        found = fitted.sel(hour=hour, dayofyear=day).values
        # Two harmonics of 365.25 days, where the record's year has 365: 2π · 0.25 / 365 of 10 K.
        np.testing.assert_allclose(found, due(day, hour), atol=0.1)


@pytest.fixture
def record_year():
    times = np.arange("2001-01-01T00", "2003-01-01T00", 6, "datetime64[h]").astype("datetime64[ns]")

    def due(day, hour):
        return 280 + 10 * np.cos(2 * np.pi * day / 365) + hour / 6

    import xarray as xr  # noqa: PLC0415

    axis = xr.DataArray(times, dims="time")
    values = due(axis.dt.dayofyear.values, axis.dt.hour.values)
    field = np.broadcast_to(values[:, None, None], (len(times), 2, 3)).astype(np.float32)
    dataset = xr.Dataset(
        {"2m_temperature": (("time", "latitude", "longitude"), field)},
        coords={"time": times, "latitude": [-45.0, 45.0], "longitude": [0.0, 120.0, 240.0]},
    )
    return dataset, Task.from_json(json.dumps(TASK)), due
