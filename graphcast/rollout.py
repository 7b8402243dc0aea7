"""One step of the forecast, and many: each prediction becomes the next input."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from graphcast.blocks import AnyArray, Layout
from graphcast.network.model import Embedding, GraphCast, embed_geometry
from graphcast.normaliser import Normaliser, Pool
from graphcast.passes import Pass
from graphcast.precision import Precision

Step = Callable[[Array, Array, tuple[Array, Array, Array]], Array]


class Dynamics(NamedTuple):
    """Everything that stays the same from step to step: weights, geometry, statistics, statics.

    `model` reads its input in the order of `Pool` (see `reading_pool`).
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
    how: Pass,
    *,
    keep_edges: bool = True,
) -> Dynamics:
    """Prepare a model for stepping: reorder its input, embed the geometry.

    Outside of compiled programs this also moves everything to the default device; weights that are
    there already are not copied.
    """
    bundle = (reading_pool(model, input_order, normaliser), layout, normaliser, statics)
    model, layout, normaliser, statics = jax.device_put(bundle)
    embedding = _embed(model, layout, how, keep_edges=keep_edges)
    return Dynamics(model, embedding, layout, normaliser, statics)


_embed = jax.jit(embed_geometry, static_argnames=("how", "keep_edges"))


def reading_pool(
    model: GraphCast, input_order: Int[AnyArray, " input_width"], normaliser: Normaliser
) -> GraphCast:
    """The model with its first grid weights permuted, so that it reads the columns of a `Pool`.

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
    how: Pass,
) -> tuple[Float[Array, "blocks rows targets"], Float[Array, "blocks rows targets"]]:
    """The next frame in physical units, and the network output that made it.

    `forcings` are those one step before `current`, at its time and one step after it, each
    [blocks, rows, forcings].
    """
    pool = Pool(previous, current, *forcings, statics=fixed.statics)
    output = fixed.model(pool, fixed.normaliser.assemble, fixed.embedding, fixed.layout, how)
    return fixed.normaliser.prediction(output, current), output


@partial(jax.jit, static_argnames="precision")
def next_frame(
    fixed: Dynamics,
    previous: Float[Array, "blocks rows targets"],
    current: Float[Array, "blocks rows targets"],
    forcings: tuple[Array, Array, Array],
    precision: Precision,
) -> Float[Array, "blocks rows targets"]:
    """The next frame without a gradient, compiled once for all steps, members and init times."""
    how = Pass(precision, keeps="nothing")
    return advance(fixed, previous, current, forcings, how)[0]


def _as_it_is(frame: Array) -> Array:
    return frame


def roll_out(
    step: Step,
    previous: Float[AnyArray, "blocks rows targets"],
    current: Float[AnyArray, "blocks rows targets"],
    forcings: Iterable[Float[np.ndarray, "blocks rows forcings"]],
    *,
    place: Callable[[np.ndarray], Array] = jax.device_put,
    gather: Callable[[Array], Array] = _as_it_is,
) -> Iterator[Float[np.ndarray, "blocks rows targets"]]:
    """Predicted frames on the host, one for each forcing frame after the first two.

    The device holds only what the next step needs; a frame travels to the host while the next step
    runs.

    Args:
        step: makes the next frame from the last two and three frames of forcings.
        previous: the frame one step before `current`.
        current: the last frame that is known.
        forcings: yields the frames one step before `current`, at its time, one step after it, ….
        place: puts a host array on the device, or on several.
        gather: brings a frame that is spread over hosts to this one.
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
