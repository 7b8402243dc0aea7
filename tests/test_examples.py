"""The examples run as a newcomer would run them, and write what they say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, folder: Path) -> str:
    """What an example prints; warnings are errors in it, too."""
    command = [sys.executable, "-W", "error::FutureWarning", EXAMPLES / name, folder]
    done = subprocess.run(command, cwd=EXAMPLES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("example-output")


def test_a_forecast_from_python_is_persistence_with_a_last_layer_of_zeros(folder):
    said = run("forecast_analyses.py", folder)
    assert "+24 h written" in said
    with xr.open_zarr(folder / "forecast.zarr", decode_timedelta=True) as forecast:
        first, last = (forecast["geopotential"].isel(prediction_timedelta=i) for i in (0, -1))
        assert forecast.sizes["prediction_timedelta"] == 4
        np.testing.assert_array_equal(first.values, last.values)


def test_a_metric_of_ones_own_stands_beside_the_others(folder):
    said = run("score_with_own_metric.py", folder)
    lines = [line for line in said.splitlines() if "off by more than 50 m" in line]
    assert len(lines) == 4
    # The forecast is persistence, so both are off at the same points.
    for line in lines:
        ours, theirs = (part.split("%")[0].split()[-1] for part in line.split(";"))
        assert ours == theirs
    assert int(lines[0].split("%")[0].split()[-1]) < int(lines[-1].split("%")[0].split()[-1])


def test_ten_updates_make_weights_that_the_command_takes(folder):
    said = run("train_ten_updates.py", folder)
    assert said.count("learning rate") == 10
    command = [sys.executable, "-m", "forecast_cli", "info", folder / "weights.safetensors"]
    told = subprocess.run(
        command, cwd=EXAMPLES.parent, capture_output=True, text=True, check=True
    ).stdout
    assert "wind and geopotential" in told
    assert (folder / "state.safetensors").is_file()
