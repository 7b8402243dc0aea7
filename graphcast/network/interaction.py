"""One step of message passing on the multi-mesh, as an interaction network computes it.

    m_e  = φ([e, v_s, v_r])         a message along each edge from sender s to receiver r
    v'_r = v_r + ψ([v_r, Σ m_e])    summed over the edges that arrive at r
    e'   = e + m_e

(Battaglia et al. 2016, arXiv 1612.00222; GraphCast §3.5.) The first layer of φ is linear, so
[e, v_s, v_r] W = e W_e + v_s W_s + v_r W_r, and the node products are made once per node and
gathered instead of once per edge: half of the multiplications. Edges are taken block by block, so
that the working memory is that of one block.

Edges come in groups of six that share a receiver (a multi-mesh node has six neighbours on each of
its levels), so most of each sum runs along an axis, and a sixth of the rows is left to scatter.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from graphcast.network.mlp import MLP
from graphcast.precision import Precision

Body = Callable[[Array, tuple[Array, ...]], tuple[Array, Array]]


def interact(
    update_edges: MLP,
    update_nodes: MLP,
    nodes: Float[Array, "mesh_nodes latent"],
    edges: Float[Array, "blocks groups 6 latent"],
    senders: Int[Array, "blocks groups 6"],
    receivers: Int[Array, "blocks groups"],
    precision: Precision,
) -> tuple[Float[Array, "mesh_nodes latent"], Float[Array, "blocks groups 6 latent"]]:
    """Nodes and edges after one interaction step, residual connections included.

    A sender or receiver equal to the number of nodes is padding, whose message reaches nobody.
    """
    width = nodes.shape[-1]
    of_edge, of_sender, of_receiver = update_edges.input_blocks([width] * 3)
    sent = precision.keep(precision.product(nodes, of_sender))
    heard = precision.keep(precision.product(nodes, of_receiver) + update_edges.biases[0])

    def block(
        received: Float[Array, "mesh_nodes latent"],
        edges_of_block: tuple[Array, ...],
    ) -> tuple[Float[Array, "mesh_nodes latent"], Float[Array, "groups 6 latent"]]:
        edge, sender, receiver = edges_of_block
        at_receiver = gather(heard, receiver)[:, None, :]
        hidden = precision.product(edge, of_edge) + gather(sent, sender) + at_receiver
        message = update_edges.finish(hidden, precision)
        of_group = jnp.where((sender < len(nodes))[..., None], message, 0).sum(axis=1)
        return scatter_add(received, receiver, of_group), precision.keep(edge + message)

    none = no_messages(nodes, precision)
    received, edges = over_blocks(block, none, edges, (senders, receivers), precision)
    received = precision.completed(received)
    return precision.keep(nodes + update_with(update_nodes, nodes, received, precision)), edges


def over_blocks(
    body: Body,
    received: Float[Array, "mesh_nodes latent"],
    edges: Float[Array, "blocks groups 6 latent"],
    others: tuple[Array, ...],
    precision: Precision,
) -> tuple[Float[Array, "mesh_nodes latent"], Float[Array, "blocks groups 6 latent"]]:
    """`jax.lax.scan` over blocks of edges; without a gradient new edges take the old ones' place.

    A scan fills a second array, which costs memory and, on a CPU, a twentieth of the time. The
    gradient of the loop in place would keep all edges once for every block.
    """
    if precision.gradient_keeps != "nothing":
        return jax.lax.scan(precision.block_of_round(body), received, (edges, *others))

    def step(block: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        received, edges = state
        received, new = body(received, tuple(x[block] for x in (edges, *others)))
        return received, edges.at[block].set(new)

    received, edges = jax.lax.fori_loop(0, len(edges), step, (received, edges))
    return received, edges


def update_with(
    update: MLP,
    nodes: Float[Array, "nodes latent"],
    received: Float[Array, "nodes latent"],
    precision: Precision,
) -> Float[Array, "nodes latent"]:
    """ψ([v, Σ m]) without concatenating its two parts."""
    width = nodes.shape[-1]
    of_node, of_received = update.input_blocks([width, width])
    hidden = precision.product(nodes, of_node) + precision.product(received, of_received)
    return update.finish(hidden + update.biases[0], precision)


def no_messages(
    nodes: Float[Array, "nodes latent"], precision: Precision
) -> Float[Array, "nodes latent"]:
    """Where sums of messages begin: zeros, float32; each device's own where a sample is split."""
    zeros = jnp.zeros(nodes.shape, jnp.float32)
    if precision.split_over is None:
        return zeros
    own: Array = jax.lax.pcast(zeros, precision.split_over, to="varying")
    return own


def gather(
    nodes: Float[Array, "nodes latent"], index: Int[Array, "*edges"]
) -> Float[Array, "*edges latent"]:
    """The node of each edge; a padding index yields some node, whose message is dropped."""
    return nodes.at[index].get(mode="clip")


def scatter_add(
    total: Float[Array, "nodes latent"],
    index: Int[Array, " edges"],
    messages: Float[Array, "edges latent"],
) -> Float[Array, "nodes latent"]:
    """`total` plus each message at its node, in float32; messages to padding are dropped."""
    return total.at[index].add(messages.astype(total.dtype), mode="drop")
