from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import trimesh

from mesh import hierarchy, longest_edge, multimesh_edges

LEVELS = hierarchy(6)


@pytest.mark.parametrize("n", range(7))
def test_counts(n: int) -> None:
    level = LEVELS[n]
    senders, receivers = multimesh_edges(LEVELS[: n + 1])
    assert level.vertices.shape == (10 * 4**n + 2, 3)
    assert level.faces.shape == (20 * 4**n, 3)
    assert len(senders) == len(receivers) == 20 * (4 ** (n + 1) - 1)


def test_counts_of_the_paper() -> None:
    assert len(LEVELS[6].vertices) == 40_962
    assert len(multimesh_edges(LEVELS[:6])[0]) == 81_900
    assert len(multimesh_edges(LEVELS)[0]) == 327_660


@pytest.mark.parametrize("n", range(7))
def test_every_level_is_a_closed_convex_sphere(n: int) -> None:
    level = LEVELS[n]
    assert len(level.vertices) - len(level.edges_unique) + len(level.faces) == 2
    assert level.is_watertight
    assert level.is_winding_consistent
    assert level.is_convex  # what makes "nearest triangle" a local question
    assert level.volume > 0  # faces turn outwards
    # 1e-6: float32 vertices
    np.testing.assert_allclose(np.linalg.norm(level.vertices, axis=1), 1, atol=1e-6)


def test_coarse_vertices_come_first_in_finer_levels() -> None:
    for coarse, fine in pairwise(LEVELS):
        np.testing.assert_array_equal(coarse.vertices, fine.vertices[: len(coarse.vertices)])


def test_children_of_face_f_are_faces_4f_to_4f_plus_3() -> None:
    for coarse, fine in pairwise(LEVELS):
        middle = fine.faces[3::4]
        for child, corner in enumerate((0, 1, 2)):
            np.testing.assert_array_equal(fine.faces[child::4, corner], coarse.faces[:, corner])
            np.testing.assert_array_equal(fine.faces[child::4, (corner + 1) % 3], middle[:, child])


def test_every_multimesh_edge_has_its_opposite_and_occurs_once() -> None:
    senders, receivers = multimesh_edges(LEVELS[:5])
    edges = set(zip(senders.tolist(), receivers.tolist(), strict=True))
    assert len(edges) == len(senders)
    assert edges == {(receiver, sender) for sender, receiver in edges}


def test_multimesh_edges_are_in_blocks_by_corner_coarse_levels_first() -> None:
    senders, receivers = multimesh_edges(LEVELS[:2])
    faces = np.concatenate([LEVELS[0].faces, LEVELS[1].faces])
    np.testing.assert_array_equal(senders.reshape(3, -1), faces.T)
    np.testing.assert_array_equal(receivers.reshape(3, -1), faces[:, [1, 2, 0]].T)


def test_two_faces_of_the_icosahedron_look_at_the_poles() -> None:
    normals = LEVELS[0].face_normals
    np.testing.assert_allclose(np.sort(normals[:, 2])[[0, -1]], [-1, 1], atol=1e-6)


def test_longest_edge_after_one_split_is_a_tenth_of_a_turn_chord() -> None:
    # the mesh → grid normalisation of the published networks; 1e-6: float32 vertices
    np.testing.assert_allclose(longest_edge(LEVELS[1]), 2 * np.sin(np.pi / 10), rtol=1e-6)
    np.testing.assert_allclose(longest_edge(LEVELS[6]), 0.02067309, rtol=1e-6)


def test_midpoints_are_rounded_as_one_vector_at_a_time() -> None:
    coarse, fine = LEVELS[3], LEVELS[4]
    vertices = coarse.vertices.astype(np.float32)
    for parent, middle in zip(coarse.faces[:200], fine.faces[3::4], strict=False):
        for end, vertex in enumerate(middle):
            midpoint = vertices[[parent[end], parent[(end + 1) % 3]]].mean(0)
            length = np.sqrt(np.float32(np.sum((midpoint * midpoint).astype(np.float64))))
            np.testing.assert_array_equal(midpoint / length, fine.vertices[vertex])


def test_a_level_can_be_exported_and_read_back(tmp_path: Path) -> None:
    LEVELS[2].export(tmp_path / "level2.ply")
    back = trimesh.load_mesh(tmp_path / "level2.ply", process=False)
    np.testing.assert_array_equal(back.faces, LEVELS[2].faces)
    np.testing.assert_array_equal(back.vertices, LEVELS[2].vertices)


def test_negative_splits_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 0 splits or more, got -1; GraphCast has 6"):
        hierarchy(-1)
