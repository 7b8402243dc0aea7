"""A script run by two processes that JAX joins, with two virtual devices each."""

import os
import socket
import subprocess
import sys
from pathlib import Path

# Unoptimised: these programs take longer to compile than to run.
FLAGS = "--xla_force_host_platform_device_count={} --xla_backend_optimization_level=0"
TIMEOUT = 120  # seconds; a process that still runs then hangs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def started(script: str, *arguments: object, devices: int, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        env=os.environ | {"XLA_FLAGS": FLAGS.format(devices), "COLUMNS": "500"} | environment,
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(processes: list[subprocess.Popen]) -> list[subprocess.CompletedProcess]:
    """What the processes printed and how they ended; none outlives this."""
    try:
        printed = [process.communicate(timeout=TIMEOUT) for process in processes]
        return [
            subprocess.CompletedProcess(process.args, process.returncode, *both)
            for process, both in zip(processes, printed, strict=True)
        ]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def on_two_processes(
    script: str, *arguments: object, **environment: str
) -> list[subprocess.CompletedProcess]:
    """Run `script PORT PROCESS arguments…` twice, for processes 0 and 1."""
    port = free_port()
    return finished(
        [started(script, port, process, *arguments, devices=2, **environment) for process in (0, 1)]
    )
