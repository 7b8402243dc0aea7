"""The network: grid → multi-mesh encoder, processor, multi-mesh → grid decoder.

GraphCast §3 (arXiv 2212.12794), parameter for parameter. A model holds its parameters and nothing
else; the graphs are an argument (`Layout`). So is the input: `inputs` is any tree of arrays in
blocks of grid points, and `assemble` turns one block of it into the rows that the network reads, so
that the whole input [grid, channels] never exists at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from data.channels import STRUCTURAL_FEATURES, Channels
from data.task import Task
from graphcast.blocks import EdgeFeatures, Layout
from graphcast.network.edge_terms import (
    ComputedTerms,
    EdgeTerms,
    first_layer_term,
    gather,
    terms_in_memory,
)
from graphcast.network.interaction import interact, scatter_add, update_with
from graphcast.network.mlp import MLP, random_mlp
from graphcast.passes import Pass
from mesh.graphs import MeshSpec

EDGE_FEATURES = 4  # length and three components in the receiver's frame

Inputs = Any  # a pytree of [blocks, rows, …] arrays
Assemble = Callable[[Any, Float[Array, "rows 3"]], Float[Array, "rows input_width"]]


@dataclass(frozen=True)
class ModelSpec:
    """The published hyper-parameters; the widths of input and output follow from the task.

    Attributes:
        mesh: the multi-mesh and its connections to the grid.
        latent_size: width of every node and edge latent.
        processor_steps: rounds of message passing on the multi-mesh, unshared weights.
        hidden_layers: hidden layers in each MLP.
        resolution: grid spacing in degrees that the weights were made for; 0 says any.
    """

    mesh: MeshSpec
    latent_size: int
    processor_steps: int
    hidden_layers: int = 1
    resolution: float = 0.0


class Embedding(NamedTuple):
    """What depends on weights and geometry alone: computed once per run, or once per update.

    Edges have one row for each row of their `EdgeFeatures`.

    Attributes:
        encoder_edges: first-layer terms (with bias) of grid→mesh edges, or None.
        mesh_nodes: latent of each mesh node before it hears the grid.
        mesh_edges: latents of multi-mesh edges before the processor.
        decoder_edges: first-layer terms (with bias) of mesh→grid edges, or None.
    """

    encoder_edges: Float[Array, "blocks *rows latent"] | None
    mesh_nodes: Float[Array, "mesh_nodes latent"]
    mesh_edges: Float[Array, "blocks *rows latent"]
    decoder_edges: Float[Array, "blocks *rows latent"] | None


class Encoder(eqx.Module):
    """Grid → mesh: every grid point speaks to the mesh nodes within the radius."""

    embed_grid: MLP
    embed_mesh: MLP
    embed_edges: MLP
    update_edges: MLP
    update_mesh: MLP
    update_grid: MLP

    def __call__(
        self,
        inputs: Inputs,
        assemble: Assemble,
        embedding: Embedding,
        layout: Layout,
        how: Pass,
    ) -> tuple[Float[Array, "blocks rows latent"], Float[Array, "mesh_nodes latent"]]:
        """Latents of the grid points and of the mesh nodes that have heard them."""
        mesh = embedding.mesh_nodes
        precision, width = how.precision, mesh.shape[-1]
        _, sender_weights, receiver_weights = self.update_edges.input_blocks([width] * 3)
        receiver_terms = precision.stored(precision.product(mesh, receiver_weights))
        edge_terms = _edge_terms(self, embedding.encoder_edges, layout.encoder_features, how)

        def block(
            received: Float[Array, "mesh_nodes latent"], rows: tuple[Any, ...]
        ) -> tuple[Float[Array, "mesh_nodes latent"], Float[Array, "rows latent"]]:
            inputs, features, edges, sender, receiver = rows
            grid = precision.stored(self.embed_grid(assemble(inputs, features), precision))
            sender_terms = precision.stored(precision.product(grid, sender_weights))
            hidden = (
                edge_terms.of_block(edges)
                + gather(sender_terms, sender)
                + gather(receiver_terms, receiver)
            )
            message = self.update_edges.finish(hidden, precision)
            grid = precision.stored(grid + self.update_grid(grid, precision))
            return scatter_add(received, receiver, message), grid

        received, grid = jax.lax.scan(
            how.block(block),
            how.no_messages(mesh),
            (
                inputs,
                layout.grid_features,
                edge_terms.blocks,
                layout.encoder_senders,
                layout.encoder_receivers,
            ),
        )
        received = how.all_reduced(received)
        mesh = mesh + update_with(self.update_mesh, mesh, received, precision)
        return grid, precision.stored(mesh)


class Processor(eqx.Module):
    """Rounds of message passing on the multi-mesh; the updates' arrays lead with the round."""

    embed_edges: MLP
    update_edges: MLP
    update_nodes: MLP

    def __call__(
        self,
        mesh: Float[Array, "mesh_nodes latent"],
        embedding: Embedding,
        layout: Layout,
        how: Pass,
    ) -> Float[Array, "mesh_nodes latent"]:
        """Mesh node latents after all rounds."""

        def step(
            state: tuple[Array, Array], updates: tuple[MLP, MLP]
        ) -> tuple[tuple[Array, Array], None]:
            update_edges, update_nodes = updates
            nodes, edges = state
            state = interact(
                update_edges,
                update_nodes,
                nodes,
                edges,
                layout.mesh_senders,
                layout.mesh_receivers,
                how,
            )
            return state, None

        latents = terms_in_memory(embedding.mesh_edges, layout.mesh_edge_features, how)
        (mesh, _), _ = jax.lax.scan(
            how.block(step),
            (mesh, latents.of_block(latents.blocks)),
            (self.update_edges, self.update_nodes),
        )
        return mesh


