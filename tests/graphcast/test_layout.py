"""Blocks hold every edge once, and padding reaches nobody."""

import numpy as np
import pytest

from graphcast.layout import arrange, blocking, in_blocks, in_groups
from mesh.graphs import EdgeSet
from mesh.icosphere import hierarchy, multimesh_edges


@pytest.mark.parametrize("devices", [1, 4])
@pytest.mark.parametrize(("count", "limit"), [(1, 1), (7, 3), (180, 70), (240, 240), (5, 100)])
def test_blocks_are_equal_and_within_the_limit(count, limit, devices):
    cut = blocking(count, limit, devices)
    blocks = in_blocks(np.arange(count), cut, fill=-1)
    assert cut.length <= limit
    assert cut.blocks % devices == 0
    assert blocks.shape == cut
    np.testing.assert_array_equal(blocks.ravel()[:count], np.arange(count))
    assert (blocks.ravel()[count:] == -1).all()


def test_every_edge_is_in_one_block(world):
    graphs, nodes = world.graphs, len(world.graphs.mesh_features)
    layout = arrange(graphs, grid_block=70, edge_block=50)
    rows = layout.grid_features.shape[1]
    senders = layout.encoder_senders + rows * np.arange(len(layout.encoder_senders))[:, None]
    real = layout.encoder_receivers < nodes
    found = sorted(zip(senders[real], layout.encoder_receivers[real], strict=True))
    expected = sorted(zip(graphs.grid2mesh.senders, graphs.grid2mesh.receivers, strict=True))
    assert found == expected
    real = layout.mesh_senders < nodes
    receivers = np.repeat(layout.mesh_receivers[..., None], 6, axis=-1)
    found = sorted(zip(layout.mesh_senders[real], receivers[real], strict=True))
    assert found == sorted(zip(graphs.mesh.senders, graphs.mesh.receivers, strict=True))
    np.testing.assert_array_equal(
        sorted(layout.mesh_edge_features[real].tolist()), sorted(graphs.mesh.features.tolist())
    )
    assert (np.diff(layout.mesh_receivers.ravel()) >= 0).all()


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
    corners = layout.decoder_senders.reshape(-1, 3)[: world.grid.size]
    np.testing.assert_array_equal(corners.ravel(), world.graphs.mesh2grid.senders)
