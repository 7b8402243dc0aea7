"""One sample over eight devices gives what one device gives."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphcast.devices import device_mesh

# Virtual devices have to be asked for before JAX starts, so the forecasts run in a process of their
# own: random weights, three steps, with as many devices as the first argument says.
SCRIPT = """
import sys
import numpy as np
from tests.graphcast.conftest import make_world
from graphcast.forecaster import forecaster

world = make_world()
for devices, path in ((1, sys.argv[1]), (8, sys.argv[2])):
    ready = forecaster(world.checkpoint, world.grid, devices=devices)
    frames = list(ready.forecast(world.window, 3))
    np.savez(path, **{name: frames[-1][name].values for name in frames[-1]})
"""


def test_eight_devices_forecast_what_one_does(tmp_path):
    paths = tmp_path / "one.npz", tmp_path / "eight.npz"
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, paths)], env=environment, cwd=root, check=True
    )
    one, eight = (np.load(path) for path in paths)
    for name in one:
        # float32 fields near 280 K; sums over edges in another order
        np.testing.assert_allclose(one[name], eight[name], rtol=1e-6)


def test_more_devices_than_there_are_is_refused():
    with pytest.raises(ValueError, match=r"at most the .* devices that are here"):
        device_mesh(1000)
