"""The three graphs arranged for the device: grid points and mesh edges in equal blocks.

The network works on one block at a time, so the block size bounds the working memory and, on a CPU,
keeps it in cache. Blocks are padded to equal length. A padding edge has a receiver that does not
exist, so its message is dropped; padding grid points are cut off afterwards.

Multi-mesh edges come in groups of six with one receiver. A node has six neighbours on each level
that it is part of (twelve nodes have five), so nearly all groups are full, and six messages are
summed along an axis.
"""

import itertools
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Shaped

from mesh.graphs import EdgeSet, Graphs

GRID_BLOCK = 2048
EDGE_BLOCK = 2052
MOST_KINDS = 0.75  # kinds per edge; with more of them, looking terms up costs more than it saves
GROUP = 6  # multi-mesh edges that share a receiver

AnyArray = Any  # numpy as built, JAX inside a compiled function


class Blocking(NamedTuple):
    """How rows are cut: `blocks` of `length` rows, half of the padding before, half after."""

    blocks: int
    length: int

    def before(self, count: int) -> int:
        """The number of padding rows before `count` real ones."""
        return (self.blocks * self.length - count) // 2


class EdgeFeatures(NamedTuple):
    """Length and receiver-frame direction, stored for each edge or once for each kind of edge.

    Attributes:
        rows: four features of each edge, or of each kind of edge, in blocks.
        kinds: the row that each edge uses, counted over all blocks; None where `rows` has a row
            for each edge.
    """

    rows: Float[AnyArray, "blocks *rows 4"]
    kinds: Int[AnyArray, "blocks *edges"] | None = None


