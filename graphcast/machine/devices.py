"""Work over several devices: windows and examples are spread, and one window is split.

The devices form a table, windows × parts. Each row forecasts its own window and needs nothing from
the other rows. Within a row one window is split: each device has its own blocks of grid points
(with their edges to and from the mesh) and of multi-mesh edges. Messages are summed on each device,
and one all-reduce of [mesh nodes, latent] completes the sums in the encoder and in each processor
round; the decoder needs none. Mesh nodes are few (40,962 for a million grid points), so each device
holds all of them.
"""

from collections.abc import Callable
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
from graphcast.passes import Pass
from graphcast.precision import Precision
from graphcast.rollout import Dynamics, advance, reading_pool

WINDOWS, PARTS = "windows", "parts"
# How arrays lie on the devices: whole on each, split over the parts, spread over the windows, both.
# Any: bundles of arrays hold these in place of arrays.
WHOLE: Any = PartitionSpec()  # type: ignore[no-untyped-call]
SPLIT: Any = PartitionSpec(PARTS)  # type: ignore[no-untyped-call]
SPREAD: Any = PartitionSpec(WINDOWS)  # type: ignore[no-untyped-call]
SPREAD_AND_SPLIT: Any = PartitionSpec(WINDOWS, PARTS)  # type: ignore[no-untyped-call]

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
    statics=SPREAD_AND_SPLIT,
)


def windows_at_once(windows: int, devices: int) -> int:
    """How many of `windows` run side by side: as many as leave no device without work.

    Windows side by side never wait for each other, so they come before parts of a window: this is
    the largest divisor of `devices` that is at most `windows`.
    """
    return max(n for n in range(1, devices + 1) if devices % n == 0 and n <= windows)


def device_table(devices: int, windows: int = 1) -> jax.sharding.Mesh:
    """The first devices as JAX's device mesh, windows × parts.

    Each of several processes gives equally many; its devices stand side by side.

    Raises:
        ValueError: there are fewer devices, or the processes cannot share them equally.
    """
    available, processes = jax.devices(), jax.process_count()
    if not 1 <= devices <= len(available):
        raise ValueError(
            f"a forecast can run on at most the {len(available)} devices that are here "
            f"({available[0].device_kind}), not on {devices}"
        )
    share, rest = divmod(devices, processes)
    if rest:
        raise ValueError(
            f"each of {processes} processes gives as many devices as the others, and {devices} "
            f"devices cannot be shared so; use a multiple of {processes}"
        )
    by_process = [[d for d in available if d.process_index == i] for i in range(processes)]
    table = np.array([local[:share] for local in by_process])
    return jax.sharding.Mesh(table.reshape(windows, -1), (WINDOWS, PARTS))


def place(
    x: AnyArray, device_mesh: jax.sharding.Mesh, spec: PartitionSpec = SPREAD_AND_SPLIT
) -> Array:
    """`x` as one array over the devices of `device_mesh`."""
    host = np.asarray(x)
    sharding = NamedSharding(device_mesh, spec)
    return jax.make_array_from_callback(host.shape, sharding, lambda part: host[part])


def place_share(x: AnyArray, device_mesh: jax.sharding.Mesh, spec: PartitionSpec) -> Array:
    """This process's equal share of an array, along its first axis, as that array on all devices.

    With one process the share is the array itself.
    """
    host = np.asarray(x)
    shape = (len(host) * jax.process_count(), *host.shape[1:])
    sharding = NamedSharding(device_mesh, spec)
    array: Array = jax.make_array_from_process_local_data(  # type: ignore[no-untyped-call]
        sharding, host, shape
    )
    return array


def split_dynamics(
    model: GraphCast,
    input_order: Int[AnyArray, " input_width"],
    layout: Layout,
    normaliser: Normaliser,
    statics: Float[AnyArray, "windows blocks rows statics"],
    how: Pass,
    device_mesh: jax.sharding.Mesh,
    *,
    keep_edges: bool = True,
) -> Dynamics:
    """`rollout.dynamics` over the devices of `device_mesh`, each of which embeds its own edges.

    `layout` must have been arranged for as many devices as the device mesh has parts.
    """
    bundle = (reading_pool(model, input_order, normaliser), layout, normaliser, statics)
    specs = (WHOLE, LAYOUT_SPLIT, WHOLE, SPREAD_AND_SPLIT)
    reordered, layout, normaliser, statics = jax.tree.map(
        lambda spec, part: jax.tree.map(lambda x: place(x, device_mesh, spec), part),
        specs,
        bundle,
        is_leaf=lambda node: isinstance(node, PartitionSpec),
    )
    embedding = _embed_split(reordered, layout, how, device_mesh, keep_edges=keep_edges)
    return Dynamics(reordered, embedding, layout, normaliser, statics)


@partial(jax.jit, static_argnames=("precision", "device_mesh"))
def next_frames(
    fixed: Dynamics,
    previous: Float[Array, "windows blocks rows targets"],
    current: Float[Array, "windows blocks rows targets"],
    forcings: tuple[Array, Array, Array],
    precision: Precision,
    device_mesh: jax.sharding.Mesh,
) -> Float[Array, "windows blocks rows targets"]:
    """The next frame of each window, one window for each row of `device_mesh`."""
    parts = PARTS if device_mesh.shape[PARTS] > 1 else None
    how = Pass(precision, keeps="nothing", split_over=parts)

    def part(
        fixed: Dynamics, previous: Array, current: Array, forcings: tuple[Array, Array, Array]
    ) -> Array:
        before, now, following = (frame[0] for frame in forcings)
        fixed = fixed._replace(statics=fixed.statics[0])
        predicted, _ = advance(fixed, previous[0], current[0], (before, now, following), how)
        return predicted[None]

    frames = SPREAD_AND_SPLIT
    step = on_parts(part, device_mesh, (DYNAMICS_SPLIT, frames, frames, frames), frames)
    predicted: Array = step(fixed, previous, current, forcings)
    return predicted


def on_parts(
    function: Callable[..., Any],
    device_mesh: jax.sharding.Mesh,
    in_specs: tuple[Any, ...],
    out_specs: Any,
) -> Callable[..., Any]:
    """`jax.shard_map`: each device runs `function` on its own parts of the arguments.

    Results whose specification is `WHOLE` must be equal on all devices.

    jaxlib 0.11 crashes there on arrays without elements, which a task without statics or forcings
    has. Such an array enters with one column of zeros, and `function` sees it without.
    """

    def everywhere(*arguments: Any) -> Any:
        def local(*parts: Any) -> Any:
            cut = jax.tree.map(lambda x, part: part if x.size else part[..., :0], arguments, parts)
            return function(*cut)

        mapped = jax.shard_map(
            local, mesh=device_mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False
        )
        return mapped(*jax.tree.map(_with_a_column, arguments))

    return everywhere


def _with_a_column(x: Array) -> Array:
    return x if x.size else jnp.zeros((*x.shape[:-1], 1), x.dtype)


@partial(jax.jit, static_argnames=("how", "device_mesh", "keep_edges"))
def _embed_split(
    model: GraphCast,
    layout: Layout,
    how: Pass,
    device_mesh: jax.sharding.Mesh,
    *,
    keep_edges: bool,
) -> Embedding:
    embed = partial(embed_geometry, how=how, keep_edges=keep_edges)
    embedding: Embedding = on_parts(embed, device_mesh, (WHOLE, LAYOUT_SPLIT), EMBEDDING_SPLIT)(
        model, layout
    )
    return embedding
