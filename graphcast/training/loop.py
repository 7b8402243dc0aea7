"""Updates one after the other, from a state to a later one."""

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

from graphcast.blocks import AnyArray
from graphcast.machine.devices import SPREAD, WHOLE, device_table, place
from graphcast.precision import precision_named
from graphcast.training.batches import Batches
from graphcast.training.problem import Problem
from graphcast.training.recipe import Conditions, Recipe
from graphcast.training.state import TrainState
from graphcast.training.step import next_state

Placement = Callable[[AnyArray], Array]


class Progress(NamedTuple):
    """The report of one update.

    Attributes:
        update: the number of updates made, this one included.
        conditions: the conditions of this update.
        loss: mean over the batch, with the weights before the update.
    """

    update: int
    conditions: Conditions
    loss: float


def silent(progress: Progress) -> None:
    """Report nothing."""


def train(
    state: TrainState,
    problem: Problem,
    batches: Batches,
    recipe: Recipe,
    *,
    until: int | None = None,
    devices: int = 1,
    report: Callable[[Progress], None] = silent,
) -> TrainState:
    """The state after `until` updates in all.

    Nothing but the state is carried from update to update, so training that stops, saves its state
    and resumes gives the bytes of training that did not stop. Updates are dispatched ahead: while
    one runs, the next batch is made and the loss of the last one is reported.

    Args:
        state: the state to start from (`initial_state`, `read_state`).
        problem: the arrays that stay the same.
        batches: the source of examples.
        recipe: learning rates, steps, batch size, optimiser and precision.
        until: the number of updates to stop after; None: all updates of the recipe.
        devices: the number of devices that share each batch equally.
        report: called once for each update, in order.

    Returns:
        The state after the last update; on several devices it is replicated.

    Raises:
        ValueError: a batch does not divide over the devices or has another size than the recipe's,
            the recipe has fewer updates than `until`, or a loss is not finite.
    """
    until = recipe.updates if until is None else until
    _check(recipe, until, devices)
    first = int(state.update)
    device_mesh = device_table(devices, devices) if devices > 1 else None
    whole, share = _placements(device_mesh)
    state, problem = jax.tree.map(whole, (state, problem))
    running: tuple[int, Conditions, Float[Array, ""]] | None = None
    for update in range(first, until):
        conditions = recipe.at(update)
        batch = batches.at(update, conditions.lead_steps)
        if len(batch.current) != recipe.batch:
            raise ValueError(
                f"the recipe's batches have {recipe.batch} examples, and update {update} was given "
                f"{len(batch.current)}"
            )
        state, loss = next_state(
            state,
            problem,
            jax.tree.map(share, batch),
            np.float32(conditions.learning_rate),
            optimiser=recipe.optimiser,
            average_decay=recipe.average_decay,
            precision=precision_named(recipe.precision),
            device_mesh=device_mesh,
        )
        if running is not None:
            report(_finished(*running))
        running = (update + 1, conditions, loss)
    if running is not None:
        report(_finished(*running))
    return state


def _check(recipe: Recipe, until: int, devices: int) -> None:
    if recipe.batch % devices:
        raise ValueError(
            f"a batch of {recipe.batch} samples does not divide over {devices} devices"
        )
    if until > recipe.updates:
        raise ValueError(f"the recipe has {recipe.updates} updates, not {until}")


def _placements(device_mesh: jax.sharding.Mesh | None) -> tuple[Placement, Placement]:
    """Functions that replicate an array on all devices, and that spread one over them."""
    if device_mesh is None:
        return jax.device_put, jax.device_put
    return (
        partial(place, device_mesh=device_mesh, spec=WHOLE),
        partial(place, device_mesh=device_mesh, spec=SPREAD),
    )


def _finished(update: int, conditions: Conditions, loss: Float[Array, ""]) -> Progress:
    """Wait for an update's loss, and refuse one that is not finite."""
    value = float(loss)
    if not isfinite(value):
        raise ValueError(
            f"the loss of update {update} is {value}; lower the learning rate "
            f"({conditions.learning_rate:g}), or check the training data and statistics"
        )
    return Progress(update, conditions, value)
