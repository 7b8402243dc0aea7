"""The command line as a user meets it, and a small model with analyses to run it on."""

import sys
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pytest
import xarray as xr

from data.channels import Channels
from data.moments import write_moments
from data.statistics import moments_of
from data.task import Task
from forecast_cli.__main__ import main
from graphcast.checkpoints import Checkpoint, write_checkpoint
from graphcast.network.model import ModelSpec, random_model
from mesh.graphs import MeshSpec

TASK = Task(
    name="two temperatures",
    inputs=("temperature", "geopotential", "2m_temperature", "day_progress_cos"),
    targets=("temperature", "geopotential", "2m_temperature"),
    forcings=("day_progress_cos",),
    levels=(500, 850),
)
# Commands with the input doctor at their door.
DOORS = ("forecast", "prepare", "score", "statistics", "train")
SPEC = ModelSpec(MeshSpec(1), latent_size=8, processor_steps=2)


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The error as one line, as rich may have wrapped it."""
        return " ".join(self.err.split())


@pytest.fixture
def graphcast(monkeypatch, capsys, tmp_path):
    """Run `graphcast` with arguments; its caches live in the test's own folder.

    The tests' fields are no weather, so the input doctor is overruled unless `force` is False.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "500")

    def run(*arguments: object, force: bool = True) -> Ran:
        door = len(arguments) > 1 and arguments[0] in DOORS and "--force" not in arguments
        forced = ["--force"] if force and door else []
        monkeypatch.setattr(sys, "argv", ["graphcast", *map(str, arguments), *forced])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


def analyses(frames: int = 3) -> xr.Dataset:
    """Smooth waves that travel east on a 20° grid, in WeatherBench 2's layout."""
    times = np.datetime64("2024-06-03T00", "ns") + np.arange(frames) * np.timedelta64(6, "h")
    latitude, longitude = np.linspace(-90, 90, 10), np.arange(18) * 20.0
    phase = np.deg2rad(longitude)[None, :] * 2 - 0.3 * np.arange(frames)[:, None]
    wave = np.cos(np.deg2rad(latitude))[None, :, None] * np.sin(phase)[:, None, :]
    space = ("latitude", "longitude")

    def upper(means, amplitude):
        fields = np.stack([mean + amplitude * wave for mean in means], axis=1)
        return ("time", "level", *space), fields.astype(np.float32)

    return xr.Dataset(
        {
            "2m_temperature": (("time", *space), (288 + 10 * wave).astype(np.float32)),
            "temperature": upper((252, 280), 8),
            "geopotential": upper((54_600, 14_300), 800),
        },
        coords={
            "time": times,
            "level": np.array(TASK.levels),
            "latitude": latitude,
            "longitude": longitude,
        },
    )


class Case(NamedTuple):
    folder: Path
    checkpoint: Path
    inputs: Path
    output: Path

    def forecast(self, **changes: object) -> list[object]:
        """Arguments of a forecast of 12 h, with some of them changed, or left out by None."""
        flags = {
            "checkpoint": self.checkpoint,
            "inputs": self.inputs,
            "init-time": "2024-06-03T06",
            "lead-time": "12h",
            "output": self.output,
        } | {name.replace("_", "-"): value for name, value in changes.items()}
        return [
            *("forecast", "--force"),
            *(x for k, v in flags.items() if v is not None for x in (f"--{k}", v)),
        ]


@pytest.fixture
def case(tmp_path) -> Case:
    """A random model with its statistics, and three frames of analyses."""
    dataset = analyses()
    channels = Channels(TASK)
    model = random_model(SPEC, channels.input_width, len(channels.targets), key=jax.random.key(0))
    moments = moments_of([dataset], TASK)
    checkpoint = Checkpoint(SPEC, TASK, model, moments, "random weights", "none")
    write_checkpoint(checkpoint, tmp_path / "weights.safetensors")
    (tmp_path / "stats").mkdir()
    write_moments(moments, tmp_path / "stats")
    dataset.to_netcdf(tmp_path / "analyses.nc")
    return Case(
        tmp_path,
        tmp_path / "weights.safetensors",
        tmp_path / "analyses.nc",
        tmp_path / "forecast.zarr",
    )
