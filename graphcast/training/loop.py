"""Updates one after the other, from a state to a later one."""

from collections.abc import Callable, Iterator
from functools import partial
from math import isfinite
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from graphcast.blocks import AnyArray
from graphcast.checkpoints.tensors import named_leaves
from graphcast.machine.devices import SPREAD, WHOLE, device_table, place, place_share
from graphcast.machine.hosts import process_count
from graphcast.machine.lost import LostError
from graphcast.precision import precision_named
from graphcast.training.batches import Batches
from graphcast.training.ledger import COMPILING, WAITING, Ledger
from graphcast.training.problem import Problem
from graphcast.training.recipe import Conditions, Recipe
from graphcast.training.state import TrainState
from graphcast.training.step import Outcome, next_state

Placement = Callable[[AnyArray], Array]


class NotFiniteError(ValueError):
    """The loss or the gradient of an update is not finite.

    Attributes:
        channel: the first target channel whose error is not finite, counted as the task's
            channels are; None where all errors are finite, and a gradient is not.
    """

    def __init__(self, message: str, channel: int | None) -> None:
        super().__init__(message)
        self.channel = channel


class Progress(NamedTuple):
    """The report of one update.

    Attributes:
        update: the number of updates made, this one included.
        conditions: the conditions of this update.
        loss: mean over the batch, with the weights before the update.
        gradient_norm: global norm of the loss's gradient, before it is clipped.
    """

    update: int
    conditions: Conditions
    loss: float
    gradient_norm: float


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
            or the recipe has fewer updates than `until`.
        NotFiniteError: a loss or a gradient is not finite.
    """
    latest = state
    steps = updates(state, problem, batches, recipe, until=until, devices=devices)
    for step in steps:
        latest, progress = step
        report(progress)
    return latest


def updates(
    state: TrainState,
    problem: Problem,
    batches: Batches,
    recipe: Recipe,
    *,
    until: int | None = None,
    devices: int = 1,
    ledger: Ledger | None = None,
) -> Iterator[tuple[TrainState, Progress]]:
    """The states after each update up to `until`, with their reports, as `train` makes them.

    The next update runs already while a state is looked at. Whoever has seen enough may stop. The
    `ledger` is told the time spent waiting for batches and compiling.
    """
    until = recipe.updates if until is None else until
    _check(recipe, until, devices)
    ledger = Ledger() if ledger is None else ledger
    device_mesh = device_table(devices, devices) if devices > 1 else None
    whole, share = _placements(device_mesh)
    first = int(state.update)
    state, problem = jax.tree.map(whole, (state, problem))
    compiled: set[int] = set()
    running: tuple[TrainState, int, Conditions, Outcome] | None = None
    for update in range(first, until):
        conditions = recipe.at(update)
        with ledger.spending(WAITING):
            batch = batches.at(update, conditions.lead_steps)
        _check_size(batch.current, recipe, update)
        new = conditions.lead_steps not in compiled
        compiled.add(conditions.lead_steps)
        with ledger.spending(COMPILING if new else None):
            state, outcome = next_state(
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
            yield _finished(*running)
        running = (state, update + 1, conditions, outcome)
        ledger.count(len(batch.current))
    if running is not None:
        yield _finished(*running)


def _check(recipe: Recipe, until: int, devices: int) -> None:
    if recipe.batch % devices:
        raise ValueError(
            f"a batch of {recipe.batch} samples does not divide over {devices} devices"
        )
    if until > recipe.updates:
        raise ValueError(f"the recipe has {recipe.updates} updates, not {until}")


def _check_size(examples: AnyArray, recipe: Recipe, update: int) -> None:
    if len(examples) * process_count() != recipe.batch:
        raise ValueError(
            f"the recipe's batches have {recipe.batch} examples, and update {update} was given "
            f"{len(examples) * process_count()}"
        )


def _placements(device_mesh: jax.sharding.Mesh | None) -> tuple[Placement, Placement]:
    """Functions that replicate an array on all devices, and that spread one over them."""
    if device_mesh is None:
        return jax.device_put, jax.device_put
    return (
        partial(place, device_mesh=device_mesh, spec=WHOLE),
        partial(place_share, device_mesh=device_mesh, spec=SPREAD),
    )


def _finished(
    state: TrainState,
    update: int,
    conditions: Conditions,
    outcome: Outcome,
) -> tuple[TrainState, Progress]:
    """Wait for an update's numbers, and refuse those that are not finite."""
    try:
        loss, norm = float(outcome.loss), float(outcome.gradient_norm)
    except (ValueError, RuntimeError) as error:
        if process_count() > 1:  # gloo's errors arrive as these
            raise LostError("another process is gone, and this one cannot go on alone") from error
        raise
    if not isfinite(loss) or not np.asarray(outcome.finite).all():
        raise _not_finite(state, update, conditions, outcome)
    return state, Progress(update, conditions, loss, norm)


def _not_finite(
    state: TrainState, update: int, conditions: Conditions, outcome: Outcome
) -> NotFiniteError:
    """The error that names the first number that is not finite, errors going before gradients."""
    remedy = (
        f"lower the learning rate ({conditions.learning_rate:g}), or check the training data and "
        "statistics"
    )
    loss = float(outcome.loss)
    if not isfinite(loss):
        finite = np.isfinite(np.asarray(outcome.by_channel))
        channel = None if finite.all() else int(np.argmin(finite))
        return NotFiniteError(f"the loss of update {update} is {loss}; {remedy}", channel)
    names = list(named_leaves(state.model))
    name = names[int(np.argmin(np.asarray(outcome.finite)))]
    return NotFiniteError(
        f"the gradient of update {update} is not finite, first that of {name} (its loss is "
        f"{loss:g}); {remedy}",
        None,
    )
