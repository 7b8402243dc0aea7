"""One forecast step over several devices: grid points and mesh edges are split, mesh nodes are not.

Each device has its own blocks of grid points (with their edges to and from the mesh) and of
multi-mesh edges. What receivers hear is summed on each device and completed by one all-reduce of
[mesh nodes, latent] in the encoder and in each processor round; the decoder needs none. Mesh nodes
are few (40,962 for a million grid points), so each device keeps all of them.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from graphcast.layout import Layout
from graphcast.model import Embedding
from graphcast.precision import Precision
from graphcast.rollout import Dynamics, advance

AXIS = "devices"
# Any: where a bundle of arrays holds partitions instead.
SPLIT: Any = PartitionSpec(AXIS)  # type: ignore[no-untyped-call]
WHOLE: Any = PartitionSpec()  # type: ignore[no-untyped-call]

LAYOUT_SPLIT = Layout(
    grid_features=SPLIT,
    mesh_features=WHOLE,
    encoder_senders=SPLIT,
    encoder_receivers=SPLIT,
    encoder_features=SPLIT,
    mesh_senders=SPLIT,
    mesh_receivers=SPLIT,
    mesh_edge_features=SPLIT,
    decoder_senders=SPLIT,
    decoder_features=SPLIT,
)
EMBEDDING_SPLIT = Embedding(
    encoder_edges=SPLIT, mesh_nodes=WHOLE, mesh_edges=SPLIT, decoder_edges=SPLIT
)
DYNAMICS_SPLIT = Dynamics(
    model=WHOLE,
    embedding=EMBEDDING_SPLIT,
    layout=LAYOUT_SPLIT,
    normaliser=WHOLE,
    statics=SPLIT,
)


def device_mesh(count: int) -> jax.sharding.Mesh:
    """The first `count` devices in a row; `ValueError` when there are fewer."""
    found = jax.devices()
    if not 1 <= count <= len(found):
        raise ValueError(
            f"a sample can be split over at most the {len(found)} devices that are here "
            f"({found[0].device_kind}), not over {count}"
        )
    return jax.sharding.Mesh(np.array(found[:count]), (AXIS,))


def split(fixed: Dynamics, mesh: jax.sharding.Mesh) -> Dynamics:
    """`fixed` with each block on its device; its layout must have been arranged for as many."""
    specs = _specs_for(fixed)
    placed: Dynamics = jax.device_put(fixed, jax.tree.map(partial(NamedSharding, mesh), specs))
    return placed


@partial(jax.jit, static_argnames=("precision", "mesh"))
def next_frame_split(
    fixed: Dynamics,
    previous: Float[Array, "blocks rows targets"],
    current: Float[Array, "blocks rows targets"],
    forcings: tuple[Array, Array, Array],
    precision: Precision,
    mesh: jax.sharding.Mesh,
) -> Float[Array, "blocks rows targets"]:
    """The next frame, blocks split over the devices of `mesh` as `split` placed them."""
    together = replace(precision, split_over=AXIS)
    arguments = (fixed, previous, current, forcings)
    specs = (_specs_for(fixed), SPLIT, SPLIT, (SPLIT, SPLIT, SPLIT))
    leaves, structure = jax.tree.flatten(arguments)
    partitions = jax.tree.leaves(specs, is_leaf=lambda node: isinstance(node, PartitionSpec))
    # XLA 0.11 crashes on inputs without elements (the statics of a task without statics), so those
    # stay outside and are made again on each device.
    full = [number for number, leaf in enumerate(leaves) if leaf.size]

    def local(*given: Array) -> Array:
        here = [
            _empty_part(leaf, spec, mesh=mesh)
            for leaf, spec in zip(leaves, partitions, strict=True)
        ]
        for number, leaf in zip(full, given, strict=True):
            here[number] = leaf
        own, before, now, around = jax.tree.unflatten(structure, here)
        return advance(own, before, now, around, together)[0]

    step = jax.shard_map(
        local,
        mesh=mesh,
        in_specs=tuple(partitions[number] for number in full),
        out_specs=SPLIT,
    )
    predicted: Array = step(*(leaves[number] for number in full))
    return predicted


def _empty_part(leaf: Array, spec: PartitionSpec, *, mesh: jax.sharding.Mesh) -> Array | None:
    """What a device has of an array without elements; None for all others."""
    if leaf.size:
        return None
    rows = leaf.shape[0] // (mesh.size if spec == SPLIT else 1)
    return jnp.zeros((rows, *leaf.shape[1:]), leaf.dtype)


def _specs_for(fixed: Dynamics) -> Dynamics:
    """`DYNAMICS_SPLIT` with a partition for every leaf that `fixed` has."""
    specs: Dynamics = jax.tree.map(
        lambda spec, part: jax.tree.map(lambda _: spec, part),
        DYNAMICS_SPLIT,
        fixed,
        is_leaf=lambda node: isinstance(node, PartitionSpec),
    )
    return specs
