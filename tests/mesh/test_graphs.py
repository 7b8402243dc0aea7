import re
from pathlib import Path

import numpy as np
import pytest
import trimesh
import xarray as xr

from mesh import (
    Graphs,
    LatLonGrid,
    MeshSpec,
    build_graphs,
    hierarchy,
    longest_edge,
    multimesh_edges,
)
from mesh.features import grid_nodes, mesh_nodes, offsets_seen_by_receivers
from mesh.graphs import EdgeSet
from mesh.sphere import unit_vectors
from tests.reference import ONE_DEGREE_GRAPH, PARITY

# Mesh nodes go through float32 degrees, and CPUs round arctan2 and arccos differently: a longitude
# may be one unit in its last place off, here in radians.
ROUNDING = np.deg2rad(np.spacing(np.float32(180.0)))
M2G_FACTOR = 0.6180338738074472  # of the published networks
SMALL = LatLonGrid.regular(10.0)

EDGE_SETS = ("grid2mesh", "mesh", "mesh2grid")


def assert_same(a: Graphs, b: Graphs) -> None:
    for one, other in zip(flat(a), flat(b), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def flat(graphs: Graphs) -> list[np.ndarray]:
    edges = [part for name in EDGE_SETS for part in getattr(graphs, name)]
    return [graphs.grid_features, graphs.mesh_features, *edges]


def trimesh_rounds_as_in(reference: np.ndarray, grid: LatLonGrid, splits: int) -> bool:
    """Whether trimesh's own query on this CPU picks the reference's triangles, ties included."""
    points = unit_vectors(*grid.nodes())
    mesh = hierarchy(splits)[-1]
    _, _, face = trimesh.proximity.closest_point(mesh, points)
    return np.array_equal(mesh.faces[face].reshape(-1), reference)


def described(case: Path) -> tuple[LatLonGrid, MeshSpec]:
    """The grid and the mesh of a parity case, as its files state them."""
    with xr.open_dataset(case / "inputs.nc", decode_timedelta=True) as inputs:
        grid = LatLonGrid.from_coordinates(inputs["lat"].values, inputs["lon"].values)
    with np.load(case / "params.npz") as stored:
        names = ("mesh_size", "radius_query_fraction_edge_length")
        splits, radius = (stored[f"model_config:{name}"].item() for name in names)
        factor = stored.get("model_config:mesh2grid_edge_normalization_factor")
    return grid, MeshSpec(splits, radius, None if factor is None else factor.item())


@pytest.mark.parametrize("case", PARITY.values(), ids=PARITY)
def test_small_graphs_are_the_reference_s(case: Path) -> None:
    grid, spec = described(case)
    with np.load(case / "graph.npz") as reference:
        graphs = build_graphs(grid, spec)
        finest = hierarchy(spec.splits)[-1]
        np.testing.assert_array_equal(
            finest.vertices.astype(np.float32), reference["mesh_vertices"].astype(np.float32)
        )
        np.testing.assert_array_equal(finest.faces, reference["mesh_faces"])
        untied = np.repeat(~reference["mesh2grid_tied"], 3)
        if trimesh_rounds_as_in(reference["mesh2grid_senders"], grid, spec.splits):
            untied[:] = True
        for name in EDGE_SETS:
            edges: EdgeSet = getattr(graphs, name)
            same = untied if name == "mesh2grid" else slice(None)
            np.testing.assert_array_equal(edges.senders[same], reference[f"{name}_senders"][same])
            np.testing.assert_array_equal(edges.receivers, reference[f"{name}_receivers"])
            np.testing.assert_allclose(
                edges.features[same],
                reference[f"{name}_edge_features"][same],
                atol=rounding_of_features(spec.splits),
            )
        np.testing.assert_allclose(graphs.grid_features, reference["grid_node_features"], atol=1e-6)
        np.testing.assert_allclose(graphs.mesh_features, reference["mesh_node_features"], atol=1e-6)


def rounding_of_features(splits: int) -> float:
    """How far features may be off: both ends of an edge and of the longest one, over its length."""
    shortest_scale = 0.6 * longest_edge(hierarchy(splits)[-1])
    return 4 * ROUNDING / shortest_scale


def test_graphs_of_one_degree_are_the_reference_s() -> None:
    with np.load(ONE_DEGREE_GRAPH) as reference:
        grid = LatLonGrid.from_coordinates(reference["lat"], reference["lon"])
        graphs = build_graphs(grid, MeshSpec(5, 0.6, M2G_FACTOR))
        np.testing.assert_array_equal(
            np.bincount(graphs.grid2mesh.senders), reference["grid2mesh_count"]
        )
        np.testing.assert_array_equal(graphs.grid2mesh.receivers, reference["grid2mesh_mesh_index"])
        expected = hierarchy(5)[-1].faces[reference["mesh2grid_face"]].reshape(-1)
        if trimesh_rounds_as_in(expected, grid, 5):
            np.testing.assert_array_equal(graphs.mesh2grid.senders, expected)
        untied = np.repeat(~reference["mesh2grid_tied"], 3)
        np.testing.assert_array_equal(graphs.mesh2grid.senders[untied], expected[untied])
        for name in EDGE_SETS:
            features = getattr(graphs, name).features
            # The roundings of an edge may all go one way: the scale is common to them.
            np.testing.assert_allclose(
                features.sum(axis=0, dtype=np.float64),
                reference[f"{name}_feature_sum"],
                rtol=0,
                atol=len(features) * rounding_of_features(5),
            )


def test_normalisations_of_one_degree_are_the_reference_s() -> None:
    grid, levels = grid_nodes(LatLonGrid.regular(1.0)), hierarchy(5)
    mesh = mesh_nodes(levels[-1])
    to_mesh = build_graphs(LatLonGrid.regular(1.0), MeshSpec(5)).grid2mesh
    with np.load(ONE_DEGREE_GRAPH) as reference:
        for name, offsets in {
            "mesh": offsets_seen_by_receivers(mesh, mesh, *multimesh_edges(levels)),
            "grid2mesh": offsets_seen_by_receivers(grid, mesh, *to_mesh[:2]),
        }.items():
            longest = np.linalg.norm(offsets, axis=1).max()
            np.testing.assert_allclose(
                longest, reference[f"{name}_norm_factor"], rtol=rounding_of_features(5)
            )


@pytest.mark.slow
def test_graphs_of_a_quarter_degree_have_the_paper_s_counts(tmp_path: Path) -> None:
    grid, spec = LatLonGrid.regular(0.25), MeshSpec(6, 0.5999912857713345, M2G_FACTOR)
    graphs = build_graphs(grid, spec, cache=tmp_path)
    assert graphs.grid_features.shape == (1_038_240, 3)
    assert graphs.mesh_features.shape == (40_962, 3)
    assert len(graphs.mesh.senders) == 327_660
    assert len(graphs.mesh2grid.senders) == 3_114_720
    # ±100: pairs at the radius to within float32 rounding
    assert abs(len(graphs.grid2mesh.senders) - 1_618_746) <= 100
    assert_same(graphs, build_graphs(grid, spec, cache=tmp_path))


@pytest.mark.parametrize("splits", [2, 3])
@pytest.mark.parametrize(
    "grid", [SMALL, LatLonGrid.gaussian(12), LatLonGrid.regular(9.0, poles=False)]
)
def test_every_node_is_connected(grid: LatLonGrid, splits: int) -> None:
    graphs = build_graphs(grid, MeshSpec(splits))
    nodes = 10 * 4**splits + 2
    assert set(graphs.grid2mesh.senders.tolist()) == set(range(grid.size))
    np.testing.assert_array_equal(graphs.mesh2grid.receivers, np.repeat(np.arange(grid.size), 3))
    assert set(graphs.mesh.receivers.tolist()) == set(range(nodes))
    assert (np.diff(graphs.grid2mesh.senders) >= 0).all()


def test_dtypes_are_those_of_the_accelerator() -> None:
    graphs = build_graphs(SMALL, MeshSpec(1))
    assert graphs.grid_features.dtype == graphs.mesh_features.dtype == np.float32
    for name in EDGE_SETS:
        senders, receivers, features = getattr(graphs, name)
        assert senders.dtype == receivers.dtype == np.int32
        assert features.dtype == np.float32
        assert features.shape == (len(senders), 4)


def test_edge_features_are_a_length_and_its_components() -> None:
    graphs = build_graphs(SMALL, MeshSpec(2))
    for name in EDGE_SETS:
        features = getattr(graphs, name).features
        assert features[:, 0].max() == 1
        # 1e-6: float32 rounding of lengths up to 1
        np.testing.assert_allclose(
            np.linalg.norm(features[:, 1:], axis=1), features[:, 0], atol=1e-6
        )


def test_mesh_to_grid_normalisation_divides() -> None:
    whole = build_graphs(SMALL, MeshSpec(2, mesh2grid_normalisation=1.0)).mesh2grid.features
    half = build_graphs(SMALL, MeshSpec(2, mesh2grid_normalisation=2.0)).mesh2grid.features
    np.testing.assert_array_equal(half * 2, whole)


def test_turning_the_grid_s_rows_over_permutes_the_graphs() -> None:
    up = build_graphs(SMALL, MeshSpec(2))
    down = build_graphs(
        LatLonGrid.from_coordinates(SMALL.latitude[::-1], SMALL.longitude), MeshSpec(2)
    )
    rows, columns = SMALL.shape
    node = np.arange(SMALL.size).reshape(rows, columns)[::-1].reshape(-1)
    np.testing.assert_array_equal(down.grid_features[node], up.grid_features)
    np.testing.assert_array_equal(
        down.mesh2grid.senders.reshape(-1, 3)[node], up.mesh2grid.senders.reshape(-1, 3)
    )
    edges = sorted(zip(node[down.grid2mesh.senders], down.grid2mesh.receivers, strict=True))
    np.testing.assert_array_equal(edges, np.stack(up.grid2mesh[:2], axis=1))


def test_a_cache_hit_equals_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = build_graphs(SMALL, MeshSpec(2), cache=tmp_path / "new" / "folder")
    monkeypatch.setattr("mesh.graphs._constructed", None)  # a second build would raise
    kept = build_graphs(SMALL, MeshSpec(2), cache=tmp_path / "new" / "folder")
    assert_same(built, kept)
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 1  # nothing left aside


def test_other_inputs_are_kept_apart(tmp_path: Path) -> None:
    specs = [MeshSpec(1), MeshSpec(2), MeshSpec(1, 0.7), MeshSpec(1, mesh2grid_normalisation=1.0)]
    grids = [SMALL, LatLonGrid.from_coordinates(SMALL.latitude[::-1], SMALL.longitude)]
    for grid in grids:
        for spec in specs:
            assert_same(build_graphs(grid, spec, cache=tmp_path), build_graphs(grid, spec))
    assert len(list(tmp_path.iterdir())) == len(specs) * len(grids)


def test_float32_coordinates_share_the_cache_of_float64_ones(tmp_path: Path) -> None:
    fine = LatLonGrid.regular(3.6)
    rounded = LatLonGrid.from_coordinates(
        np.array(fine.latitude, np.float32), np.array(fine.longitude, np.float32)
    )
    for grid in (fine, rounded):
        build_graphs(grid, MeshSpec(1), cache=tmp_path)
    assert fine != rounded
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", ["empty", "short", "one bit", "header", "other"])
def test_a_damaged_cache_is_rebuilt(tmp_path: Path, damage: str) -> None:
    built = build_graphs(SMALL, MeshSpec(1), cache=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    path.write_bytes(
        {
            "empty": b"",
            "short": whole[: len(whole) // 2],
            "one bit": bytes(flipped),
            "header": b"#" + whole[1:],
            "other": b"<html>not found</html>" * 100,
        }[damage]
    )
    assert_same(build_graphs(SMALL, MeshSpec(1), cache=tmp_path), built)
    assert path.read_bytes() == whole


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("mesh.graphs.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        build_graphs(SMALL, MeshSpec(1), cache=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"splits": -1}, "a mesh needs 0 to 10 splits, got -1; GraphCast has 6"),
        (
            {"splits": 1, "radius_fraction": 0.0},
            "radius_fraction must be positive, got 0.0; GraphCast has 0.6",
        ),
        ({"splits": 1, "radius_fraction": float("nan")}, "must be positive, got nan"),
        (
            {"splits": 1, "mesh2grid_normalisation": -1.0},
            "must be positive or None, got -1.0; None divides by the longest edge",
        ),
    ],
)
def test_bad_specs_are_refused(arguments: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        MeshSpec(**arguments)


def test_a_radius_that_reaches_nothing_is_refused() -> None:
    sentence = "must have grid nodes within its radius, got none of 4×6 within"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        build_graphs(LatLonGrid.regular(60.0), MeshSpec(1, 0.01))
