"""How the graphs of a grid and a mesh are made: nodes, edges and their features."""

import numpy as np
from jaxtyping import Int32

from mesh.connectivity import nearest_triangle, within_radius
from mesh.features import (
    Nodes,
    edge_features,
    grid_nodes,
    mesh_nodes,
    node_features,
    offsets_seen_by_receivers,
)
from mesh.graphs import EdgeSet, Graphs, MeshSpec
from mesh.grid import LatLonGrid
from mesh.icosphere import hierarchy, longest_edge, multimesh_edges
from mesh.sphere import unit_vectors


def construct(grid: LatLonGrid, spec: MeshSpec) -> Graphs:
    """The three graphs of a grid and a mesh.

    Raises:
        ValueError: a radius so small that no mesh node has a grid node.
    """
    levels = hierarchy(spec.splits)
    finest = levels[-1]
    on_grid, on_mesh = grid_nodes(grid), mesh_nodes(finest)

    radius = longest_edge(finest) * np.float32(spec.radius_fraction)
    to_mesh = within_radius(grid, finest, float(radius))
    if not len(to_mesh[0]):
        raise ValueError(
            "a mesh must have grid nodes within its radius, got none of "
            f"{grid.shape[0]}×{grid.shape[1]} within {radius:.3g} of {len(finest.vertices)} mesh "
            "nodes; raise radius_fraction or lower splits"
        )
    multimesh = multimesh_edges(levels)
    face = nearest_triangle(unit_vectors(*on_grid), levels)
    corners = np.asarray(finest.faces, np.int32)[face].reshape(-1)
    to_grid = corners, np.repeat(np.arange(grid.size, dtype=np.int32), 3)
    return Graphs(
        grid_features=node_features(on_grid),
        mesh_features=node_features(on_mesh),
        grid2mesh=_edge_set(on_grid, on_mesh, to_mesh),
        mesh=_edge_set(on_mesh, on_mesh, multimesh),
        mesh2grid=_edge_set(on_mesh, on_grid, to_grid, spec.mesh2grid_normalisation),
    )


def _edge_set(
    sending: Nodes,
    receiving: Nodes,
    ends: tuple[Int32[np.ndarray, " edges"], Int32[np.ndarray, " edges"]],
    normalisation: float | None = None,
) -> EdgeSet:
    offsets = offsets_seen_by_receivers(sending, receiving, *ends)
    return EdgeSet(*ends, edge_features(offsets, normalisation))
