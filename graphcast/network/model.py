"""The network: grid → multi-mesh encoder, processor, multi-mesh → grid decoder.

GraphCast §3 (arXiv 2212.12794), parameter for parameter. A model is a value: arrays only. The
graphs come as an argument (`Layout`), and so does what each grid point reads: `columns` is any
tree of arrays in blocks of grid points that `assemble` makes into network input, block by block,
so that the full input [grid, channels] never has to exist.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from data.channels import STRUCTURAL_FEATURES
from graphcast.blocks import EdgeFeatures, Layout
from graphcast.network.interaction import gather, interact, no_messages, scatter_add, update_with
from graphcast.network.mlp import MLP, random_mlp
from graphcast.precision import Precision
from mesh.graphs import MeshSpec

EDGE_FEATURES = 4  # length and three components in the receiver's frame

Columns = Any  # a pytree of [blocks, rows, …] arrays
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
    """What depends on weights and geometry alone: made once per run, or once per update.

    Of edges there is a row for each row of their `EdgeFeatures`.

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
        columns: Columns,
        assemble: Assemble,
        embedding: Embedding,
        layout: Layout,
        precision: Precision,
    ) -> tuple[Float[Array, "blocks rows latent"], Float[Array, "mesh_nodes latent"]]:
        """Latents of the grid points and of the mesh nodes that have heard them."""
        mesh = embedding.mesh_nodes
        width = mesh.shape[-1]
        _, of_sender, of_receiver = self.update_edges.input_blocks([width] * 3)
        heard = precision.keep(precision.product(mesh, of_receiver))
        edges, term_of = edge_terms(
            embedding.encoder_edges,
            layout.encoder_features,
            precision,
            partial(first_layer_term, self.embed_edges, self.update_edges, precision),
        )

        def block(
            received: Float[Array, "mesh_nodes latent"], rows: tuple[Any, ...]
        ) -> tuple[Float[Array, "mesh_nodes latent"], Float[Array, "rows latent"]]:
            columns, features, edges, sender, receiver = rows
            grid = precision.keep(self.embed_grid(assemble(columns, features), precision))
            sent = precision.keep(precision.product(grid, of_sender))
            hidden = term_of(edges) + gather(sent, sender) + gather(heard, receiver)
            message = self.update_edges.finish(hidden, precision)
            grid = precision.keep(grid + self.update_grid(grid, precision))
            return scatter_add(received, receiver, message), grid

        received, grid = jax.lax.scan(
            precision.block(block),
            no_messages(mesh, precision),
            (
                columns,
                layout.grid_features,
                edges,
                layout.encoder_senders,
                layout.encoder_receivers,
            ),
        )
        received = precision.completed(received)
        return grid, precision.keep(mesh + update_with(self.update_mesh, mesh, received, precision))


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
        precision: Precision,
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
                precision,
            )
            return state, None

        edges, term_of = edge_terms(embedding.mesh_edges, layout.mesh_edge_features, precision)
        (mesh, _), _ = jax.lax.scan(
            precision.block(step),
            (mesh, term_of(edges)),
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
        precision: Precision,
    ) -> Float[Array, "blocks rows output_width"]:
        """The network's output at each grid point, float32."""
        width = mesh.shape[-1]
        _, of_sender, of_receiver = self.update_edges.input_blocks([width] * 3)
        sent = precision.keep(precision.product(mesh, of_sender))
        edges, term_of = edge_terms(
            embedding.decoder_edges,
            layout.decoder_features,
            precision,
            partial(first_layer_term, self.embed_edges, self.update_edges, precision),
        )

        def block(rows: tuple[Any, ...]) -> Float[Array, "rows output_width"]:
            grid, edges, sender = rows
            heard = precision.product(grid, of_receiver)
            hidden = term_of(edges) + gather(sent, sender) + heard[:, None, :]
            received = self.update_edges.finish(hidden, precision).sum(axis=1)
            grid = precision.keep(grid + update_with(self.update_grid, grid, received, precision))
            return self.read_out(grid, precision)

        output: Array = jax.lax.map(
            precision.block(block),
            (grid, edges, layout.decoder_senders),
        )
        return output


