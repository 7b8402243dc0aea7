"""Several devices give what one device gives: windows spread, one window split."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from graphcast.machine.devices import device_table, windows_at_once

# Virtual devices have to be asked for before JAX starts, so this runs in a process of its own. The
# script saves what one device and what eight devices make, under two names.
FORECASTS = """
import sys
import numpy as np
from tests.graphcast.conftest import make_world
from data.windows import window
from graphcast.forecaster import forecaster
from graphcast.machine.machine import Machine

world = make_world()
times = world.analyses["time"].values[1:4]
starts = [window(world.analyses, world.checkpoint.task, init_time=time) for time in times]
one = forecaster(world.checkpoint, world.grid)
alone = [list(one.forecast(start, 3))[-1] for start in starts]

def save(name, frames):
    fields = {f"{i} {v}": frame[v].values for i, frame in enumerate(frames) for v in frame}
    np.savez(f"{sys.argv[1]}/{name}.npz", **fields)

save("one", alone)
for windows in (1, 2, 8):  # 8 devices: split alone, split in two groups of four, spread
    ready = one.on(Machine(devices=8, windows=windows))
    last = [list(ready.forecasts(starts[i : i + windows], 3))[-1] for i in range(0, 3, windows)]
    save(f"eight {windows}", [frame for frames in last for frame in frames])
# go on after the second lead, each window with its own frames
leads = list(ready.forecasts(starts, 3))
done = [[lead[window] for lead in leads[:2]] for window in range(3)]
save("resumed", list(ready.forecasts(starts, 3, first=2, done=done))[-1])
"""


def run_on_eight_devices(script, folder):
    # Unoptimised: these programs take longer to compile than to run.
    flags = "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
    environment = os.environ | {"XLA_FLAGS": flags}
    root = Path(__file__).parents[3]
    subprocess.run(
        [sys.executable, "-c", script, str(folder)], env=environment, cwd=root, check=True
    )
    return {path.stem: np.load(path) for path in folder.glob("*.npz")}


def test_eight_devices_forecast_what_one_does(tmp_path):
    made = run_on_eight_devices(FORECASTS, tmp_path)
    one = made.pop("one")
    assert sorted(made) == ["eight 1", "eight 2", "eight 8", "resumed"]
    assert len(one.files) == 6  # two variables of three windows
    for name in one:
        for eight in ("eight 1", "eight 2", "eight 8"):
            # float32 fields near 280 K; other programs, and sums over edges in another order
            np.testing.assert_allclose(made[eight][name], one[name], rtol=1e-6)
        np.testing.assert_array_equal(made["resumed"][name], made["eight 8"][name])


def test_windows_side_by_side_leave_no_device_without_work():
    assert [windows_at_once(windows, 8) for windows in (1, 2, 3, 5, 8, 50)] == [1, 2, 2, 4, 8, 8]
    assert [windows_at_once(windows, 1) for windows in (1, 5)] == [1, 1]


def test_devices_that_processes_cannot_share_are_refused(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(ValueError, match="use a multiple of 2"):
        device_table(1)


def test_more_devices_than_there_are_is_refused():
    with pytest.raises(ValueError, match=r"at most the .* devices that are here"):
        device_table(1000)
