"""The icosahedron, split again and again: the meshes of every level and the multi-mesh's edges.

Vertex and face numbers, and vertex positions to the last bit of float32, are those of the graphs
that GraphCast's published networks were trained on.
"""

from collections.abc import Sequence

import numpy as np
import trimesh
from jaxtyping import Float, Int

# Corners of the 20 faces, counter-clockwise from outside. Any order makes an icosahedron, but the
# order decides how the vertices of finer levels are numbered. This is the order of the published
# graphs (their first twenty multi-mesh edges of each block).
ICOSAHEDRON_FACES = (
    *((0, 1, 2), (0, 6, 1), (8, 0, 2), (8, 4, 0), (3, 8, 2)),
    *((3, 2, 7), (7, 2, 1), (0, 4, 6), (4, 11, 6), (6, 11, 5)),
    *((1, 5, 7), (4, 10, 11), (4, 8, 10), (10, 8, 3), (10, 3, 9)),
    *((11, 10, 9), (11, 9, 5), (5, 9, 7), (9, 3, 7), (1, 6, 5)),
)


def hierarchy(splits: int) -> tuple[trimesh.Trimesh, ...]:
    """The meshes of level 0 (icosahedron) to `splits`, each face split in four per level.

    Level n has 10·4ⁿ + 2 vertices and 20·4ⁿ faces. The vertices of a level are the first ones of
    every finer level, and the children of face f are faces 4f to 4f + 3, the middle one last.
    Vertices are exact float32 numbers (held as float64, as trimesh does).

    Raises:
        ValueError: a negative number of splits.
    """
    if splits < 0:
        raise ValueError(f"a mesh hierarchy needs 0 splits or more, got {splits}; GraphCast has 6")
    vertices, faces = _icosahedron()
    levels = [_as_trimesh(vertices, faces)]
    for _ in range(splits):
        vertices, faces = _split(vertices, faces)
        levels.append(_as_trimesh(vertices, faces))
    return tuple(levels)


def multimesh_edges(
    levels: Sequence[trimesh.Trimesh],
) -> tuple[Int[np.ndarray, " edges"], Int[np.ndarray, " edges"]]:
    """Senders and receivers of the edges of all levels, both directions of each, int32.

    Faces of all levels are stacked, coarse first. The first third of the edges goes from corner 0
    to corner 1 of every face, the next from 1 to 2, the last from 2 to 0; the other direction of
    an edge comes from the neighbouring face.
    """
    faces = np.concatenate([np.asarray(level.faces, np.int32) for level in levels])
    return faces.T.reshape(-1), np.roll(faces, -1, axis=1).T.reshape(-1)


def longest_edge(mesh: trimesh.Trimesh) -> np.float32:
    """Chord of the longest edge of one mesh, measured in float32 as the reference does."""
    vertices = np.asarray(mesh.vertices, np.float32)
    senders, receivers = multimesh_edges([mesh])
    longest: np.float32 = np.linalg.norm(vertices[senders] - vertices[receivers], axis=-1).max()
    return longest


def _icosahedron() -> tuple[Float[np.ndarray, "12 3"], Int[np.ndarray, "20 3"]]:
    """Corners (±1, ±φ, 0) and cyclic shifts, turned about y until two faces look at the poles."""
    φ = (1 + np.sqrt(5)) / 2  # the golden ratio
    corners = np.array(
        [
            corner
            for c1 in (1.0, -1.0)
            for c2 in (φ, -φ)
            for corner in ((c1, c2, 0.0), (0.0, c1, c2), (c2, 0.0, c1))
        ],
        np.float32,
    )
    corners /= np.linalg.norm([1.0, φ])
    between_faces = 2 * np.arcsin(φ / np.sqrt(3))  # dihedral angle
    a = (np.pi - between_faces) / 2
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    return (corners @ turn).astype(np.float32), np.array(ICOSAHEDRON_FACES, np.int32)


def _split(
    vertices: Float[np.ndarray, "vertices 3"], faces: Int[np.ndarray, "faces 3"]
) -> tuple[Float[np.ndarray, "finer_vertices 3"], Int[np.ndarray, "finer_faces 3"]]:
    """Each face (1, 2, 3) into (1, 12, 31), (12, 2, 23), (31, 23, 3), (12, 23, 31).

    Midpoints are numbered in the order in which the faces first meet them.
    """
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    ends = np.sort(sides, axis=1).astype(np.int64)
    _, first, which = np.unique(
        ends[:, 0] * len(vertices) + ends[:, 1], return_index=True, return_inverse=True
    )
    by_appearance = np.argsort(first)
    rank = np.empty_like(by_appearance)
    rank[by_appearance] = np.arange(len(rank))
    midpoints = _on_sphere(vertices[ends[first[by_appearance]]].mean(axis=1))

    one, two, three = faces.T
    side12, side23, side31 = (len(vertices) + rank[which]).reshape(-1, 3).T
    children = [
        *(one, side12, side31),
        *(side12, two, side23),
        *(side31, side23, three),
        *(side12, side23, side31),
    ]
    finer_faces = np.stack(children, axis=1).reshape(-1, 3).astype(np.int32)
    return np.concatenate([vertices, midpoints]), finer_faces


def _on_sphere(vectors: Float[np.ndarray, "vertices 3"]) -> Float[np.ndarray, "vertices 3"]:
    """Float32 vectors scaled to length 1, rounded as BLAS `sdot` does for one vector at a time."""
    squares = (vectors * vectors).astype(np.float64)
    lengths = np.sqrt(squares.sum(axis=-1, keepdims=True).astype(np.float32))
    scaled: Float[np.ndarray, "vertices 3"] = vectors / lengths
    return scaled


def _as_trimesh(
    vertices: Float[np.ndarray, "vertices 3"], faces: Int[np.ndarray, "faces 3"]
) -> trimesh.Trimesh:
    # process=False: merging or reordering vertices would renumber the mesh nodes.
    return trimesh.Trimesh(vertices=vertices, faces=faces, process=False)
