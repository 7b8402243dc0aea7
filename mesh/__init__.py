"""Geometry: a latitude–longitude grid, an icosahedral multi-mesh and the edges between them.

Degrees outside, float32 unit vectors inside; NumPy, SciPy and trimesh only. In reading order:

- `sphere`: angles, unit vectors and the local frame of each point.
- `grid`: `LatLonGrid`: named grids, checks, comparison, and the bounds and areas of its rows.
- `icosphere`: the meshes of every level as `trimesh.Trimesh`, and the multi-mesh's edges.
- `connectivity`: grid nodes within a radius of mesh nodes; the nearest triangle of a point.
- `features`: the numbers per node and per edge that the network reads.
- `graphs`: `Graphs` and their file; `build_graphs(grid, spec)` takes them from a cache or has them
  made by `construction`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
