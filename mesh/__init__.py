"""The geometry: a latitude–longitude grid, an icosahedral multi-mesh and the edges between them.

Degrees outside, float32 unit vectors inside; NumPy, SciPy and trimesh only. In reading order:

- `sphere`: angles, unit vectors and each point's own east–north frame.
- `grid`: `LatLonGrid`, its checks and the area of its rows.
- `icosphere`: the meshes of every level as `trimesh.Trimesh`, and the multi-mesh's edges.
- `connectivity`: grid nodes within a radius of mesh nodes; the nearest triangle of a point.
- `features`: the numbers the network is given per node and per edge.
- `graphs`: `build_graphs(grid, spec)` puts it together and keeps it on disk.
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
