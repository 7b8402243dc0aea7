"""The three graphs arranged for the device: grid points and mesh edges in equal blocks.

Multi-mesh edges come in groups of six with one receiver: a node has six neighbours on each level
that it is part of (twelve nodes have five), so groups are full but for a few, and six messages are
summed along an axis.

A block is what is in flight at once, so the block size bounds the working memory (and, on a CPU,
keeps it in cache). Padding rows repeat nothing and reach nobody: padded edges point at a receiver
that does not exist, padded grid points are cut off afterwards.
"""

import itertools
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Shaped

from mesh.graphs import EdgeSet, Graphs

GRID_BLOCK = 2048
EDGE_BLOCK = 2052
MOST_KINDS = 0.75  # of edges: with more of them a look-up costs more than it saves
GROUP = 6  # multi-mesh edges with one receiver

AnyArray = Any  # numpy as built, JAX once inside a compiled function


class Blocking(NamedTuple):
    """How a number of rows is cut: `blocks` of `length` rows, padded half before and half after."""

    blocks: int
    length: int

    def before(self, count: int) -> int:
        """How many padding rows come before `count` real ones."""
        return (self.blocks * self.length - count) // 2


class EdgeFeatures(NamedTuple):
    """Length and receiver-frame direction of edges, each its own or those of its kind.

    Attributes:
        rows: four features, of each edge where it stands, or of each kind of edges, in blocks.
        kinds: of each edge the number of its row, counted over all blocks; None where each edge has
            its own.
    """

    rows: Float[AnyArray, "blocks *rows 4"]
    kinds: Int[AnyArray, "blocks *edges"] | None = None


class Layout(NamedTuple):
    """The three graphs in blocks; numpy as built, JAX once inside a compiled function.

    Attributes:
        grid_features: cos/sin features of each grid point.
        mesh_features: the same of each mesh node.
        encoder_senders: grid point of each grid→mesh edge, counted within its block.
        encoder_receivers: mesh node; the number of mesh nodes marks padding.
        encoder_features: what the grid→mesh edges look like.
        mesh_senders: mesh node at the start of each multi-mesh edge; the number of mesh nodes marks
            padding here and in `mesh_receivers`.
        mesh_receivers: mesh node that each group of edges leads to, ascending but for padding.
        mesh_edge_features: what the multi-mesh edges look like.
        decoder_senders: the three mesh nodes that each grid point hears.
        decoder_features: what these three edges look like.
    """

    grid_features: Float[AnyArray, "blocks rows 3"]
    mesh_features: Float[AnyArray, "mesh_nodes 3"]
    encoder_senders: Int[AnyArray, "blocks block_edges"]
    encoder_receivers: Int[AnyArray, "blocks block_edges"]
    encoder_features: EdgeFeatures
    mesh_senders: Int[AnyArray, "mesh_blocks groups 6"]
    mesh_receivers: Int[AnyArray, "mesh_blocks groups"]
    mesh_edge_features: EdgeFeatures
    decoder_senders: Int[AnyArray, "blocks rows 3"]
    decoder_features: EdgeFeatures

    @property
    def rows(self) -> Blocking:
        """How grid points are cut into blocks."""
        return Blocking(*self.grid_features.shape[:2])


