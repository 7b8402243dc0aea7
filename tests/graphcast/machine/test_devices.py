"""Several devices give what one device gives: windows spread, one window split."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from graphcast.machine.devices import device_table, windows_at_once


def on_eight_devices(folder):
    """The fields that `on_devices` writes, by the name of the way to forecast."""
    # Unoptimised: these programs take longer to compile than to run.
    flags = "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
    subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.graphcast.machine.on_devices", str(folder)],
        env=os.environ | {"XLA_FLAGS": flags},
        cwd=Path(__file__).parents[3],
        check=True,
    )
    return {path.stem: np.load(path) for path in folder.glob("*.npz")}


def test_eight_devices_forecast_what_one_does(tmp_path):
    made = on_eight_devices(tmp_path)
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
