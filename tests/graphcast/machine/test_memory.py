"""The memory that a device still has."""

from pathlib import Path
from types import SimpleNamespace

import jax
import pytest

from graphcast.machine.memory import available_memory


def test_memory_of_an_accelerator_is_its_limit_less_its_use(monkeypatch):
    statistics = {"bytes_limit": 100, "bytes_in_use": 30}
    gpu = SimpleNamespace(platform="gpu", memory_stats=lambda: statistics)
    monkeypatch.setattr(jax, "local_devices", lambda: [gpu])
    assert available_memory() == 70


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="not on Linux")
def test_memory_of_a_cpu_is_the_kernels_available_memory():
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    lines = dict(line.split(":") for line in text.splitlines())
    kibibytes = int(lines["MemAvailable"].split()[0])
    # other processes take and give memory between the two readings
    assert available_memory() == pytest.approx(kibibytes * 1024, rel=0.2)
