"""Several devices train as one does, and resume as if they had not stopped."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphcast.training import Phase, Recipe, train

from .small import training_of


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The arrays that `on_devices` writes on eight virtual devices, by the way of training."""
    folder = tmp_path_factory.mktemp("devices")
    # Unoptimised: these programs take longer to compile than to run.
    flags = "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
    subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.graphcast.training.on_devices", str(folder)],
        env=os.environ | {"XLA_FLAGS": flags},
        cwd=Path(__file__).parents[3],
        check=True,
    )
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}


def test_eight_devices_have_the_loss_and_gradient_of_one(trained):
    one, eight = trained["gradient on 1"], trained["gradient on 8"]
    assert one.keys() == eight.keys()
    for name, leaf in one.items():
        # float32: gradients of eight samples, summed in another order
        np.testing.assert_allclose(eight[name], leaf, rtol=2e-5, atol=1e-6)


def test_two_devices_that_stop_and_go_on_give_the_bytes_of_those_that_do_not(trained):
    at_once, resumed = trained["at once"], trained["resumed"]
    assert at_once.keys() == resumed.keys()
    for name, leaf in at_once.items():
        assert resumed[name].tobytes() == leaf.tobytes()


def test_a_batch_that_does_not_divide_over_the_devices_is_refused(world):
    recipe = Recipe((Phase("one", 1, peak=0.1),), batch=3)
    with pytest.raises(ValueError, match="batch of 3 samples does not divide over 2 devices"):
        train(*training_of(world, recipe), recipe, devices=2)
