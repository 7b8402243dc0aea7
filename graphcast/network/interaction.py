"""One round of message passing on the multi-mesh, an interaction network.

    m_e  = φ([e, v_s, v_r])         a message along each edge from sender s to receiver r
    v'_r = v_r + ψ([v_r, Σ m_e])    summed over the edges that arrive at r
    e'   = e + m_e

(Battaglia et al. 2016, arXiv 1612.00222; GraphCast §3.5.) The first layer of φ is linear, so
[e, v_s, v_r] W = e W_e + v_s W_s + v_r W_r. The node products are computed once per node and
gathered, which halves the multiplications of one product per edge. Edges are taken block by block,
so that the working memory stays as small as one block.

Edges come in groups of six that share a receiver (a multi-mesh node has six neighbours on each of
its levels). Most of each sum therefore runs along an axis, and a sixth of the rows is scattered.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from graphcast.network.edge_terms import gather
from graphcast.network.mlp import MLP
from graphcast.passes import Pass
from graphcast.precision import Precision

Body = Callable[[Array, tuple[Array, ...]], tuple[Array, Array]]


def interact(
    update_edges: MLP,
    update_nodes: MLP,
    nodes: Float[Array, "mesh_nodes latent"],
    edges: Float[Array, "blocks groups 6 latent"],
    senders: Int[Array, "blocks groups 6"],
    receivers: Int[Array, "blocks groups"],
    how: Pass,
) -> tuple[Float[Array, "mesh_nodes latent"], Float[Array, "blocks groups 6 latent"]]:
    """Nodes and edges after one interaction step, residual connections included.

    A sender or receiver equal to the number of nodes is padding; its message is dropped.
    """
    precision, width = how.precision, nodes.shape[-1]
    edge_weights, sender_weights, receiver_weights = update_edges.input_blocks([width] * 3)
    sender_terms = precision.stored(precision.product(nodes, sender_weights))
    receiver_terms = precision.stored(
        precision.product(nodes, receiver_weights) + update_edges.biases[0]
    )

    def block(
        received: Float[Array, "mesh_nodes latent"],
        edges_of_block: tuple[Array, ...],
    ) -> tuple[Float[Array, "mesh_nodes latent"], Float[Array, "groups 6 latent"]]:
        edge, sender, receiver = edges_of_block
        at_receiver = gather(receiver_terms, receiver)[:, None, :]
        hidden = precision.product(edge, edge_weights) + gather(sender_terms, sender) + at_receiver
        message = update_edges.finish(hidden, precision)
        group_sum = jnp.where((sender < len(nodes))[..., None], message, 0).sum(axis=1)
        return scatter_add(received, receiver, group_sum), precision.stored(edge + message)

    received, edges = over_blocks(block, how.no_messages(nodes), edges, (senders, receivers), how)
    received = how.all_reduced(received)
    return precision.stored(nodes + update_with(update_nodes, nodes, received, precision)), edges


def over_blocks(
    body: Body,
    received: Float[Array, "mesh_nodes latent"],
    edges: Float[Array, "blocks groups 6 latent"],
    others: tuple[Array, ...],
    how: Pass,
) -> tuple[Float[Array, "mesh_nodes latent"], Float[Array, "blocks groups 6 latent"]]:
    """`jax.lax.scan` of `body` over blocks of edges, which inference updates in place.

    A scan fills a second array of edges. That costs memory and, on a CPU, a twentieth of the time.
    A backward pass needs the scan: the loop in place would store all edges once for every block.
    """
    if how.keeps != "nothing":
        return jax.lax.scan(how.block_of_round(body), received, (edges, *others))

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
    node_weights, received_weights = update.input_blocks([width, width])
    hidden = precision.product(nodes, node_weights) + precision.product(received, received_weights)
    return update.finish(hidden + update.biases[0], precision)


def scatter_add(
    total: Float[Array, "nodes latent"],
    index: Int[Array, " edges"],
    messages: Float[Array, "edges latent"],
) -> Float[Array, "nodes latent"]:
    """`total` plus each message at its node, in float32; messages to padding are dropped."""
    return total.at[index].add(messages.astype(total.dtype), mode="drop")