class Decoder(eqx.Module):
    """Mesh → grid: every grid point hears the three corners of its triangle.

    `unused_update_mesh` is in the published checkpoints, though nothing reads its output.
    """

    embed_edges: MLP
    update_edges: MLP
    update_grid: MLP
    unused_update_mesh: MLP
    read_out: MLP

    def __call__(
        self,
        grid: Float[Array, "blocks rows latent"],
        mesh: Float[Array, "mesh_nodes latent"],
        embedding: Embedding,
        layout: Layout,
        how: Pass,
    ) -> Float[Array, "blocks rows output_width"]:
        """The network's output at each grid point, float32."""
        precision, width = how.precision, mesh.shape[-1]
        _, sender_weights, receiver_weights = self.update_edges.input_blocks([width] * 3)
        sender_terms = precision.stored(precision.product(mesh, sender_weights))
        edge_terms = _edge_terms(self, embedding.decoder_edges, layout.decoder_features, how)

        def block(rows: tuple[Any, ...]) -> Float[Array, "rows output_width"]:
            grid, edges, sender = rows
            receiver_terms = precision.product(grid, receiver_weights)
            hidden = (
                edge_terms.of_block(edges)
                + gather(sender_terms, sender)
                + receiver_terms[:, None, :]
            )
            received = self.update_edges.finish(hidden, precision).sum(axis=1)
            grid = precision.stored(grid + update_with(self.update_grid, grid, received, precision))
            return self.read_out(grid, precision)

        output: Array = jax.lax.map(
            how.block(block), (grid, edge_terms.blocks, layout.decoder_senders)
        )
        return output


class GraphCast(eqx.Module):
    """Encoder, processor, decoder. Call it on one sample; batches are a loop or a map outside."""

    encoder: Encoder
    processor: Processor
    decoder: Decoder

    def __call__(
        self,
        inputs: Inputs,
        assemble: Assemble,
        embedding: Embedding,
        layout: Layout,
        how: Pass,
    ) -> Float[Array, "blocks rows output_width"]:
        """Normalised tendencies (or fields) at each grid point from its inputs."""
        grid, mesh = self.encoder(inputs, assemble, embedding, layout, how)
        mesh = self.processor(mesh, embedding, layout, how)
        return self.decoder(grid, mesh, embedding, layout, how)


