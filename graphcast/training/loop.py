"""One update, and many of them on samples drawn with replacement."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from graphcast.layout import AnyArray, Layout
from graphcast.loss import LossWeights, Sample, rollout_loss
from graphcast.model import GraphCast
from graphcast.normaliser import Normaliser
from graphcast.precision import Precision
from graphcast.rollout import dynamics


class TrainState(eqx.Module):
    """What an update changes."""

    model: GraphCast
    optimiser: optax.OptState


class Problem(NamedTuple):
    """What stays the same during training, all of it arrays."""

    input_order: AnyArray
    layout: Layout
    normaliser: Normaliser
    statics: Float[AnyArray, "blocks rows statics"]
    weights: LossWeights


def batch_loss(
    model: GraphCast, problem: Problem, batch: Sample, precision: Precision
) -> Float[Array, ""]:
    """Mean loss over a batch (a `Sample` whose arrays lead with the batch axis)."""
    fixed = dynamics(
        model, problem.input_order, problem.layout, problem.normaliser, problem.statics, precision
    )
    losses = jax.lax.map(
        lambda sample: rollout_loss(fixed, sample, problem.weights, precision)[0], batch
    )
    mean: Array = losses.mean()
    return mean


@partial(jax.jit, static_argnames=("optimiser", "precision"))
def update(
    state: TrainState,
    problem: Problem,
    batch: Sample,
    optimiser: optax.GradientTransformation,
    precision: Precision,
) -> tuple[TrainState, Float[Array, ""]]:
    """The state after one optimiser step, and the batch's loss before it."""
    loss, gradient = jax.value_and_grad(batch_loss)(state.model, problem, batch, precision)
    change, optimiser_state = optimiser.update(gradient, state.optimiser, state.model)
    return TrainState(optax.apply_updates(state.model, change), optimiser_state), loss


def train(
    model: GraphCast,
    problem: Problem,
    samples: Sequence[Sample],
    optimiser: optax.GradientTransformation,
    precision: Precision,
    *,
    updates: int,
    batch_size: int = 1,
    key: PRNGKeyArray,
) -> Iterator[tuple[GraphCast, float]]:
    """Model and loss after each of `updates` updates; samples are drawn with replacement."""
    state = TrainState(model, optimiser.init(model))
    for draw in jax.random.split(key, updates):
        drawn = jax.random.randint(draw, (batch_size,), 0, len(samples))
        batch = jax.tree.map(lambda *xs: np.stack(xs), *(samples[int(i)] for i in drawn))
        state, loss = update(state, problem, batch, optimiser, precision)
        yield state.model, float(loss)
