"""First-layer terms of edges: what an edge's own features add to its message.

An edge update's first layer is W_e e + W_s v_s + W_r v_r + b (see `interaction`). Of grid→mesh and
mesh→grid edges the latent e depends on weights and geometry alone, so the term W_e e + b is the
same in every step. `EdgeTerms` supplies it block by block, in one of three ways: kept, looked up by
the kind of edge, or computed from the edge's features.
"""

from abc import abstractmethod
from typing import final

import equinox as eqx
from jaxtyping import Array, Float, Int

from graphcast.blocks import EdgeFeatures
from graphcast.network.mlp import MLP
from graphcast.passes import Pass
from graphcast.precision import Precision


class EdgeTerms(eqx.Module):
    """A row of latent width for each edge: scan over `blocks`; `of_block` gives a block's rows.

    Attributes:
        blocks: what a loop over blocks runs over, [blocks, …].
    """

    blocks: eqx.AbstractVar[Array]

    @abstractmethod
    def of_block(self, block: Array) -> Float[Array, "*edges latent"]:
        """The terms of one block's edges, from one entry of `blocks`."""


@final
class KeptTerms(EdgeTerms):
    """Every edge's term, in memory from step to step.

    Attributes:
        blocks: the terms.
    """

    blocks: Float[Array, "blocks *edges latent"]

    def of_block(self, block: Array) -> Float[Array, "*edges latent"]:
        """The block itself."""
        return block


@final
class LookedUpTerms(EdgeTerms):
    """One term for each kind of edge, and the kind of every edge.

    Attributes:
        table: the terms.
        blocks: the row of `table` that each edge uses.
    """

    table: Float[Array, "kinds latent"]
    blocks: Int[Array, "blocks *edges"]

    def of_block(self, block: Array) -> Float[Array, "*edges latent"]:
        """The rows of the table for this block's edges."""
        return gather(self.table, block)


@final
class ComputedTerms(EdgeTerms):
    """Terms computed anew in each step, which saves the memory of keeping them.

    Attributes:
        blocks: four geometric features of each edge.
        embed: features → edge latent.
        update: the edge update that the terms belong to.
        precision: how the products round.
    """

    blocks: Float[Array, "blocks *edges 4"]
    embed: MLP
    update: MLP
    precision: Precision = eqx.field(static=True)

    def of_block(self, block: Array) -> Float[Array, "*edges latent"]:
        """The terms of edges with these features."""
        return first_layer_term(self.embed, self.update, self.precision, block)


def terms_in_memory(
    rows: Float[Array, "blocks *rows latent"], features: EdgeFeatures, how: Pass
) -> EdgeTerms:
    """Terms (or latents) of edges that are embedded already: of each edge, or of each kind.

    A pass with a gradient looks all of them up at once: inside the loop over blocks, each block
    would add up gradients of the whole table.
    """
    if features.kinds is None:
        return KeptTerms(rows)
    table = rows.reshape(-1, rows.shape[-1])
    if how.keeps == "nothing":
        return LookedUpTerms(table, features.kinds)
    return KeptTerms(gather(table, features.kinds))


def first_layer_term(
    embed: MLP, update: MLP, precision: Precision, features: Float[Array, "*edges 4"]
) -> Float[Array, "*edges latent"]:
    """An edge's own term in its update's first layer, bias included, from its features."""
    latent = precision.stored(embed(features, precision))
    edge_weights = update.weights[0][: latent.shape[-1]]
    return precision.stored(precision.product(latent, edge_weights) + update.biases[0])


def gather(
    nodes: Float[Array, "nodes latent"], index: Int[Array, "*edges"]
) -> Float[Array, "*edges latent"]:
    """The row at each index. A padding index yields some row; its message is dropped later."""
    return nodes.at[index].get(mode="clip")