def embed_geometry(
    model: GraphCast, layout: Layout, how: Pass, *, keep_edges: bool = True
) -> Embedding:
    """Everything that the graphs and the weights fix, computed block by block.

    Without `keep_edges` encoder and decoder compute their edges' terms again in every step. That
    is some more work, and saves about 4.6 × grid × latent numbers of memory.
    """
    encoder, decoder, precision = model.encoder, model.decoder, how.precision

    def mesh_edge(features: Float[Array, "*rows 4"]) -> Float[Array, "*rows latent"]:
        return precision.stored(model.processor.embed_edges(features, precision))

    def terms(
        coder: Encoder | Decoder, features: EdgeFeatures
    ) -> Float[Array, "blocks *rows latent"] | None:
        if not keep_edges:
            return None
        term = partial(first_layer_term, coder.embed_edges, coder.update_edges, precision)
        rows: Array = jax.lax.map(how.block(term), features.rows)
        return rows

    # The published encoder pads mesh nodes with zeros to the width of a grid point's input.
    feature_weights = encoder.embed_mesh.weights[0][-STRUCTURAL_FEATURES:]
    hidden = precision.product(layout.mesh_features, feature_weights)
    hidden = hidden + encoder.embed_mesh.biases[0]
    return Embedding(
        encoder_edges=terms(encoder, layout.encoder_features),
        mesh_nodes=precision.stored(encoder.embed_mesh.finish(hidden, precision)),
        mesh_edges=jax.lax.map(how.block(mesh_edge), layout.mesh_edge_features.rows),
        decoder_edges=terms(decoder, layout.decoder_features),
    )


def _edge_terms(
    coder: Encoder | Decoder,
    rows: Float[Array, "blocks *rows latent"] | None,
    features: EdgeFeatures,
    how: Pass,
) -> EdgeTerms:
    """The terms that `embed_geometry` kept in `rows`, or their computation in each step."""
    if rows is not None:
        return terms_in_memory(rows, features, how)
    return ComputedTerms(features.rows, coder.embed_edges, coder.update_edges, how.precision)


def random_model(
    spec: ModelSpec, input_width: int, output_width: int, *, key: PRNGKeyArray
) -> GraphCast:
    """An untrained model of the published shape for a task's input and output widths."""
    latent = spec.latent_size
    hidden = [latent] * spec.hidden_layers
    keys = iter(jax.random.split(key, 15))

    def mlp(width: int) -> MLP:
        return random_mlp(width, hidden, latent, key=next(keys))

    def stacked(width: int) -> MLP:
        round_keys = jax.random.split(next(keys), spec.processor_steps)
        mlps: MLP = eqx.filter_vmap(lambda k: random_mlp(width, hidden, latent, key=k))(round_keys)
        return mlps

    return GraphCast(
        encoder=Encoder(
            embed_grid=mlp(input_width),
            embed_mesh=mlp(input_width),
            embed_edges=mlp(EDGE_FEATURES),
            update_edges=mlp(3 * latent),
            update_mesh=mlp(2 * latent),
            update_grid=mlp(latent),
        ),
        processor=Processor(
            embed_edges=mlp(EDGE_FEATURES),
            update_edges=stacked(3 * latent),
            update_nodes=stacked(2 * latent),
        ),
        decoder=Decoder(
            embed_edges=mlp(EDGE_FEATURES),
            update_edges=mlp(3 * latent),
            update_grid=mlp(2 * latent),
            unused_update_mesh=mlp(latent),
            read_out=random_mlp(latent, hidden, output_width, norm=False, key=next(keys)),
        ),
    )


def model_template(spec: ModelSpec, task: Task) -> GraphCast:
    """The model's tree with the shape of every parameter, and no numbers in it."""
    channels = Channels(task)
    template: GraphCast = eqx.filter_eval_shape(
        random_model, spec, channels.input_width, len(channels.targets), key=jax.random.key(0)
    )
    return template


def parameter_count(model: GraphCast) -> int:
    """How many numbers training changes; counts a `model_template`, too."""
    return sum(leaf.size for leaf in jax.tree.leaves(model))
