"""The same network the textbook way: concatenate, jraph's InteractionNetwork, segment sums.

It is the oracle of the tests and the baseline of the benchmarks, too slow for forecasts. Readers
who know jraph may start here: `to_jraph` gives any of the three graphs as a GraphsTuple.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from data.channels import STRUCTURAL_FEATURES
from graphcast.blocks import AnyArray
from graphcast.network.mlp import MLP
from graphcast.network.model import GraphCast
from graphcast.precision import FLOAT32
from mesh.graphs import EdgeSet, Graphs

Network = Callable[[jraph.GraphsTuple], jraph.GraphsTuple]


def to_jraph(
    edge_set: EdgeSet,
    senders: Float[AnyArray, "senders latent"],
    receivers: Float[AnyArray, "receivers latent"] | None = None,
    edges: Float[AnyArray, "edges latent"] | None = None,
) -> jraph.GraphsTuple:
    """One of the three graphs in jraph's form.

    A bipartite graph becomes one set of nodes, the senders first. Without `edges` the edges hold
    their four geometric features.
    """
    nodes = senders if receivers is None else jnp.concatenate([senders, receivers])
    shift = 0 if receivers is None else len(senders)
    return jraph.GraphsTuple(
        nodes=nodes,
        edges=edge_set.features if edges is None else edges,
        senders=jnp.asarray(edge_set.senders),
        receivers=jnp.asarray(edge_set.receivers) + shift,
        globals=None,
        n_node=jnp.array([len(nodes)]),
        n_edge=jnp.array([len(edge_set.senders)]),
    )


def interaction(update_edges: MLP, update_nodes: MLP) -> Network:
    """Jraph's interaction network with these MLPs, without residual connections."""
    network: Network = jraph.InteractionNetwork(
        update_edge_fn=lambda edges, senders, receivers: update_edges(
            jnp.concatenate([edges, senders, receivers], axis=-1), FLOAT32
        ),
        update_node_fn=lambda nodes, received: update_nodes(
            jnp.concatenate([nodes, received], axis=-1), FLOAT32
        ),
    )
    return network


def textbook_network(
    model: GraphCast, graphs: Graphs, inputs: Float[Array, "grid input_width"]
) -> Float[Array, "grid output_width"]:
    """The network's output from its whole input (structural features last), float32."""
    padding = ((0, 0), (inputs.shape[1] - STRUCTURAL_FEATURES, 0))
    mesh_inputs = jnp.pad(jnp.asarray(graphs.mesh_features), padding)
    grid = model.encoder.embed_grid(inputs, FLOAT32)
    mesh = model.encoder.embed_mesh(mesh_inputs, FLOAT32)
    grid, mesh = _encode(model, graphs, grid, mesh)
    mesh = _process(model, graphs, mesh)
    return _decode(model, graphs, grid, mesh)


def received_update(
    update_edges: MLP,
    update_nodes: MLP,
    edge_set: EdgeSet,
    edges: Float[Array, "edges latent"],
    senders: Float[Array, "senders latent"],
    receivers: Float[Array, "receivers latent"],
) -> Float[Array, "receivers latent"]:
    """The receivers' update in a bipartite graph: `interaction` without the senders' update."""
    start, end = senders[edge_set.senders], receivers[edge_set.receivers]
    messages = update_edges(jnp.concatenate([edges, start, end], axis=-1), FLOAT32)
    received = jraph.segment_sum(messages, jnp.asarray(edge_set.receivers), len(receivers))
    return update_nodes(jnp.concatenate([receivers, received], axis=-1), FLOAT32)


def _encode(model: GraphCast, graphs: Graphs, grid: Array, mesh: Array) -> tuple[Array, Array]:
    encoder, edge_set = model.encoder, graphs.grid2mesh
    edges = encoder.embed_edges(jnp.asarray(edge_set.features), FLOAT32)
    update = received_update(encoder.update_edges, encoder.update_mesh, edge_set, edges, grid, mesh)
    return grid + encoder.update_grid(grid, FLOAT32), mesh + update


def _process(model: GraphCast, graphs: Graphs, mesh: Array) -> Array:
    processor = model.processor
    edges = processor.embed_edges(jnp.asarray(graphs.mesh.features), FLOAT32)
    graph = to_jraph(graphs.mesh, mesh, edges=edges)
    for step in range(len(processor.update_edges.weights[0])):
        updates = jax.tree.map(
            lambda x, step=step: x[step], (processor.update_edges, processor.update_nodes)
        )
        updated = interaction(*updates)(graph)
        graph = graph._replace(nodes=graph.nodes + updated.nodes, edges=graph.edges + updated.edges)
    nodes: Array = graph.nodes
    return nodes


def _decode(model: GraphCast, graphs: Graphs, grid: Array, mesh: Array) -> Array:
    decoder, edge_set = model.decoder, graphs.mesh2grid
    edges = decoder.embed_edges(jnp.asarray(edge_set.features), FLOAT32)
    update = received_update(decoder.update_edges, decoder.update_grid, edge_set, edges, mesh, grid)
    return decoder.read_out(grid + update, FLOAT32)
