"""DeepMind's numbers from DeepMind's files: predictions, losses and gradients.

Tolerances are those that two correct implementations need, in units of the residual's standard
deviation: a float32 rounding of geopotential (2e5 m² s⁻²) alone is 6e-5 of it. bfloat16 has eight
significant bits; DeepMind's own is up to 0.06 and 0.50 away from its float32 after one and four
steps (0.05 and 0.13 at 6°, the rest at 10°).
"""

import json

import numpy as np
import pytest
import xarray as xr

from data.moments import read_moments
from data.sources import open_inputs
from data.windows import window
from graphcast.checkpoints import read_checkpoint
from graphcast.checkpoints.deepmind import haiku_tensors
from graphcast.forecaster import forecaster
from graphcast.precision import PRECISIONS
from mesh.grid import LatLonGrid
from tests.reference import PARITY, STATISTICS

pytestmark = pytest.mark.optimised

INIT = np.datetime64("2022-01-01T06", "ns")
TOLERANCES = {"f32": (1e-4, 5e-4), "bf16": (0.1, 0.5)}  # after one step; after two to four
NAMED = {"f32": "float32", "bf16": "bfloat16"}
ROLLOUTS = [
    (case, *path.stem.removeprefix("predictions_").split("_"))
    for case, folder in PARITY.items()
    for path in sorted(folder.glob("predictions_*step.nc"))
]
LOSSES = [
    (case, int(key.removeprefix("f32_").removesuffix("step")))
    for case, folder in PARITY.items()
    for key in json.loads((folder / "meta.json").read_text())["losses"]
    if key.startswith("f32")
]


def ready(folder, precision):
    checkpoint = read_checkpoint(folder / "params.npz")
    checkpoint = checkpoint.with_moments(read_moments(STATISTICS))
    inputs = open_inputs(folder / "inputs.nc", init_time=INIT)[0]
    forcings = open_inputs(folder / "forcings.nc", init_time=INIT)[0]
    start = window(inputs, checkpoint.task, init_time=INIT, forcings=forcings)
    grid = LatLonGrid.from_coordinates(inputs["latitude"].values, inputs["longitude"].values)
    return forecaster(checkpoint, grid, precision=PRECISIONS[precision]), start


def reference(path):
    frames = xr.load_dataset(path, decode_timedelta=True).isel(batch=0)
    return frames.rename(lat="latitude", lon="longitude")


@pytest.mark.parametrize(("case", "precision", "steps"), ROLLOUTS)
def test_predictions_are_deepminds(case, precision, steps):
    model, start = ready(PARITY[case], NAMED[precision])
    expected = reference(PARITY[case] / f"predictions_{precision}_{steps}.nc")
    spread = read_moments(STATISTICS).diffs_stddev
    for lead, ours in enumerate(model.forecast(start, expected.sizes["time"])):
        tolerance = TOLERANCES[precision][lead > 0]
        theirs = expected.isel(time=lead)
        for name in theirs.data_vars:
            error = np.abs(ours[name].values - theirs[name].values) / spread[name].sel(
                {"level": theirs["level"]} if "level" in theirs[name].dims else {}
            ).values.reshape((-1, 1, 1) if "level" in theirs[name].dims else ())
            assert error.max() <= tolerance, (str(name), lead)


@pytest.mark.parametrize(("case", "steps"), LOSSES)
def test_losses_and_gradients_are_deepminds(case, steps):
    folder = PARITY[case]
    model, start = ready(folder, "float32")
    targets = reference(folder / "targets.nc").isel(time=slice(0, steps))
    expected = json.loads((folder / "meta.json").read_text())["losses"][f"f32_{steps}step"]
    total, shares = model.loss(start, targets)
    np.testing.assert_allclose(total, expected["loss"], rtol=1e-5)
    assert shares == pytest.approx(expected["per_variable"], rel=1e-5)

    gradient = haiku_tensors(model.gradient(start, targets))
    norms = np.load(folder / "grad_norms.npz")
    for name, norm in zip(norms["names"], norms[f"f32_{steps}step"], strict=True):
        np.testing.assert_allclose(np.linalg.norm(gradient[name]), norm, rtol=1e-3, err_msg=name)
    if steps == 1 and (folder / "grads_f32_1step.npz").exists():
        for name, whole in np.load(folder / "grads_f32_1step.npz").items():
            error = np.linalg.norm(gradient[name] - whole)
            assert error <= 1e-3 * np.linalg.norm(whole), name
