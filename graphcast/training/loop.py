"""One update, and many of them on samples drawn with replacement."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from graphcast.blocks import AnyArray, Layout
from graphcast.loss import Example, LossWeights, rollout_loss
from graphcast.machine.devices import SPREAD, WHOLE, WINDOWS, device_table, on_parts, place
from graphcast.network.model import GraphCast
from graphcast.normaliser import Normaliser
from graphcast.passes import Pass
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
    model: GraphCast, problem: Problem, batch: Example, precision: Precision
) -> Float[Array, ""]:
    """Mean loss over a batch (a `Example` whose arrays lead with the batch axis)."""
    how = Pass(precision)
    fixed = dynamics(
        model, problem.input_order, problem.layout, problem.normaliser, problem.statics, how
    )
    losses = jax.lax.map(lambda sample: rollout_loss(fixed, sample, problem.weights, how)[0], batch)
    mean: Array = losses.mean()
    return mean


def batch_gradient(
    model: GraphCast,
    problem: Problem,
    batch: Example,
    precision: Precision,
    device_mesh: jax.sharding.Mesh,
) -> tuple[Float[Array, ""], GraphCast]:
    """The loss of a batch and its gradient, each device of `device_mesh` taking its own samples."""

    def own(model: GraphCast, problem: Problem, batch: Example) -> Any:
        found = jax.value_and_grad(batch_loss)(model, problem, batch, precision)
        return jax.lax.pmean(found, WINDOWS)  # type: ignore[no-untyped-call]

    spread = on_parts(own, device_mesh, (WHOLE, WHOLE, SPREAD), WHOLE)
    loss, gradient = spread(model, problem, batch)
    return loss, gradient


@partial(jax.jit, static_argnames=("optimiser", "precision", "device_mesh"))
def update(
    state: TrainState,
    problem: Problem,
    batch: Example,
    optimiser: optax.GradientTransformation,
    precision: Precision,
    device_mesh: jax.sharding.Mesh | None = None,
) -> tuple[TrainState, Float[Array, ""]]:
    """The state after one optimiser step, and the batch's loss before it.

    Without a `device_mesh` of devices one device takes all samples.
    """
    if device_mesh is None:
        loss, gradient = jax.value_and_grad(batch_loss)(state.model, problem, batch, precision)
    else:
        loss, gradient = batch_gradient(state.model, problem, batch, precision, device_mesh)
    change, optimiser_state = optimiser.update(gradient, state.optimiser, state.model)
    return TrainState(optax.apply_updates(state.model, change), optimiser_state), loss


def train(  # noqa: PLR0913  each is a choice of its own
    model: GraphCast,
    problem: Problem,
    samples: Sequence[Example],
    optimiser: optax.GradientTransformation,
    precision: Precision,
    *,
    updates: int,
    batch_size: int = 1,
    devices: int = 1,
    key: PRNGKeyArray,
) -> Iterator[tuple[GraphCast, float]]:
    """Model and loss after each of `updates` updates; samples are drawn with replacement.

    With several `devices` each takes its share of a batch; `ValueError` unless they divide it.
    """
    if batch_size % devices:
        raise ValueError(f"a batch of {batch_size} samples does not divide over {devices} devices")
    state = TrainState(model, optimiser.init(model))
    device_mesh = device_table(devices, devices) if devices > 1 else None
    if device_mesh is not None:
        state, problem = jax.tree.map(
            partial(place, device_mesh=device_mesh, spec=WHOLE), (state, problem)
        )
    for draw in jax.random.split(key, updates):
        drawn = jax.random.randint(draw, (batch_size,), 0, len(samples))
        batch = jax.tree.map(lambda *xs: np.stack(xs), *(samples[int(i)] for i in drawn))
        if device_mesh is not None:
            batch = jax.tree.map(partial(place, device_mesh=device_mesh, spec=SPREAD), batch)
        state, loss = update(state, problem, batch, optimiser, precision, device_mesh)
        yield state.model, float(loss)
