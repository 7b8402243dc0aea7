"""Updates of a training run: samples a second, and what reading the samples adds.

    python benchmarks/training.py --size small --devices 2 --batch 4
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python benchmarks/training.py --devices 2 --batch 4

Prints one JSON line. The same updates run with one batch that is in memory already (`bare`), and
with batches that are read from a store meanwhile (`fed`), in turns, so that the overhead holds on a
noisy machine. `cpu_seconds` are those of all threads of the process, for a sample of a bare update.
The store holds random weather on a grid of 64 × 32 points, with nine levels.
"""

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
import xarray as xr

from data.channels import Channels
from data.statistics import moments_of
from data.task import TASKS
from data.variables import VARIABLES
from graphcast.checkpoints import Checkpoint
from graphcast.forecaster import forecaster
from graphcast.loss import Example
from graphcast.machine import Machine
from graphcast.operations.cluster.runtime import give_back_after_compiling, use_every_core
from graphcast.precision import PRECISIONS
from graphcast.training import (
    SIZES,
    Phase,
    Problem,
    ReadAhead,
    Recipe,
    StoredFrames,
    initial_state,
    plan_of_updates,
    updates,
)
from graphcast.training.untrained import persistent_model
from mesh.grid import LatLonGrid

LEVELS = (50, 100, 200, 300, 500, 700, 850, 925, 1000)
TASK = replace(TASKS["graphcast_small"], name="nine levels", levels=LEVELS)
FRAMES = 64
MEAN, SPREAD = 250.0, 10.0  # possible in most units; no number is looked at


class Same:
    """One batch for every update: updates without a feed."""

    def __init__(self, batches: ReadAhead, steps: int) -> None:
        self._batch = batches.at(0, steps)

    def at(self, update: int, lead_steps: int) -> Example:
        """The batch."""
        return self._batch


def random_store(path: Path) -> xr.Dataset:
    """Random weather of the task, as `graphcast simulate` lays it out: a chunk for each time."""
    grid, rng = LatLonGrid.gaussian(16), np.random.default_rng(0)
    times = np.datetime64("2001-01-01T00", "ns") + np.arange(FRAMES) * TASK.step
    fields = {}
    for name in (*TASK.targets, *TASK.statics):
        dims = ("time",) * VARIABLES[name].varies_in_time + ("level",) * VARIABLES[name].on_levels
        shape = [{"time": FRAMES, "level": len(LEVELS)}[dim] for dim in dims]
        values = MEAN + SPREAD * rng.standard_normal((*shape, *grid.shape), np.float32)
        fields[name] = ((*dims, "latitude", "longitude"), values.astype(np.float32))
    latitude, longitude = grid.axes()
    axes = {"time": times, "level": list(LEVELS), "latitude": latitude, "longitude": longitude}
    dataset = xr.Dataset(fields, axes)
    chunks = {name: (1, *f[1].shape[1:]) for name, f in fields.items() if "time" in f[0]}
    dataset.to_zarr(path, zarr_format=2, encoding={n: {"chunks": c} for n, c in chunks.items()})
    return xr.open_zarr(path, chunks=None)


def timed(steps: Iterator[object], count: int) -> tuple[float, float]:
    """Seconds of the clock, and of all threads, for `count` updates."""
    started, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(count):
        next(steps)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return time.perf_counter() - started, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--precision", choices=PRECISIONS, default="mixed")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1, help="autoregressive steps")
    parser.add_argument("--updates", type=int, default=4, help="in each turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--kept", type=int, default=0, help="bytes of frames kept by the feed")
    options = parser.parse_args()
    give_back_after_compiling()
    if options.devices > 1:
        use_every_core()
    phase = Phase("all", 10_000, peak=1e-4, end=1e-4, lead_steps=options.steps)
    recipe = Recipe((phase,), options.batch, options.precision)
    with tempfile.TemporaryDirectory() as folder:
        analyses = random_store(Path(folder, "weather.zarr"))
        spec = SIZES[options.size]
        moments = moments_of([analyses.isel(time=slice(0, 8))], TASK)
        ready = forecaster(
            Checkpoint(
                spec, TASK, persistent_model(spec, Channels(TASK), key=jax.random.key(0)), moments
            ),
            LatLonGrid.gaussian(16),
        )
        plan = plan_of_updates(ready, recipe, Machine(options.devices, options.devices))
        statics = np.zeros((*plan.layout.rows, len(ready.channels.statics)), np.float32)
        weights = ready.packing(plan.layout).loss_weights
        fixed = (ready.channels.input_order, plan.layout, ready.normaliser, statics, weights)
        frames = StoredFrames(analyses, TASK, plan.layout.rows, memory=options.kept)
        problem = Problem(*fixed)
        state = initial_state(ready.checkpoint.model, recipe)
        with ReadAhead(frames, recipe) as batches:
            same = Same(batches, options.steps)
            bare, fed = (
                updates(state, problem, source, recipe, devices=options.devices)
                for source in (same, batches)
            )
            timed(bare, 2)  # compiles
            timed(fed, 2)
            turns = [
                (timed(bare, options.updates), timed(fed, options.updates))
                for _ in range(options.turns)
            ]
    count = options.updates * options.batch
    print(
        json.dumps(
            {
                "benchmark": "training",
                **vars(options),
                "samples_per_second": round(count / statistics.median(b[0] for b, _ in turns), 3),
                "cpu_seconds": round(statistics.median(b[1] for b, _ in turns) / count, 3),
                "feed_overhead": round(statistics.median(f[0] / b[0] for b, f in turns) - 1, 3),
                "feed_cpu": round(statistics.median(f[1] / b[1] for b, f in turns) - 1, 3),
                "peak_memory_gib": round(
                    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2
                ),
                "tunables": os.environ.get("GLIBC_TUNABLES", ""),
                "cores": len(os.sched_getaffinity(0)),
                "load": round(os.getloadavg()[0], 1),
                "jax": version("jax"),
            }
        )
    )


if __name__ == "__main__":
    main()
