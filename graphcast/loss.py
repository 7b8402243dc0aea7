"""The published objective: weighted mean squared error of normalised tendencies.

GraphCast §4.2: the squared error in units of the σ of the change over one step; its mean over lead
times, grid (weighted by area) and levels (weighted by pressure); the weighted sum over variables.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from graphcast.blocks import AnyArray
from graphcast.passes import Pass
from graphcast.rollout import Dynamics, advance


class Example(NamedTuple):
    """One training example in blocks of grid points, physical units; Δ is the task's step.

    Attributes:
        previous, current: target channels at t - Δ and t.
        forcings: forcing channels at t - Δ, t, t + Δ, …, t + steps · Δ.
        targets: target channels at t + Δ, …, t + steps · Δ.
    """

    previous: Float[AnyArray, "blocks rows targets"]
    current: Float[AnyArray, "blocks rows targets"]
    forcings: Float[AnyArray, "frames blocks rows forcings"]
    targets: Float[AnyArray, "steps blocks rows targets"]


class LossWeights(NamedTuple):
    """The weight of each squared error.

    Attributes:
        rows: area weight of each grid point over the number of points; sums to 1, 0 on padding.
        channels: weight of each target channel; within a level variable these sum to its weight.
    """

    rows: Float[AnyArray, "blocks rows"]
    channels: Float[AnyArray, " targets"]


def rollout_loss(
    fixed: Dynamics, example: Example, weights: LossWeights, how: Pass
) -> tuple[Float[Array, ""], Float[Array, " targets"]]:
    """The loss over all steps of an example, and each channel's unweighted share of it.

    The gradient runs through the predictions that are fed back. Between several steps the backward
    pass stores the frames, and rematerialises the rest.
    """

    def step(
        frames: tuple[Array, Array], inputs: tuple[Array, Array, Array, Array]
    ) -> tuple[tuple[Array, Array], Array]:
        previous, current = frames
        before, now, following, target = inputs
        forcings = (before, now, following)
        predicted, output = advance(fixed, previous, current, forcings, how)
        wanted = fixed.normaliser.wanted_output(target, current)
        per_channel = channel_errors(output, wanted, weights.rows)
        return (current, predicted), per_channel

    forcings = example.forcings
    steps = len(example.targets)
    per_step = (forcings[:-2], forcings[1:-1], forcings[2:], example.targets)
    if steps > 1:
        step = eqx.filter_checkpoint(step)
    _, errors = jax.lax.scan(step, (example.previous, example.current), per_step)
    per_channel = errors.mean(axis=0)
    return (per_channel * weights.channels).sum(), per_channel


def channel_errors(
    output: Float[Array, "blocks rows targets"],
    wanted: Float[Array, "blocks rows targets"],
    row_weights: Float[AnyArray, "blocks rows"],
) -> Float[Array, " targets"]:
    """Area-weighted mean square of `output - wanted` per channel."""
    return jnp.einsum("brc,br->c", jnp.square(output - wanted), row_weights)
