"""Work over several devices: windows and samples are spread, and one window's steps are split.

The devices form a table, windows × parts. Each row of it has windows of its own and needs nothing
from the other rows. Within a row one window is split: each device has its own blocks of grid points
(with their edges to and from the mesh) and of multi-mesh edges. What receivers hear is summed on
each device and completed by one all-reduce of [mesh nodes, latent] in the encoder and in each
processor round; the decoder needs none. Mesh nodes are few (40,962 for a million grid points), so
each device keeps all of them.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int

from graphcast.blocks import AnyArray, Layout
from graphcast.network.model import Embedding, GraphCast, embed_geometry
from graphcast.normaliser import Normaliser
from graphcast.precision import Precision
from graphcast.rollout import Dynamics, advance, reading_columns

WINDOWS, PARTS = "windows", "parts"
# Any: where a bundle of arrays holds partitions instead.
WHOLE: Any = PartitionSpec()  # type: ignore[no-untyped-call]
SPLIT: Any = PartitionSpec(PARTS)  # type: ignore[no-untyped-call]
SPREAD: Any = PartitionSpec(WINDOWS)  # type: ignore[no-untyped-call]
FRAMES: Any = PartitionSpec(WINDOWS, PARTS)  # type: ignore[no-untyped-call]

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
    statics=FRAMES,
)


def windows_at_once(windows: int, devices: int) -> int:
    """How many of `windows` run side by side: as many as leave no device without work.

    Windows side by side never wait for each other, so they come before parts of a window: this is
    the largest divisor of `devices` that is at most `windows`.
    """
    return max(n for n in range(1, devices + 1) if devices % n == 0 and n <= windows)


def device_mesh(devices: int, windows: int = 1) -> jax.sharding.Mesh:
    """The first devices as a table, windows × parts; `ValueError` when there are fewer.

    Of several processes each gives as many, and has its devices side by side in the table.
    """
    found, processes = jax.devices(), jax.process_count()
    if not 1 <= devices <= len(found):
        raise ValueError(
            f"a forecast can run on at most the {len(found)} devices that are here "
            f"({found[0].device_kind}), not on {devices}"
        )
    share, rest = divmod(devices, processes)
    if rest:
        raise ValueError(
            f"each of {processes} processes gives as many devices as the others, and {devices} "
            f"devices cannot be shared so; use a multiple of {processes}"
        )
    each = [[d for d in found if d.process_index == process] for process in range(processes)]
    chosen = np.array([own[:share] for own in each])
    return jax.sharding.Mesh(chosen.reshape(windows, -1), (WINDOWS, PARTS))


def place(x: AnyArray, mesh: jax.sharding.Mesh, spec: PartitionSpec = FRAMES) -> Array:
    """`x` as one array over the devices of `mesh`."""
    host = np.asarray(x)
    sharding = NamedSharding(mesh, spec)
    return jax.make_array_from_callback(host.shape, sharding, lambda part: host[part])


def split_dynamics(
    model: GraphCast,
    input_order: Int[AnyArray, " input_width"],
    layout: Layout,
    normaliser: Normaliser,
    statics: Float[AnyArray, "windows blocks rows statics"],
    precision: Precision,
    mesh: jax.sharding.Mesh,
    *,
    keep_edges: bool = True,
) -> Dynamics:
    """`rollout.dynamics` over the devices of `mesh`, each of which embeds its own edges.

    `layout` must have been arranged for as many devices as the mesh has parts.
    """
    reordered = reading_columns(model, input_order, normaliser)
    bundle = (reordered, layout, normaliser, statics)
    specs = _specs_for(bundle, (WHOLE, LAYOUT_SPLIT, WHOLE, FRAMES))
    reordered, layout, normaliser, statics = jax.tree.map(
        lambda x, spec: place(x, mesh, spec), bundle, specs
    )
    embedding = _embed_split(reordered, layout, precision, mesh, keep_edges=keep_edges)
    return Dynamics(reordered, embedding, layout, normaliser, statics)


@partial(jax.jit, static_argnames=("precision", "mesh"))
def next_frames(
    fixed: Dynamics,
    previous: Float[Array, "windows blocks rows targets"],
    current: Float[Array, "windows blocks rows targets"],
    forcings: tuple[Array, Array, Array],
    precision: Precision,
    mesh: jax.sharding.Mesh,
) -> Float[Array, "windows blocks rows targets"]:
    """The next frame of each window; one window for each row of `mesh`, as `place` puts them."""
    precision = replace(precision, gradient_keeps="nothing")  # nobody takes one
    if mesh.shape[PARTS] > 1:
        precision = replace(precision, split_over=PARTS)

    def own(
        fixed: Dynamics, previous: Array, current: Array, forcings: tuple[Array, Array, Array]
    ) -> Array:
        before, now, following = (frame[0] for frame in forcings)
        fixed = fixed._replace(statics=fixed.statics[0])
        predicted, _ = advance(fixed, previous[0], current[0], (before, now, following), precision)
        return predicted[None]

    step = on_parts(own, mesh, (DYNAMICS_SPLIT, FRAMES, FRAMES, FRAMES), FRAMES)
    predicted: Array = step(fixed, previous, current, forcings)
    return predicted


def on_parts(
    function: Callable[..., Any], mesh: jax.sharding.Mesh, in_specs: tuple[Any, ...], out_specs: Any
) -> Callable[..., Any]:
    """`function` run by each device on its own parts; `in_specs` has a prefix of each argument.

    As `jax.shard_map` does, but XLA 0.11 crashes there on inputs without elements (the statics of a
    task without statics), so those stay outside and are made again on each device. What `function`
    returns as whole must be equal on all devices.
    """

    def everywhere(*arguments: Any) -> Any:
        leaves, structure = jax.tree.flatten(arguments)
        partitions = jax.tree.leaves(_specs_for(arguments, in_specs), is_leaf=_is_spec)
        full = [number for number, leaf in enumerate(leaves) if leaf.size]

        def local(*given: Array) -> Any:
            here = [
                _empty_part(leaf, spec, mesh) for leaf, spec in zip(leaves, partitions, strict=True)
            ]
            for number, leaf in zip(full, given, strict=True):
                here[number] = leaf
            return function(*jax.tree.unflatten(structure, here))

        mapped = jax.shard_map(
            local,
            mesh=mesh,
            in_specs=tuple(partitions[number] for number in full),
            out_specs=out_specs,
            check_vma=False,
        )
        return mapped(*(leaves[number] for number in full))

    return everywhere


@partial(jax.jit, static_argnames=("precision", "mesh", "keep_edges"))
def _embed_split(
    model: GraphCast,
    layout: Layout,
    precision: Precision,
    mesh: jax.sharding.Mesh,
    *,
    keep_edges: bool,
) -> Embedding:
    embed = partial(embed_geometry, precision=precision, keep_edges=keep_edges)
    specs = EMBEDDING_SPLIT
    if not keep_edges:
        specs = specs._replace(encoder_edges=None, decoder_edges=None)
    embedding: Embedding = on_parts(embed, mesh, (WHOLE, LAYOUT_SPLIT), specs)(model, layout)
    return embedding


def _is_spec(node: object) -> bool:
    return isinstance(node, PartitionSpec)


def _specs_for(arrays: Any, prefix: Any) -> Any:
    """`prefix` with a partition for every leaf that `arrays` has."""
    return jax.tree.map(
        lambda spec, part: jax.tree.map(lambda _: spec, part), prefix, arrays, is_leaf=_is_spec
    )


def _empty_part(leaf: Array, spec: PartitionSpec, mesh: jax.sharding.Mesh) -> Array | None:
    """What a device has of an array without elements; None for all others."""
    if leaf.size:
        return None
    shape = list(leaf.shape)
    for axis, name in enumerate(spec):
        shape[axis] //= mesh.shape[name]
    return jnp.zeros(shape, leaf.dtype)