class GraphCast(eqx.Module):
    """Encoder, processor, decoder. Call it on one sample; batches are a loop or a map outside."""

    encoder: Encoder
    processor: Processor
    decoder: Decoder

    def __call__(
        self,
        columns: Columns,
        assemble: Assemble,
        embedding: Embedding,
        layout: Layout,
        precision: Precision,
    ) -> Float[Array, "blocks rows output_width"]:
        """Normalised tendencies (or fields) at each grid point from what it reads."""
        grid, mesh = self.encoder(columns, assemble, embedding, layout, precision)
        mesh = self.processor(mesh, embedding, layout, precision)
        return self.decoder(grid, mesh, embedding, layout, precision)


def embed_geometry(
    model: GraphCast, layout: Layout, precision: Precision, *, keep_edges: bool = True
) -> Embedding:
    """Everything that the graphs and the weights fix, computed block by block.

    Without `keep_edges` encoder and decoder compute their edges' terms again in every step: some
    more work for about 4.6 × grid × latent numbers less memory.
    """
    encoder, decoder = model.encoder, model.decoder

    def mesh_edge(features: Float[Array, "*rows 4"]) -> Float[Array, "*rows latent"]:
        return precision.keep(model.processor.embed_edges(features, precision))

    def terms(
        of: Encoder | Decoder, features: EdgeFeatures
    ) -> Float[Array, "blocks *rows latent"] | None:
        if not keep_edges:
            return None
        term = partial(first_layer_term, of.embed_edges, of.update_edges, precision)
        made: Array = jax.lax.map(precision.block(term), features.rows)
        return made

    # The published encoder pads mesh nodes with zeros to the width of a grid point's input.
    of_features = encoder.embed_mesh.weights[0][-STRUCTURAL_FEATURES:]
    hidden = precision.product(layout.mesh_features, of_features) + encoder.embed_mesh.biases[0]
    return Embedding(
        encoder_edges=terms(encoder, layout.encoder_features),
        mesh_nodes=precision.keep(encoder.embed_mesh.finish(hidden, precision)),
        mesh_edges=jax.lax.map(precision.block(mesh_edge), layout.mesh_edge_features.rows),
        decoder_edges=terms(decoder, layout.decoder_features),
    )


def edge_terms(
    kept: Float[Array, "blocks *rows latent"] | None,
    features: EdgeFeatures,
    precision: Precision,
    compute: Callable[[Array], Array] | None = None,
) -> tuple[Any, Callable[[Array], Array]]:
    """What a loop over blocks takes of edges, [blocks, …], and what makes their terms of a block.

    Terms are looked up by kind, or are there, or are computed from the features. For a gradient
    all are looked up at once: else its sums over all kinds would be added up in each block.
    """
    if kept is None:
        assert compute is not None
        return features.rows, compute
    if features.kinds is None:
        return kept, lambda own: own
    look_up = partial(gather, kept.reshape(-1, kept.shape[-1]))
    if precision.gradient_keeps == "nothing":
        return features.kinds, look_up
    return look_up(features.kinds), lambda own: own


def first_layer_term(
    embed: MLP, update: MLP, precision: Precision, features: Float[Array, "*edges 4"]
) -> Float[Array, "*edges latent"]:
    """What an edge's own features add to its update's first layer, bias included."""
    latent = precision.keep(embed(features, precision))
    of_edge = update.weights[0][: latent.shape[-1]]
    return precision.keep(precision.product(latent, of_edge) + update.biases[0])


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
        keys_of_steps = jax.random.split(next(keys), spec.processor_steps)
        mlps: MLP = eqx.filter_vmap(lambda k: random_mlp(width, hidden, latent, key=k))(
            keys_of_steps
        )
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


def parameter_count(model: GraphCast) -> int:
    """How many numbers training changes."""
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_array)))
