"""Forecasts on one virtual device and on eight: `python -m tests.graphcast.machine.on_devices DIR`.

Virtual devices have to be asked for before JAX starts, so the tests run this in a process of its
own. It writes one .npz for each way to forecast. The world's task has no statics, so arrays without
elements pass through `shard_map`, too.
"""

import sys
from pathlib import Path

import numpy as np

from data.windows import window
from graphcast.forecaster import forecaster
from graphcast.machine.machine import Machine

from ..conftest import make_world


def main(folder: Path) -> None:
    world = make_world()
    times = world.analyses["time"].values[1:4]
    starts = [window(world.analyses, world.checkpoint.task, init_time=time) for time in times]
    one = forecaster(world.checkpoint, world.grid)

    def save(name, frames):
        fields = {f"{i} {v}": frame[v].values for i, frame in enumerate(frames) for v in frame}
        np.savez(folder / f"{name}.npz", **fields)

    save("one", [list(one.forecast(start, 3))[-1] for start in starts])
    for windows in (1, 2, 8):  # split over eight, in two rows of four, spread over eight rows
        ready = one.on(Machine(devices=8, windows=windows))
        last = [list(ready.forecasts(starts[i : i + windows], 3))[-1] for i in range(0, 3, windows)]
        save(f"eight {windows}", [frame for frames in last for frame in frames])
    # resumed after the second lead, each window from its own frames
    leads = list(ready.forecasts(starts, 3))
    done = [[lead[i] for lead in leads[:2]] for i in range(3)]
    save("resumed", list(ready.forecasts(starts, 3, first=2, done=done))[-1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