class Layout(NamedTuple):
    """The three graphs in blocks; numpy as built, JAX inside a compiled function.

    Attributes:
        grid_features: cos/sin features of each grid point.
        mesh_features: the same of each mesh node.
        encoder_senders: the grid point that each grid→mesh edge starts from, counted within its
            block.
        encoder_receivers: the mesh node it leads to; the number of mesh nodes marks padding.
        encoder_features: the features of grid→mesh edges.
        mesh_senders: the mesh node that each multi-mesh edge starts from; the number of mesh nodes
            marks padding here and in `mesh_receivers`.
        mesh_receivers: the mesh node that each group of edges leads to, ascending but for padding.
        mesh_edge_features: the features of multi-mesh edges.
        decoder_senders: the three mesh nodes that send to each grid point.
        decoder_features: the features of these three edges.
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
    """Equal blocks of at most `limit` rows, equally many for each device."""
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

    Args:
        graphs: the three graphs of a grid and a mesh.
        grid_block: the most grid points in one block.
        edge_block: the most multi-mesh edges in one block.
        devices: the number of blocks becomes a multiple of this.
        operands: dtype of the factors of products. On one device, edges share a row if their
            features round to the same `operands` of two bytes (see `in_kinds`).
    """
    # With several devices each would need the rows of all kinds.
    share = operands != "float32" and devices == 1

    def edge_features(features: Float[np.ndarray, "blocks *edges 4"]) -> EdgeFeatures:
        return in_kinds(features, operands, edge_block) if share else EdgeFeatures(features)

    grid_points, mesh_nodes = len(graphs.grid_features), len(graphs.mesh_features)
    rows, (senders, receivers, features) = _grid_blocks(graphs, grid_block, devices)
    on_mesh = in_groups(graphs.mesh, mesh_nodes)
    groups = blocking(len(on_mesh.receivers), max(1, edge_block // GROUP), devices)
    return Layout(
        grid_features=in_blocks(graphs.grid_features, rows),
        mesh_features=graphs.mesh_features,
        encoder_senders=senders,
        encoder_receivers=receivers,
        encoder_features=edge_features(features),
        mesh_senders=in_blocks(on_mesh.senders, groups, fill=mesh_nodes),
        mesh_receivers=in_blocks(on_mesh.receivers, groups, fill=mesh_nodes),
        mesh_edge_features=edge_features(in_blocks(on_mesh.features, groups)),
        decoder_senders=in_blocks(graphs.mesh2grid.senders.reshape(grid_points, 3), rows),
        decoder_features=edge_features(
            in_blocks(graphs.mesh2grid.features.reshape(grid_points, 3, 4), rows)
        ),
    )


def in_kinds(
    features: Float[np.ndarray, "blocks *edges 4"], operands: str, block: int
) -> EdgeFeatures:
    """Features with one row for each kind of edge, or one for each edge if that saves little.

    Edges are of one kind if their features round to the same `operands` (of two bytes). Products
    with these features, and all terms that follow from them, are then equal. An icosahedron turned
    by 120° is itself, and so is a grid whose columns are a multiple of three: at 0.25° and at 1° in
    bfloat16 there are three times fewer kinds than edges.
    """
    rounded = np.ascontiguousarray(features.reshape(-1, 4).astype(jnp.dtype(operands)))
    _, first, kinds = np.unique(
        rounded.view(np.uint64)[:, 0], return_index=True, return_inverse=True
    )
    if first.size > MOST_KINDS * len(rounded):
        return EdgeFeatures(features)
    order = np.argsort(first)  # by first use, so that neighbouring edges use neighbouring rows
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
    """The `count` rows that `in_blocks` cut, without padding."""
    before = Blocking(*x.shape[:2]).before(count)
    return x.reshape(-1, *x.shape[2:])[before : before + count]


def _grid_blocks(
    graphs: Graphs, limit: int, devices: int
) -> tuple[Blocking, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """How grid points are cut, and their edges to the mesh in the same blocks.

    Grid points at the poles have twice as many edges as elsewhere, and every block is padded to the
    longest. One more block for each device leaves the first and the last block half empty. It is
    taken where it needs less padding: at 0.25° it saves a third of the encoder's edges.
    """
    points, mesh_nodes = len(graphs.grid_features), len(graphs.mesh_features)
    tight = blocking(points, limit, devices)
    cuts = (tight, Blocking(tight.blocks + devices, limit)) if tight.blocks > devices else (tight,)
    candidates = [(cut, _encoder_blocks(graphs.grid2mesh, cut, points, mesh_nodes)) for cut in cuts]
    return min(candidates, key=lambda pair: pair[1][0].size + pair[0].blocks * pair[0].length)


def _encoder_blocks(
    edges: EdgeSet, rows: Blocking, points: int, mesh_nodes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Senders, receivers and features of grid→mesh edges, each in the block of its grid point."""
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
    """Edges in groups of six that share a receiver; the number of nodes as sender marks padding.

    Attributes:
        senders: the node that each edge starts from.
        receivers: the node that each group leads to, ascending.
        features: four features of each edge, zero on padding.
        edges: the number of each edge in the set that was grouped, -1 on padding.
    """

    senders: Int[np.ndarray, "groups 6"]
    receivers: Int[np.ndarray, " groups"]
    features: Float[np.ndarray, "groups 6 4"]
    edges: Int[np.ndarray, "groups 6"]


def in_groups(edges: EdgeSet, nodes: int) -> Groups:
    """The edges of each of `nodes` receivers in groups of six."""
    order = np.lexsort((edges.senders, edges.receivers))
    degree = np.bincount(edges.receivers, minlength=nodes)
    groups = -(-degree // GROUP)
    # position of each sorted edge in the padded list
    start = GROUP * (np.cumsum(groups) - groups) - (np.cumsum(degree) - degree)
    position = np.arange(len(order)) + np.repeat(start, degree)
    numbers = np.full(GROUP * groups.sum(), -1)
    numbers[position] = order
    real = numbers >= 0
    senders = np.where(real, edges.senders[numbers], np.int32(nodes))
    features = np.where(real[:, None], edges.features[numbers], np.float32(0))
    return Groups(
        senders.reshape(-1, GROUP),
        np.repeat(np.arange(nodes, dtype=np.int32), groups),
        features.reshape(-1, GROUP, features.shape[-1]),
        numbers.reshape(-1, GROUP),
    )
