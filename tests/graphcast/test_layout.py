"""Blocks hold every edge once, and padding reaches nobody."""

import numpy as np
import pytest

from graphcast.layout import arrange, blocking, in_blocks


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
    real = layout.mesh_receivers < nodes
    found = sorted(zip(layout.mesh_senders[real], layout.mesh_receivers[real], strict=True))
    assert found == sorted(zip(graphs.mesh.senders, graphs.mesh.receivers, strict=True))
    assert (np.diff(layout.mesh_receivers.ravel()) >= 0).all()


def test_decoder_blocks_keep_each_points_three_corners(world):
    layout = arrange(world.graphs, grid_block=70, edge_block=50)
    corners = layout.decoder_senders.reshape(-1, 3)[: world.grid.size]
    np.testing.assert_array_equal(corners.ravel(), world.graphs.mesh2grid.senders)
