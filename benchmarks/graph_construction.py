"""How long the graphs take to build and to read back, in one JSON line.

    python benchmarks/graph_construction.py [--resolution 0.25 --splits 6]

Memory is measured after building and reading and before the reference, trimesh's own nearest
query on a sample of the grid points, scaled to all of them.
"""

import argparse
import json
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
import trimesh

sys.path.insert(0, str(Path(__file__).parents[1]))

from mesh import LatLonGrid, MeshSpec, build_graphs, hierarchy
from mesh.sphere import unit_vectors

PUBLISHED_RADIUS = 0.5999912857713345  # of the 0.25-degree networks, in longest edges
PUBLISHED_LENGTH = 0.6180338738074472  # mesh → grid normalisation, 2 sin(π/10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=float, default=0.25, help="degrees")
    parser.add_argument("--splits", type=int, default=6, help="level of the finest mesh")
    parser.add_argument("--repeats", type=int, default=3, help="the median is reported")
    parser.add_argument("--sample", type=int, default=50_000, help="points asked of trimesh")
    arguments = parser.parse_args()
    grid = LatLonGrid.regular(arguments.resolution)
    spec = MeshSpec(arguments.splits, PUBLISHED_RADIUS, PUBLISHED_LENGTH)
    print(json.dumps(measure(grid, spec, arguments.repeats, arguments.sample)))


def measure(grid: LatLonGrid, spec: MeshSpec, repeats: int, sample: int) -> dict[str, object]:
    graphs = build_graphs(grid, spec)
    build = median_seconds(lambda: build_graphs(grid, spec), repeats)
    with tempfile.TemporaryDirectory() as folder:
        build_graphs(grid, spec, cache=Path(folder))
        read = median_seconds(lambda: build_graphs(grid, spec, cache=Path(folder)), repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "grid": list(grid.shape),
        "splits": spec.splits,
        "build_seconds": round(build, 3),
        "cached_read_seconds": round(read, 3),
        "peak_memory_gib": round(peak, 3),
        "grid2mesh_edges": len(graphs.grid2mesh.senders),
        "mesh_edges": len(graphs.mesh.senders),
        "mesh2grid_edges": len(graphs.mesh2grid.senders),
        **trimesh_query(grid, spec.splits, min(sample, grid.size)),
        "repeats": repeats,
        "cpu": cpu(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "trimesh": trimesh.__version__,
    }


def trimesh_query(grid: LatLonGrid, splits: int, sample: int) -> dict[str, object]:
    """Trimesh's nearest query, its index built beforehand, on points drawn evenly at random."""
    mesh = hierarchy(splits)[-1]
    chosen = np.random.default_rng(0).choice(grid.size, sample, replace=False)
    points = unit_vectors(*grid.nodes())[np.sort(chosen)]
    index = median_seconds(lambda: mesh.triangles_tree, 1)
    query = median_seconds(lambda: trimesh.proximity.closest_point(mesh, points), 1)
    return {
        "trimesh_sample_points": sample,
        "trimesh_index_seconds": round(index, 3),
        "trimesh_nearest_seconds_extrapolated_to_all_points": round(query * grid.size / sample, 2),
    }


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def cpu() -> str:
    """Model and core count, as far as the system says."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{models[0]} x {len(models)}" if models else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
