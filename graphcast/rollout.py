"""One step of six hours, and many: each prediction becomes the next input."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from graphcast.blocks import AnyArray, Layout
from graphcast.network.model import Embedding, GraphCast, embed_geometry
from graphcast.normaliser import Columns, Normaliser
from graphcast.precision import Precision

Step = Callable[[Array, Array, tuple[Array, Array, Array]], Array]


class Dynamics(NamedTuple):
    """All that stays the same from step to step: weights, geometry, statistics, statics.

    `model` reads its input in the order of `Columns` (see `reading_columns`).
    """

    model: GraphCast
    embedding: Embedding
    layout: Layout
    normaliser: Normaliser
    statics: Float[AnyArray, "blocks rows statics"]


def dynamics(
    model: GraphCast,
    input_order: Int[AnyArray, " input_width"],
    layout: Layout,
    normaliser: Normaliser,
    statics: Float[AnyArray, "blocks rows statics"],
    precision: Precision,
    *,
    keep_edges: bool = True,
) -> Dynamics:
    """Prepare a model for stepping: reorder its input, embed the geometry.

    Outside of compiled programs this also brings everything to the default device, where weights
    that are there already are not copied.
    """
    bundle = (reading_columns(model, input_order, normaliser), layout, normaliser, statics)
    model, layout, normaliser, statics = jax.device_put(bundle)
    embedding = _embed(model, layout, precision, keep_edges=keep_edges)
    return Dynamics(model, embedding, layout, normaliser, statics)


_embed = jax.jit(embed_geometry, static_argnames=("precision", "keep_edges"))


def reading_columns(
    model: GraphCast, input_order: Int[AnyArray, " input_width"], normaliser: Normaliser
) -> GraphCast:
    """The model with its first grid weights permuted, so that it reads columns as they lie.

    Network input i is pool column `input_order[i]`; pool columns that the task does not read get
    weight zero. Permuting a weight matrix once is cheaper than permuting the input in every step.
    """

    def permuted(weights: tuple[Array, ...]) -> tuple[Array, ...]:
        first = jnp.zeros((_pool_width(normaliser), weights[0].shape[1]), weights[0].dtype)
        return (first.at[input_order].set(weights[0]), *weights[1:])

    reordered: GraphCast = eqx.tree_at(
        lambda m: m.encoder.embed_grid.weights, model, replace_fn=permuted
    )
    return reordered


def _pool_width(normaliser: Normaliser) -> int:
    targets, forcings, statics = (
        len(normaliser.mean),
        len(normaliser.forcing_mean),
        len(normaliser.static_mean),
    )
    return 2 * targets + 3 * forcings + statics + 3


def advance(
    fixed: Dynamics,
    previous: Float[Array, "blocks rows targets"],
    current: Float[Array, "blocks rows targets"],
    forcings: tuple[Array, Array, Array],
    precision: Precision,
) -> tuple[Float[Array, "blocks rows targets"], Float[Array, "blocks rows targets"]]:
    """The next frame in physical units, and the network output that made it.

    `forcings` are those at t - 6 h, t and t + 6 h, each [blocks, rows, forcings].
    """
    columns = Columns(previous, current, *forcings, statics=fixed.statics)
    output = fixed.model(
        columns, fixed.normaliser.assemble, fixed.embedding, fixed.layout, precision
    )
    return fixed.normaliser.prediction(output, current), output


@partial(jax.jit, static_argnames="precision")
def next_frame(
    fixed: Dynamics,
    previous: Float[Array, "blocks rows targets"],
    current: Float[Array, "blocks rows targets"],
    forcings: tuple[Array, Array, Array],
    precision: Precision,
) -> Float[Array, "blocks rows targets"]:
    """The next frame alone, compiled once for all steps, samples and init times."""
    precision = replace(precision, gradient_keeps="nothing")  # nobody takes one
    return advance(fixed, previous, current, forcings, precision)[0]


def _here(frame: Array) -> Array:
    return frame


def roll_out(
    step: Step,
    previous: Float[AnyArray, "blocks rows targets"],
    current: Float[AnyArray, "blocks rows targets"],
    forcings: Iterable[Float[np.ndarray, "blocks rows forcings"]],
    *,
    place: Callable[[np.ndarray], Array] = jax.device_put,
    gather: Callable[[Array], Array] = _here,
) -> Iterator[Float[np.ndarray, "blocks rows targets"]]:
    """Frames at t + 6 h, t + 12 h, …, one for each forcing frame after the first two.

    `step` makes a frame from two frames and three of forcings. `forcings` yields the frames at
    t - 6 h, t, t + 6 h, …. Only what the next step needs stays on the device; a frame travels to
    the host while the next step already runs. Over several devices `place` puts a frame on them,
    and frames may lead with a windows axis; over several hosts `gather` brings one to this host.
    """
    frames = (place(frame) for frame in forcings)
    before, now = next(frames), next(frames)
    previous, current = place(previous), place(current)
    waiting = None
    for following in frames:
        predicted = step(previous, current, (before, now, following))
        leaving = gather(predicted)
        leaving.copy_to_host_async()
        if waiting is not None:
            yield np.asarray(waiting)
        waiting = leaving
        previous, current = current, predicted
        before, now = now, following
    if waiting is not None:
        yield np.asarray(waiting)
