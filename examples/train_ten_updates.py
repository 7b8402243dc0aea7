"""Train a small network for ten updates on packaged analyses, and keep its weights.

    python examples/train_ten_updates.py [FOLDER]

The first four analyses are the training data; the later ones are left for scoring. Ten updates
teach a network little. With a longer recipe and more data the same lines train in earnest.
"""

import json
import sys
from pathlib import Path

import jax

from data import Channels, Task, grid_of, moments_of, open_inputs, window
from data.samples import analyses
from graphcast.checkpoints import Checkpoint, write_checkpoint
from graphcast.forecaster import forecaster
from graphcast.machine import Machine
from graphcast.network import ModelSpec, random_model
from graphcast.training import (
    InMemory,
    Phase,
    Progress,
    Recipe,
    frames,
    initial_state,
    plan_of_updates,
    train,
    training_problem,
    write_state,
)
from mesh import MeshSpec

TASK = Task(
    name="wind and geopotential",
    inputs=("geopotential", "u_component_of_wind", "v_component_of_wind", "day_progress_cos"),
    targets=("geopotential", "u_component_of_wind", "v_component_of_wind"),
    forcings=("day_progress_cos",),
    levels=(300, 500, 850),
)
SPEC = ModelSpec(MeshSpec(splits=1), latent_size=32, processor_steps=2, resolution=10.0)
RECIPE = Recipe(phases=(Phase("ten", updates=10, peak=1e-3, warm_up=2),), batch=2, seed=0)


def main(folder: Path) -> Path:
    """Train, print the loss of each update, and return the file of weights."""
    folder.mkdir(parents=True, exist_ok=True)
    training_data = open_inputs(analyses())[0].isel(time=slice(0, 4))
    channels = Channels(TASK)
    model = random_model(
        SPEC, channels.input_width, len(channels.targets), key=jax.random.key(RECIPE.seed)
    )
    untrained = Checkpoint(SPEC, TASK, model, moments_of([training_data], TASK))
    ready = forecaster(untrained, grid_of(training_data))

    plan = plan_of_updates(ready, RECIPE, Machine())
    first = window(training_data, TASK, init_time=training_data["time"].values[1])
    state = train(
        initial_state(model, RECIPE),
        training_problem(ready, plan, first),
        InMemory(frames(ready, training_data), plan.layout.rows, RECIPE),
        RECIPE,
        report=say,
    )
    training = {"recipe": json.loads(RECIPE.to_json()), "data": analyses().name}
    write_state(state, folder / "state.safetensors", training)  # `read_state` resumes from it
    weights = folder / "weights.safetensors"
    write_checkpoint(Checkpoint(SPEC, TASK, state.model, untrained.moments), weights)
    print(f"{weights}: give it to `graphcast forecast --checkpoint`")
    return weights


def say(progress: Progress) -> None:
    """Print one line for each update."""
    rate = progress.conditions.learning_rate
    print(f"update {progress.update:2d}  loss {progress.loss:8.3f}  learning rate {rate:.1e}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
