"""How long commands take to start: seconds of wall and CPU time, and what bounds them from below.

    python benchmarks/startup.py --repeats 5

Prints one JSON line for each figure, the median of the repeats. The bounds are processes that do
nothing but import what a command cannot do without: the interpreter, typer with rich, xarray, JAX.
`forecast` is a whole forecast of one step with warm caches, so its first step comes earlier.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import NamedTuple

import xarray as xr

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from data.samples import analyses  # noqa: E402  the path is set above
from graphcast import open_inputs, untrained, write_checkpoint  # noqa: E402

GRAPHCAST = [sys.executable, "-m", "forecast_cli"]


class Figure(NamedTuple):
    """A command, the seconds that it may take, and the process that bounds it from below."""

    words: list[str]
    most: float | None = None
    bound: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
        taken: dict[str, float] = {}
        for label, figure in figures(folder).items():
            seconds, cpu = timed(figure.words, repeats)
            taken[label] = seconds
            line = {"what": label, "seconds": seconds, "cpu": cpu, "most": figure.most}
            if figure.bound:
                line |= {"bound": figure.bound, "bound_seconds": taken[figure.bound]}
            print(json.dumps({k: v for k, v in line.items() if v is not None}), flush=True)


def figures(folder: Path) -> dict[str, Figure]:
    """What is measured, on files made in the folder; the bounds first."""
    weights, fields = folder / "weights.safetensors", folder / "analyses.nc"
    (packaged,) = open_inputs(analyses())
    write_checkpoint(untrained([packaged]), weights)
    packaged.load().drop_encoding().to_netcdf(fields)
    with xr.open_dataset(fields) as opened:
        start = str(opened["time"].values[1])[:13]
    forecast = [
        *("forecast", "--checkpoint", str(weights), "--inputs", str(fields), "--init-time", start),
        *("--lead-time", "6h", "--output", str(folder / "forecast.zarr"), "--overwrite"),
    ]
    return {
        "bare python": Figure([sys.executable, "-c", "pass"]),
        "bare typer": Figure([sys.executable, "-c", "import typer.rich_utils"]),
        "bare xarray": Figure([sys.executable, "-c", "import xarray"]),
        "bare jax": Figure([sys.executable, "-c", "import equinox"]),
        "bare xarray and jax": Figure([sys.executable, "-c", "import xarray, equinox"]),
        "--help": Figure([*GRAPHCAST, "--help"], 0.3, "bare typer"),
        "--version": Figure([*GRAPHCAST, "--version"], 0.3, "bare typer"),
        "forecast --help": Figure([*GRAPHCAST, "forecast", "--help"], 0.3, "bare typer"),
        "a mistyped command": Figure([*GRAPHCAST, "forcast"], 0.3, "bare typer"),
        "a mistyped flag": Figure([*GRAPHCAST, "score", "--truht", "x"], 0.3, "bare typer"),
        "info ANALYSES": Figure([*GRAPHCAST, "info", str(fields)], 1.0, "bare xarray"),
        "info WEIGHTS": Figure([*GRAPHCAST, "info", str(weights)], 1.0, "bare jax"),
        "forecast": Figure([*GRAPHCAST, *forecast], 3.0, "bare xarray and jax"),
    }


def timed(words: list[str], repeats: int) -> tuple[float, float]:
    """Medians of wall and CPU seconds; the first run fills the caches and is not counted."""
    wall, cpu = [], []
    for _ in range(repeats + 1):
        before, started = cpu_seconds(), time.perf_counter()
        subprocess.run(words, capture_output=True, check=False)
        wall.append(time.perf_counter() - started)
        cpu.append(cpu_seconds() - before)
    return round(statistics.median(wall[1:]), 3), round(statistics.median(cpu[1:]), 3)


def cpu_seconds() -> float:
    """CPU time of all processes that have ended."""
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
