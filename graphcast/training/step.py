"""One update: the loss of a batch, its gradient, and the state after a step against it."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from graphcast.loss import Example, rollout_loss
from graphcast.machine.devices import SPREAD, WHOLE, WINDOWS, on_parts
from graphcast.network.model import GraphCast
from graphcast.passes import Pass
from graphcast.precision import Precision
from graphcast.rollout import dynamics
from graphcast.training.optimiser import AdamW
from graphcast.training.problem import Problem
from graphcast.training.state import TrainState


class Outcome(NamedTuple):
    """The numbers of one update, with the weights before it.

    Attributes:
        loss: mean over the batch.
        by_channel: the unweighted error of each target channel, whose weighted sum is the loss.
        gradient_norm: global norm of the gradient, before it is clipped.
        finite: whether each leaf of the gradient is finite, in the order of the model's tree.
    """

    loss: Float[Array, ""]
    by_channel: Float[Array, " targets"]
    gradient_norm: Float[Array, ""]
    finite: Bool[Array, " leaves"]


def batch_loss(
    model: GraphCast, problem: Problem, batch: Example, precision: Precision
) -> tuple[Float[Array, ""], Float[Array, " targets"]]:
    """Mean loss over a batch, an `Example` whose arrays lead with the batch axis.

    The second result is each channel's error, as `rollout_loss` gives it.
    """
    how = Pass(precision)
    fixed = dynamics(
        model, problem.input_order, problem.layout, problem.normaliser, problem.statics, how
    )
    losses, by_channel = jax.lax.map(
        lambda example: rollout_loss(fixed, example, problem.weights, how), batch
    )
    return losses.mean(), by_channel.mean(axis=0)


def batch_gradient(
    model: GraphCast,
    problem: Problem,
    batch: Example,
    precision: Precision,
    device_mesh: jax.sharding.Mesh | None = None,
) -> tuple[tuple[Float[Array, ""], Float[Array, " targets"]], GraphCast]:
    """What `batch_loss` gives, and the gradient of the loss.

    Args:
        model: the weights.
        problem: the arrays that stay the same.
        batch: examples along a first axis.
        precision: how the passes round.
        device_mesh: each of its devices takes an equal share of the examples, and their losses and
            gradients are averaged (an all-reduce); None: one device takes all.
    """

    def on_one(model: GraphCast, problem: Problem, batch: Example) -> Any:
        return jax.value_and_grad(batch_loss, has_aux=True)(model, problem, batch, precision)

    def averaged(model: GraphCast, problem: Problem, batch: Example) -> Any:
        share = on_one(model, problem, batch)
        return jax.lax.pmean(share, WINDOWS)  # type: ignore[no-untyped-call]

    if device_mesh is None:
        loss, gradient = on_one(model, problem, batch)
    else:
        spread = on_parts(averaged, device_mesh, (WHOLE, WHOLE, SPREAD), WHOLE)
        loss, gradient = spread(model, problem, batch)
    return loss, gradient


@partial(jax.jit, static_argnames=("optimiser", "average_decay", "precision", "device_mesh"))
def next_state(
    state: TrainState,
    problem: Problem,
    batch: Example,
    learning_rate: Float[Array, ""],
    *,
    optimiser: AdamW,
    average_decay: float | None,
    precision: Precision,
    device_mesh: jax.sharding.Mesh | None = None,
) -> tuple[TrainState, Outcome]:
    """The state after one update, and what the batch gave before it.

    Compiled once for each number of autoregressive steps.
    """
    (loss, by_channel), gradient = batch_gradient(
        state.model, problem, batch, precision, device_mesh
    )
    direction, memory = optimiser.transformation().update(gradient, state.optimiser, state.model)
    change = jax.tree.map(lambda x: -learning_rate * x, direction)
    model = optax.apply_updates(state.model, change)
    average = state.average
    if average is not None and average_decay is not None:
        average = optax.incremental_update(model, average, 1 - average_decay)
    finite = jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient)])
    outcome = Outcome(loss, by_channel, optax.tree.norm(gradient), finite)
    return TrainState(model, average, memory, state.update + 1), outcome
