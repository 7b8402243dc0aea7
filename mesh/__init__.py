"""Geometry: a latitude–longitude grid, an icosahedral multi-mesh and the edges between them.

Degrees outside, float32 unit vectors inside; NumPy, SciPy and trimesh only. In reading order:

- `sphere`: angles, unit vectors and the local frame of each point.
- `grid`: `LatLonGrid`: named grids, checks, comparison, and the bounds and areas of its rows.
- `icosphere`: the meshes of every level as `trimesh.Trimesh`, and the multi-mesh's edges.
- `connectivity`: grid nodes within a radius of mesh nodes; the nearest triangle of a point.
- `features`: the numbers per node and per edge that the network reads.
- `graphs`: `build_graphs(grid, spec)` puts all together and caches it on disk.
"""

from mesh.connectivity import nearest_triangle, within_radius
from mesh.graphs import EdgeSet, Graphs, MeshSpec, build_graphs
from mesh.grid import LatLonGrid
from mesh.icosphere import hierarchy, longest_edge, multimesh_edges

__all__ = [
    "EdgeSet",
    "Graphs",
    "LatLonGrid",
    "MeshSpec",
    "build_graphs",
    "hierarchy",
    "longest_edge",
    "multimesh_edges",
    "nearest_triangle",
    "within_radius",
]
