"""Forecast one day from the packaged analyses, from Python.

    python examples/forecast_analyses.py [FOLDER]

No trained weights come with the package, so this script makes untrained ones, which forecast
persistence. Any checkpoint may take their place, DeepMind's too.
"""

import sys
from pathlib import Path

import numpy as np
import xarray as xr

from data import Task
from data.constants import STANDARD_GRAVITY
from data.samples import analyses
from data.wording import hours
from graphcast import forecast, open_inputs, untrained, write_checkpoint
from graphcast.network import ModelSpec
from graphcast.operations import Event, Written
from mesh import MeshSpec

TASK = Task(
    name="upper air",
    inputs=("geopotential", "temperature", "day_progress_cos", "day_progress_sin"),
    targets=("geopotential", "temperature"),
    forcings=("day_progress_cos", "day_progress_sin"),
    levels=(500, 850),
)
SIZE = ModelSpec(MeshSpec(splits=1), latent_size=16, processor_steps=2, resolution=10.0)


def main(folder: Path) -> Path:
    """Make weights, forecast with them, print the mean height of 500 hPa, return the store."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "persistence.safetensors"
    write_checkpoint(untrained(open_inputs(analyses()), TASK, SIZE), weights)

    store = forecast(
        checkpoint=weights,
        inputs=analyses(),
        init_time="2024-06-03T18",
        steps=4,  # of six hours
        output=folder / "forecast.zarr",
        overwrite=True,
        report=say,
    )

    with xr.open_zarr(store, decode_timedelta=True) as fields:
        at_500 = fields["geopotential"].sel(level=500).isel(time=0)
        heights = (
            at_500.weighted(np.cos(np.deg2rad(fields["latitude"]))).mean(["latitude", "longitude"])
            / STANDARD_GRAVITY
        )
        for lead, height in zip(fields["prediction_timedelta"].values, heights.values, strict=True):
            print(f"+{hours(lead):.0f} h: mean height of 500 hPa {height:.0f} m")
    print(f"{store}: score it with examples/score_with_own_metric.py")
    return store


def say(event: Event) -> None:
    """Print one line for each lead time that is on the disk."""
    if isinstance(event, Written):
        print(f"+{hours(event.lead):.0f} h written")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
