"""The small world's analyses as a training problem, for tests in this process and in others."""

from graphcast.forecaster import forecaster
from graphcast.machine.machine import Machine
from graphcast.training import (
    InMemory,
    frames,
    initial_state,
    plan_of_updates,
    training_problem,
)


def small_training(checkpoint, grid, window, analyses, recipe):
    """State before the first update, problem and batches."""
    ready = forecaster(checkpoint, grid)
    plan = plan_of_updates(ready, recipe, Machine(memory=2**30))
    return (
        initial_state(checkpoint.model, recipe),
        training_problem(ready, plan, window),
        InMemory(frames(ready, analyses), plan.layout.rows, recipe),
    )


def training_of(world, recipe):
    """`small_training` of a world."""
    return small_training(world.checkpoint, world.grid, world.window, world.analyses, recipe)
