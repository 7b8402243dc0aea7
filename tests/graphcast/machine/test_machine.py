"""How devices share windows."""

import pytest

from graphcast.machine import machine
from graphcast.machine.machine import Machine


def test_a_machine_for_windows_leaves_no_device_without_work():
    assert Machine.for_windows(3, devices=8, memory=5) == Machine(8, 2, 5)
    assert Machine.for_windows(50, devices=8).parts == 1


@pytest.mark.parametrize(("devices", "windows"), [(8, 3), (1, 2), (0, 1), (2, 0)])
def test_devices_that_windows_cannot_share_are_refused(devices, windows):
    with pytest.raises(ValueError, match=f"{windows} windows on {devices} devices"):
        Machine(devices, windows)


def test_one_device_does_not_ask_other_processes_for_their_memory(monkeypatch):
    monkeypatch.setattr(machine, "available_memory", lambda: 7)
    monkeypatch.setattr(machine, "least", lambda number: number - 1)
    assert Machine().available_memory() == 7
    assert Machine(memory=5).available_memory() == 5
    assert Machine(devices=2).available_memory() == 6
