"""Trains on one virtual device and on several: `python -m tests.graphcast.training.on_devices DIR`.

Virtual devices have to be asked for before JAX starts, so the tests run this in a process of its
own. It writes one .npz for each way to train.
"""

import sys
from pathlib import Path

import jax
import numpy as np

from graphcast.training import Phase, Recipe, read_state, train, write_state

from ..conftest import make_world
from .conftest import ONE_ROUND
from .small import training_of

ONCE = Recipe((Phase("one", 1, peak=0.1),), batch=8)
RESUMED = Recipe(
    (Phase("one", 2, peak=1e-3, warm_up=1), Phase("two", 2, 1e-3, lead_steps=2)),
    batch=4,
    average_decay=0.9,
)


def main(folder: Path) -> None:
    world = make_world(ONE_ROUND)

    def save(name, *trees):
        np.savez(folder / name, *jax.tree.leaves(trees))

    for devices in (1, 8):
        losses = []
        state, problem, batches = training_of(world, ONCE)
        state = train(
            *(state, problem, batches, ONCE),
            devices=devices,
            report=lambda progress, losses=losses: losses.append(progress.loss),
        )
        save(f"gradient on {devices}", losses, state.optimiser[1].mu)
    state, problem, batches = training_of(world, RESUMED)
    save("at once", train(state, problem, batches, RESUMED, devices=2))
    for until in (3, 4):
        state = train(state, problem, batches, RESUMED, devices=2, until=until)
        write_state(state, folder / "state.safetensors", {})
        state = read_state(folder / "state.safetensors", state, {})
    save("resumed", state)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
