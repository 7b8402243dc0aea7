import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from mesh import LatLonGrid, hierarchy, longest_edge, nearest_triangle, within_radius
from mesh.sphere import unit_vectors

LEVELS = hierarchy(5)

GRIDS = {
    "poles": LatLonGrid.regular(3.0),
    "no poles": LatLonGrid.regular(5.625, poles=False),
    "Gaussian": LatLonGrid.gaussian(24),
    "descending from -180": LatLonGrid.from_coordinates(
        np.linspace(90, -90, 46), np.arange(90) * 4.0 - 180
    ),
    "float32 from 20.1": LatLonGrid.from_coordinates(
        np.linspace(-90, 90, 61).astype(np.float32),
        (np.arange(120) * 3 + 20.1).astype(np.float32),
    ),
    "rounded in the file": LatLonGrid.from_coordinates(
        LatLonGrid.gaussian(16).latitude, np.round(np.arange(63) * (360 / 63), 3)
    ),
}


def positions(grid: LatLonGrid) -> np.ndarray:
    return unit_vectors(*grid.nodes())


def distances_to_triangles(point: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """From one point to every triangle, float64: the foot if it is inside, else the best side."""
    sides = np.roll(corners, -1, axis=1) - corners
    normals = np.cross(sides[:, 0], sides[:, 1])
    to_point = point - corners
    along = np.clip((to_point * sides).sum(-1) / (sides * sides).sum(-1), 0, 1)
    to_side = np.linalg.norm(to_point - along[..., None] * sides, axis=-1).min(-1)
    height = (to_point[:, 0] * normals).sum(-1) / np.linalg.norm(normals, axis=-1)
    inside = ((np.cross(normals[:, None], sides) * to_point).sum(-1) >= 0).all(-1)
    return np.where(inside, np.abs(height), to_side)


@pytest.mark.parametrize("splits", [0, 1, 2, 4])
@pytest.mark.parametrize("fraction", [0.3, 0.6, 1.7])
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_edges_within_radius_are_a_tree_query(
    grid: LatLonGrid, fraction: float, splits: int
) -> None:
    mesh = LEVELS[splits]
    radius = fraction * float(longest_edge(mesh))
    tree = cKDTree(mesh.vertices)
    neighbours = tree.query_ball_point(positions(grid).astype(np.float64), radius)
    counts = [len(nodes) for nodes in neighbours]
    senders, receivers = within_radius(grid, mesh, radius)
    np.testing.assert_array_equal(senders, np.repeat(np.arange(grid.size), counts))
    np.testing.assert_array_equal(receivers, np.concatenate([sorted(n) for n in neighbours]))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.floats(0.05, 2.5), st.floats(-180, 360), st.integers(0, 2))
def test_edges_within_radius_are_brute_force(
    rows: int, radius: float, start: float, splits: int
) -> None:
    step = 180 / rows
    grid = LatLonGrid.from_coordinates(
        np.linspace(-90, 90, rows + 1), start + step * np.arange(2 * rows)
    )
    vertices = LEVELS[splits].vertices
    offsets = positions(grid).astype(np.float64)[:, None] - vertices
    expected = np.argwhere((offsets**2).sum(-1) <= radius**2)
    edges = np.stack(within_radius(grid, LEVELS[splits], radius), axis=1)
    np.testing.assert_array_equal(edges, expected)


@pytest.mark.parametrize("splits", range(6))
def test_nearest_triangle_of_random_points_is_brute_force(splits: int) -> None:
    points = np.random.default_rng(splits).normal(size=(150, 3))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    faces = nearest_triangle(points, LEVELS[: splits + 1])
    for point, face in zip(points, faces, strict=True):
        distances = distances_to_triangles(point, np.asarray(LEVELS[splits].triangles))
        # 1e-9: over a side two triangles are equally near, to trimesh's tolerance
        assert distances[face] <= distances.min() + 1e-9


@pytest.mark.parametrize("splits", [0, 1, 3, 5])
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_nearest_triangle_of_every_grid_point_is_trimesh_s(grid: LatLonGrid, splits: int) -> None:
    points = positions(grid)
    _, _, expected = trimesh.proximity.closest_point(LEVELS[splits], points)
    np.testing.assert_array_equal(nearest_triangle(points, LEVELS[: splits + 1]), expected)


@pytest.mark.parametrize("splits", [0, 2, 4])
def test_nearest_triangle_over_corners_and_sides_is_trimesh_s(splits: int) -> None:
    mesh = LEVELS[splits]
    sides = mesh.vertices[mesh.edges_unique].mean(axis=1)
    sides /= np.linalg.norm(sides, axis=1, keepdims=True)
    points = np.concatenate([mesh.vertices, sides]).astype(np.float32)
    _, _, expected = trimesh.proximity.closest_point(mesh, points)
    np.testing.assert_array_equal(nearest_triangle(points, LEVELS[: splits + 1]), expected)


@pytest.mark.slow
def test_nearest_triangle_of_a_quarter_degree_octant_is_trimesh_s() -> None:
    """Every eighth row of the published grid on the published mesh, symmetry planes included."""
    levels = hierarchy(6)
    points = positions(LatLonGrid.regular(0.25)).reshape(721, 1440, 3)[::8].reshape(-1, 3)
    _, _, expected = trimesh.proximity.closest_point(levels[-1], points)
    np.testing.assert_array_equal(nearest_triangle(points, levels), expected)


def test_nearest_is_not_pierced() -> None:
    """On the icosahedron the ray picks another triangle than the distance at many points."""
    points = positions(GRIDS["poles"])
    centres = LEVELS[0].triangles_center
    pierced = np.argmax(points @ centres.T, axis=1)
    assert (pierced != nearest_triangle(points, LEVELS[:1])).any()