def blocking(count: int, limit: int, devices: int = 1) -> Blocking:
    """Equal blocks of at most `limit` rows, the same number of them for each device."""
    blocks = devices * -(-count // (limit * devices))
    return Blocking(blocks, -(-count // blocks))


def arrange(
    graphs: Graphs,
    *,
    grid_block: int = GRID_BLOCK,
    edge_block: int = EDGE_BLOCK,
    devices: int = 1,
    operands: str = "float32",
) -> Layout:
    """`graphs` in blocks of at most `grid_block` grid points and `edge_block` mesh edges.

    With several `devices` the number of blocks is a multiple of theirs. Edges whose features are
    multiplied as the same `operands` are of one kind (see `in_kinds`).
    """

    def looks(features: Float[np.ndarray, "blocks *edges 4"]) -> EdgeFeatures:
        own = operands == "float32" or devices > 1  # each device counts the rows that it has
        return EdgeFeatures(features) if own else in_kinds(features, operands, edge_block)

    grid_points, mesh_nodes = len(graphs.grid_features), len(graphs.mesh_features)
    rows, (senders, receivers, features) = _grid_blocks(graphs, grid_block, devices)
    on_mesh = in_groups(graphs.mesh, mesh_nodes)
    groups = blocking(len(on_mesh.receivers), max(1, edge_block // GROUP), devices)
    return Layout(
        grid_features=in_blocks(graphs.grid_features, rows),
        mesh_features=graphs.mesh_features,
        encoder_senders=senders,
        encoder_receivers=receivers,
        encoder_features=looks(features),
        mesh_senders=in_blocks(on_mesh.senders, groups, fill=mesh_nodes),
        mesh_receivers=in_blocks(on_mesh.receivers, groups, fill=mesh_nodes),
        mesh_edge_features=looks(in_blocks(on_mesh.features, groups)),
        decoder_senders=in_blocks(graphs.mesh2grid.senders.reshape(grid_points, 3), rows),
        decoder_features=looks(
            in_blocks(graphs.mesh2grid.features.reshape(grid_points, 3, 4), rows)
        ),
    )


def in_kinds(
    features: Float[np.ndarray, "blocks *edges 4"], operands: str, block: int
) -> EdgeFeatures:
    """Features with each kind of edges once, or as they are where that would save little.

    Edges are of one kind if their features round to the same `operands` (of two bytes): every
    product of theirs, and all that follows from it, is then the same. An icosahedron turned by 120°
    is itself, and so is a grid whose columns are a multiple of three: at 0.25° and at 1° in
    bfloat16 there are three times fewer kinds than edges.
    """
    rounded = np.ascontiguousarray(features.reshape(-1, 4).astype(jnp.dtype(operands)))
    _, first, kinds = np.unique(
        rounded.view(np.uint64)[:, 0], return_index=True, return_inverse=True
    )
    if first.size > MOST_KINDS * len(rounded):
        return EdgeFeatures(features)
    order = np.argsort(first)  # as edges meet them, so that neighbours lie together
    number = np.empty(order.size, np.int32)
    number[order] = np.arange(order.size)
    cut = blocking(order.size, block)
    return EdgeFeatures(
        in_blocks(features.reshape(-1, 4)[first[order]], cut),
        (number[kinds] + np.int32(cut.before(order.size))).reshape(features.shape[:-1]),
    )


def in_blocks(
    x: Shaped[np.ndarray, "rows *rest"], cut: Blocking, fill: int = 0
) -> Shaped[np.ndarray, "blocks length *rest"]:
    """`x` cut into [blocks, length, …], padded with `fill`."""
    before = cut.before(len(x))
    after = cut.blocks * cut.length - len(x) - before
    padding = [(before, after)] + [(0, 0)] * (x.ndim - 1)
    return np.pad(x, padding, constant_values=fill).reshape(*cut, *x.shape[1:])


def out_of_blocks(
    x: Shaped[AnyArray, "blocks length *rest"], count: int
) -> Shaped[AnyArray, "rows *rest"]:
    """The `count` rows that `in_blocks` cut."""
    before = Blocking(*x.shape[:2]).before(count)
    return x.reshape(-1, *x.shape[2:])[before : before + count]


def _grid_blocks(
    graphs: Graphs, limit: int, devices: int
) -> tuple[Blocking, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """How grid points are cut, and their edges to the mesh in the same blocks.

    Grid points at the poles have twice as many edges as elsewhere, and every block is padded to the
    longest. Where it takes less padding, there are blocks to spare, so that the first and the last
    are half empty: at 0.25° that saves a third of the encoder's edges.
    """
    points, mesh_nodes = len(graphs.grid_features), len(graphs.mesh_features)
    tight = blocking(points, limit, devices)
    cuts = (tight, Blocking(tight.blocks + devices, limit)) if tight.blocks > devices else (tight,)
    made = [(cut, _encoder_blocks(graphs.grid2mesh, cut, points, mesh_nodes)) for cut in cuts]
    return min(made, key=lambda chosen: chosen[1][0].size + chosen[0].blocks * chosen[0].length)


def _encoder_blocks(
    edges: EdgeSet, rows: Blocking, points: int, mesh_nodes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grid→mesh edges with the block of their grid point, each block padded to the longest."""
    blocks, length = rows
    firsts = np.arange(blocks + 1) * length - rows.before(points)
    starts = np.searchsorted(edges.senders, firsts)
    longest = int(np.diff(starts).max())
    senders = np.zeros((blocks, longest), np.int32)
    receivers = np.full((blocks, longest), mesh_nodes, np.int32)
    features = np.zeros((blocks, longest, 4), np.float32)
    for block, (start, stop) in enumerate(itertools.pairwise(starts)):
        senders[block, : stop - start] = edges.senders[start:stop] - firsts[block]
        receivers[block, : stop - start] = edges.receivers[start:stop]
        features[block, : stop - start] = edges.features[start:stop]
    return senders, receivers, features


class Groups(NamedTuple):
    """Edges in groups of six that share a receiver; a sender that does not exist is padding.

    Attributes:
        senders: node at the start of each edge.
        receivers: node that each group leads to, ascending.
        features: four features of each edge, zero on padding.
        edges: number of each edge in the set that was grouped, -1 on padding.
    """

    senders: Int[np.ndarray, "groups 6"]
    receivers: Int[np.ndarray, " groups"]
    features: Float[np.ndarray, "groups 6 4"]
    edges: Int[np.ndarray, "groups 6"]


def in_groups(edges: EdgeSet, nodes: int) -> Groups:
    """The edges of each of `nodes` receivers, six by six."""
    order = np.lexsort((edges.senders, edges.receivers))
    degree = np.bincount(edges.receivers, minlength=nodes)
    groups = -(-degree // GROUP)
    # where in the padded list each edge of the sorted one stands
    start = GROUP * (np.cumsum(groups) - groups) - (np.cumsum(degree) - degree)
    place = np.arange(len(order)) + np.repeat(start, degree)
    which = np.full(GROUP * groups.sum(), -1)
    which[place] = order
    real = which >= 0
    senders = np.where(real, edges.senders[which], np.int32(nodes))
    features = np.where(real[:, None], edges.features[which], np.float32(0))
    return Groups(
        senders.reshape(-1, GROUP),
        np.repeat(np.arange(nodes, dtype=np.int32), groups),
        features.reshape(-1, GROUP, features.shape[-1]),
        which.reshape(-1, GROUP),
    )
