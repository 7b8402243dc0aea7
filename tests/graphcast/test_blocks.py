"""Blocks hold every edge once, and padding reaches nobody."""

import jax.numpy as jnp
import numpy as np
import pytest

from graphcast.blocks import arrange, blocking, in_blocks, in_groups, in_kinds, out_of_blocks
from mesh.graphs import EdgeSet, MeshSpec, build_graphs
from mesh.grid import LatLonGrid
from mesh.icosphere import hierarchy, multimesh_edges


@pytest.mark.parametrize("devices", [1, 4])
@pytest.mark.parametrize(("count", "limit"), [(1, 1), (7, 3), (180, 70), (240, 240), (5, 100)])
def test_blocks_are_equal_and_within_the_limit(count, limit, devices):
    cut = blocking(count, limit, devices)
    blocks = in_blocks(np.arange(count), cut, fill=-1)
    assert cut.length <= limit
    assert cut.blocks % devices == 0
    assert blocks.shape == cut
    np.testing.assert_array_equal(out_of_blocks(blocks, count), np.arange(count))
    assert (blocks == -1).sum() == blocks.size - count


def test_every_edge_is_in_one_block(world):
    graphs, nodes = world.graphs, len(world.graphs.mesh_features)
    layout = arrange(graphs, grid_block=70, edge_block=50)
    rows = np.arange(layout.rows.blocks)[:, None] * layout.rows.length
    senders = layout.encoder_senders + rows - layout.rows.before(world.grid.size)
    real = layout.encoder_receivers < nodes
    found = sorted(zip(senders[real], layout.encoder_receivers[real], strict=True))
    expected = sorted(zip(graphs.grid2mesh.senders, graphs.grid2mesh.receivers, strict=True))
    assert found == expected
    real = layout.mesh_senders < nodes
    receivers = np.repeat(layout.mesh_receivers[..., None], 6, axis=-1)
    found = sorted(zip(layout.mesh_senders[real], receivers[real], strict=True))
    assert found == sorted(zip(graphs.mesh.senders, graphs.mesh.receivers, strict=True))
    np.testing.assert_array_equal(
        sorted(layout.mesh_edge_features.rows[real].tolist()), sorted(graphs.mesh.features.tolist())
    )
    receivers = layout.mesh_receivers[layout.mesh_receivers < nodes]
    assert (np.diff(receivers) >= 0).all()


@pytest.mark.parametrize("name", ["encoder_features", "mesh_edge_features", "decoder_features"])
def test_edges_of_a_kind_are_the_same_to_a_product_in_bfloat16(world, name):
    each = getattr(arrange(world.graphs, grid_block=70, edge_block=50), name)
    shared = getattr(arrange(world.graphs, grid_block=70, edge_block=50, operands="bfloat16"), name)
    assert each.kinds is None
    looked_up = shared.rows.reshape(-1, 4)[shared.kinds]
    np.testing.assert_array_equal(looked_up.astype(jnp.bfloat16), each.rows.astype(jnp.bfloat16))
    # eighteen columns and the icosahedron turn into themselves by a third of a circle
    assert shared.rows.size < each.rows.size / 2
    assert shared.rows.shape[1] <= 50


def test_edges_keep_their_own_features_where_few_are_of_a_kind():
    features = np.random.default_rng(0).normal(size=(3, 20, 4)).astype(np.float32)
    assert in_kinds(features, "bfloat16", 50).kinds is None
    halves = np.concatenate([features, features])
    assert in_kinds(halves, "bfloat16", 50).rows.shape == (2, 30, 4)


@pytest.mark.parametrize("splits", [0, 2, 4])
def test_groups_of_six_are_full_but_for_twelve_nodes(splits):
    senders, receivers = multimesh_edges(hierarchy(splits))
    edges = EdgeSet(senders, receivers, np.zeros((len(senders), 4), np.float32))
    nodes = 10 * 4**splits + 2
    groups = in_groups(edges, nodes)
    padding = (groups.senders == nodes).sum(axis=1)
    # the twelve corners of the icosahedron have five neighbours a level, all others six
    assert (padding[groups.receivers >= 12] == 0).all()
    assert padding.sum() == 12 * (-5 * (splits + 1) % 6)
    assert (np.diff(groups.receivers) >= 0).all()
    np.testing.assert_array_equal(
        np.sort(groups.edges[groups.edges >= 0]), np.arange(len(edges.senders))
    )


def test_decoder_blocks_keep_each_points_three_corners(world):
    layout = arrange(world.graphs, grid_block=70, edge_block=50)
    corners = out_of_blocks(layout.decoder_senders, world.grid.size)
    np.testing.assert_array_equal(corners.ravel(), world.graphs.mesh2grid.senders)


def test_blocks_at_the_poles_are_half_empty_where_that_saves_edges():
    grid = LatLonGrid.regular(2.0)
    graphs = build_graphs(grid, MeshSpec(4))
    layout = arrange(graphs, grid_block=180)
    per_point = len(graphs.grid2mesh.senders) / grid.size
    tight = blocking(grid.size, 180)
    assert layout.rows == (tight.blocks + 1, 180)
    assert layout.encoder_senders.shape[1] < 1.4 * per_point * 180
    real = layout.encoder_receivers < len(graphs.mesh_features)
    assert real[0].sum() < real[1].sum()
