"""Edges between grid and mesh: mesh nodes within a radius, and the corners of the nearest triangle.

Both are exact for the float32 positions of the reference. Both exploit the structure of grid and
mesh instead of a general search: a mesh node reaches an interval of longitudes in each grid row,
and a grid point finds its triangle by descending the mesh hierarchy.
"""

from collections.abc import Sequence

import numpy as np
import trimesh
from jaxtyping import Float, Float32, Int

from mesh import sphere
from mesh.grid import LatLonGrid

BLOCK = 1 << 16  # points or mesh nodes per pass: bounds memory, fits the cache

# Ten times the float32 rounding of positions, by which a midpoint may lie off its coarser side.
ROUNDING = 1e-6


def within_radius(
    grid: LatLonGrid, mesh: trimesh.Trimesh, radius: float
) -> tuple[Int[np.ndarray, " edges"], Int[np.ndarray, " edges"]]:
    """All pairs of a grid node and a mesh node whose chord distance is at most `radius`.

    Positions are float32, the distance between them is float64 (as in a cKDTree of the vertices).

    Args:
        grid: any grid, in its own order.
        mesh: the finest mesh.
        radius: length of a chord of the unit sphere.

    Returns:
        Grid node and mesh node of each pair, int32, sorted by grid node, then by mesh node.
    """
    points = sphere.unit_vectors(*grid.nodes())
    vertices = np.asarray(mesh.vertices, np.float64)
    pairs_of_blocks = []
    for start in range(0, len(vertices), BLOCK // 8):
        block = vertices[start : start + BLOCK // 8]
        near, node = _candidates(grid, block, radius)
        offsets = points[near].astype(np.float64) - block[node]
        inside = np.einsum("ij,ij->i", offsets, offsets) <= radius * radius
        pairs_of_blocks.append(near[inside] * len(vertices) + (node[inside] + start))
    pairs = np.sort(np.concatenate(pairs_of_blocks))
    senders, receivers = np.divmod(pairs, len(vertices))
    return senders.astype(np.int32), receivers.astype(np.int32)


def _candidates(
    grid: LatLonGrid, vertices: Float[np.ndarray, "vertices 3"], radius: float
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """Pairs (grid node, vertex), each once, that include all those within the radius.

    On the row at latitude φ the chord to a vertex at (φᵥ, λᵥ) is at most r where
    cos(λ - λᵥ) ≥ (1 - r²/2 - sin φ sin φᵥ) / (cos φ cos φᵥ): an interval of columns.
    """
    columns = len(grid.longitude)
    reach = radius + 1e-5  # float32 positions are off by 1e-7; a longer reach costs little
    x, y, z = vertices.T
    latitude, longitude = np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)
    row_latitude = np.deg2rad(np.array(grid.latitude, np.float64))
    order = np.argsort(row_latitude)
    span = 2 * np.arcsin(min(reach / 2, 1.0))
    first = np.searchsorted(row_latitude[order], latitude - span)
    last = np.searchsorted(row_latitude[order], latitude + span)
    vertex, place = _ranges(first, last - first)
    row = order[place]

    φ, φv = row_latitude[row], latitude[vertex]
    threshold = 1 - reach**2 / 2 - np.sin(φ) * np.sin(φv)
    scale = np.maximum(np.cos(φ) * np.cos(φv), 1e-12)  # at a pole every longitude is as near
    half_width = np.arccos(np.clip(threshold / scale, -1, 1))
    step = 2 * np.pi / columns
    centre = (longitude[vertex] - np.deg2rad(grid.longitude[0])) / step
    # 0.25: longitudes may be off uniform by SAME_POINT (grid.py), 0.22 of a 0.01° step.
    west = np.ceil(centre - half_width / step - 0.25).astype(np.int64)
    east = np.floor(centre + half_width / step + 0.25).astype(np.int64)
    pair, column = _ranges(west, np.minimum(east - west + 1, columns))
    return row[pair] * columns + column % columns, vertex[pair]


def _ranges(
    starts: Int[np.ndarray, " ranges"], counts: Int[np.ndarray, " ranges"]
) -> tuple[Int[np.ndarray, " items"], Int[np.ndarray, " items"]]:
    """All integers of the ranges [start, start + count), each with the index of its range."""
    counts = np.maximum(counts, 0)
    which = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return which, np.arange(len(which)) - before[which] + starts[which]


def nearest_triangle(
    points: Float32[np.ndarray, "points 3"], levels: Sequence[trimesh.Trimesh]
) -> Int[np.ndarray, " points"]:
    """Face of the finest mesh that is nearest to each point on the sphere (float32 positions).

    The mesh is convex, so a triangle is the nearest if the point projects into it. That is nearly
    always the triangle that the point's radius pierces. All other points lie over a side, where two
    triangles are equally near, or so close to one that rounding decides (the symmetry planes
    consist of sides). They go to trimesh's query, because the published networks were trained with
    its choice.

    Args:
        points: unit vectors.
        levels: the mesh hierarchy, coarse first, as `icosphere.hierarchy` gives it.
    """
    finest = levels[-1]
    descent = [_splitting_planes(level) for level in levels[1:]]
    inward, offset, margin = _slabs(finest)
    faces = np.empty(len(points), np.int64)
    undecided = np.empty(len(points), bool)
    for start in range(0, len(points), BLOCK):
        block = points[start : start + BLOCK].astype(np.float64)
        face = _pierced_triangle(block, levels[0], descent)
        depth = np.einsum("psk,pk->ps", inward[face], block) - offset[face]
        faces[start : start + BLOCK] = face
        undecided[start : start + BLOCK] = depth.min(axis=1) < margin
    open_points = np.flatnonzero(undecided)
    for start in range(0, len(open_points), BLOCK):
        batch = open_points[start : start + BLOCK]
        faces[batch] = finest.nearest.on_surface(points[batch].astype(np.float64))[2]
    return faces


def _pierced_triangle(
    points: Float[np.ndarray, "points 3"],
    icosahedron: trimesh.Trimesh,
    descent: Sequence[Float[np.ndarray, "_ 3 3"]],
) -> Int[np.ndarray, " points"]:
    """The face of the finest level that the ray from the centre to each point pierces."""
    face: Int[np.ndarray, " points"] = np.argmax(
        points @ np.asarray(icosahedron.triangles_center).T, axis=1
    )
    for planes in descent:
        side = np.einsum("psk,pk->ps", planes[face], points)
        child = np.argmin(side, axis=1)
        beyond = side[np.arange(len(points)), child] < 0
        face = 4 * face + np.where(beyond, child, 3)
    return face


def _splitting_planes(level: trimesh.Trimesh) -> Float[np.ndarray, "parents 3 3"]:
    """For each parent face the planes through the centre that cut off its children 0, 1 and 2.

    The middle child (12, 23, 31) lies on the positive side of all three; its sides (31, 12),
    (12, 23), (23, 31) face the children 0, 1, 2.
    """
    middle = np.asarray(level.triangles)[3::4]
    return np.cross(np.roll(middle, 1, axis=1), middle)


def _slabs(
    mesh: trimesh.Trimesh,
) -> tuple[Float[np.ndarray, "faces 3 3"], Float[np.ndarray, "faces 3"], float]:
    """Vectors m and offsets c, so that m·p - c is a point's distance inside each side of a face.

    The third value is the margin above which that distance is beyond doubt, both for float32
    vertices and for trimesh.
    """
    corners = np.asarray(mesh.triangles)
    sides = np.roll(corners, -1, axis=1) - corners
    normals = np.cross(sides[:, 0], sides[:, 1])
    inward = np.cross(normals[:, None, :], sides)
    inward /= np.linalg.norm(inward, axis=-1, keepdims=True)
    # trimesh calls a point "on the side" when depth · |side| · |normal| < tol.zero.
    scale = np.linalg.norm(sides, axis=-1).min() * np.linalg.norm(normals, axis=-1).min()
    margin = ROUNDING + 2 * float(trimesh.constants.tol.zero / scale)
    return inward, np.einsum("fsk,fsk->fs", inward, corners), margin
