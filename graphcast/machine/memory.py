"""The memory that this process's device still has."""

import os
from pathlib import Path

import jax


def available_memory() -> int:
    """Bytes that this process's first device can still give; a CPU has the machine's memory."""
    device = jax.local_devices()[0]
    statistics = device.memory_stats() if device.platform != "cpu" else None
    if statistics:
        return int(statistics["bytes_limit"] - statistics["bytes_in_use"])
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():  # MemAvailable also counts the file cache, which the kernel can free
        lines = dict(line.split(":") for line in meminfo.read_text(encoding="ascii").splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
