"""`import graphcast`: the verbs of the project, and what they make of packaged data."""

import inspect
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import graphcast
from data.grids import grid_of
from data.samples import analyses
from data.task import Task
from data.windows import window
from graphcast.forecaster import forecaster

ROOT = Path(__file__).parents[2]
TASK = Task(
    name="geopotential",
    inputs=("geopotential", "day_progress_cos"),
    targets=("geopotential",),
    forcings=("day_progress_cos",),
    levels=(500, 850),
)


def test_every_verb_of_the_front_door_is_documented_and_found():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in dir(graphcast):
        if name == "__version__":
            assert graphcast.__version__ == version("graphcast")
        elif name.islower():
            verb = getattr(graphcast, name)
            assert inspect.getdoc(verb)
            assert not verb.__module__.startswith("forecast_cli")
            assert f"`{name}`" in readme or f"graphcast.{name}(" in readme


def test_the_stub_has_the_names_of_the_front_door():
    stub = (ROOT / "graphcast" / "__init__.pyi").read_text(encoding="utf-8")
    named = set(re.findall(r" as (\w+)$", stub, re.MULTILINE))
    assert named == {*dir(graphcast)} - {"__version__"}


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(AttributeError, match=r"has no attribute 'forcast'; it has .*'forecast'"):
        graphcast.forcast  # noqa: B018


def test_importing_the_front_door_imports_no_library():
    code = "import sys, graphcast; print(sorted({'jax', 'xarray', 'numpy'} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


@pytest.mark.slow
def test_the_readmes_example_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    scores = names["scores"]
    assert isinstance(scores, xr.Dataset)
    at_500 = scores["geopotential"].sel(metric="rmse", region="global", level=500)
    # An untrained network forecasts persistence, but for the rounding of float32.
    np.testing.assert_allclose(
        at_500.sel(source="forecast"), at_500.sel(source="persistence"), rtol=1e-4
    )
    assert "persistence" in capsys.readouterr().out


def test_datasets_of_a_forecaster_are_ready_for_score():
    (truth,) = graphcast.open_inputs(analyses())
    ready = forecaster_of(truth)
    start = truth["time"].values[3]
    fields = list(ready.forecast(window(truth, TASK, init_time=start), 2))
    assert fields[1]["time"] + fields[1]["prediction_timedelta"] == truth["time"].values[5]
    assert fields[0]["geopotential"].attrs["units"] == "m2 s-2"
    forecast = xr.concat(fields, "prediction_timedelta").expand_dims("time")
    scores = graphcast.score(forecast, truth)
    rmse = scores["geopotential"].sel(metric="rmse", region="global", source="forecast", level=500)
    assert rmse.sizes["prediction_timedelta"] == 2
    assert bool((rmse > 0).all())


def forecaster_of(truth: xr.Dataset) -> graphcast.Forecaster:
    return forecaster(graphcast.untrained([truth], TASK), grid_of(truth))
