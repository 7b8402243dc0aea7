"""The memory that a device still has."""

from pathlib import Path
from types import SimpleNamespace

import jax
import pytest

from graphcast.machine.memory import available_memory


def test_an_accelerator_says_what_it_can_still_give(monkeypatch):
    statistics = {"bytes_limit": 100, "bytes_in_use": 30}
    gpu = SimpleNamespace(platform="gpu", memory_stats=lambda: statistics)
    monkeypatch.setattr(jax, "local_devices", lambda: [gpu])
    assert available_memory() == 70


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="not on Linux")
def test_a_cpu_has_what_the_kernel_calls_available():
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    lines = dict(line.split(":") for line in text.splitlines())
    kibibytes = int(lines["MemAvailable"].split()[0])
    # other processes take and give memory between the two readings
    assert available_memory() == pytest.approx(kibibytes * 1024, rel=0.2)
