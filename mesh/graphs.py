"""`build_graphs`: grid → mesh, multi-mesh and mesh → grid with their features, kept on disk."""

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mesh.grid import LatLonGrid

# Part of every cache key: raise it whenever the same inputs give other graphs or another file.
CACHE_VERSION = 2
STORE = f"graphs/{CACHE_VERSION}"  # the kind of store, as `data.stores.kind` reads it
HEADER = "graphcast"  # entry of a cache file's metadata


class EdgeSet(NamedTuple):
    """Directed edges: node numbers of both ends and [|d|, dx, dy, dz] at the receiver."""

    senders: Int32[np.ndarray, " edges"]
    receivers: Int32[np.ndarray, " edges"]
    features: Float32[np.ndarray, "edges 4"]


class Graphs(NamedTuple):
    """All the geometry that the network reads; float32 and int32.

    grid2mesh is ordered by grid node, then mesh node; mesh by corner, level and face
    (`icosphere.multimesh_edges`); mesh2grid edge 3g + j goes to grid node g.
    """

    grid_features: Float32[np.ndarray, "grid 3"]
    mesh_features: Float32[np.ndarray, "mesh_nodes 3"]
    grid2mesh: EdgeSet
    mesh: EdgeSet
    mesh2grid: EdgeSet


# Ten million nodes, 7 km apart. More splits come from a damaged file and would fill any memory.
MOST_SPLITS = 10


@dataclass(frozen=True)
class MeshSpec:
    """The mesh of a network and how it is joined to the grid.

    Attributes:
        splits: level of the finest mesh.
        radius_fraction: grid → mesh radius in units of the finest mesh's longest edge.
        mesh2grid_normalisation: length that mesh → grid offsets are divided by, or None for the
            longest of them. Published networks have 2 sin(π/10).

    Raises:
        ValueError: splits below 0 or above 10, a radius or a length that is not positive.
    """

    splits: int
    radius_fraction: float = 0.6
    mesh2grid_normalisation: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.splits <= MOST_SPLITS:
            raise ValueError(
                f"a mesh needs 0 to {MOST_SPLITS} splits, got {self.splits}; GraphCast has 6 at "
                "0.25 degrees"
            )
        if not 0 < self.radius_fraction < math.inf:
            raise ValueError(
                f"a mesh's radius_fraction must be positive, got {self.radius_fraction}; "
                "GraphCast has 0.6"
            )
        length = self.mesh2grid_normalisation
        if length is not None and not 0 < length < math.inf:
            raise ValueError(
                f"a mesh's mesh2grid_normalisation must be positive or None, got {length}; None "
                "divides by the longest edge"
            )


def build_graphs(grid: LatLonGrid, spec: MeshSpec, *, cache: Path | None = None) -> Graphs:
    """The three graphs of a grid and a mesh, built or read from a cache.

    Args:
        grid: the grid of the weather.
        spec: the mesh, and how it is joined to the grid.
        cache: folder of graphs built earlier, made if it is missing; one whose checksum fails is
            built again. None builds the graphs each time.

    Raises:
        ValueError: a radius so small that no mesh node has a grid node.
        OSError: the cache folder cannot be read or written.
    """
    if cache is None:
        return _constructed(grid, spec)
    path = cache / f"{_key(grid, spec)}.safetensors"
    kept = _read(path)
    if kept is not None:
        return kept
    graphs = _constructed(grid, spec)
    _write(path, graphs)
    return graphs


def _constructed(grid: LatLonGrid, spec: MeshSpec) -> Graphs:
    from mesh.construction import construct  # noqa: PLC0415  cached graphs do without trimesh

    return construct(grid, spec)


def _key(grid: LatLonGrid, spec: MeshSpec) -> str:
    """Cache key of the graphs: digest of float32 coordinates, spec and file version."""
    made_from = {"version": CACHE_VERSION, "shape": grid.shape, **asdict(spec)}
    name = hashlib.sha256(json.dumps(made_from).encode())
    name.update(np.array(grid.latitude + grid.longitude, "<f4").tobytes())
    return name.hexdigest()[:32]


_EDGE_SETS = ("grid2mesh", "mesh", "mesh2grid")


def _write(path: Path, graphs: Graphs) -> None:
    """Write a cache file whole or not at all: under a temporary name, which is then changed.

    The temporary name is the same in every process, so a file that a killed process left is
    overwritten. Concurrent processes write the same bytes, and a damaged file would be rebuilt.
    """
    tensors = _tensors(graphs)
    # One entry: safetensors writes several in random order, and equal files should be equal.
    metadata = {HEADER: json.dumps({"graphcast_store": STORE, "sha256": _checksum(tensors)})}
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    try:
        with aside.open("wb") as file:
            file.write(save(tensors, metadata=metadata))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):  # another process has just renamed it
            aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _read(path: Path) -> Graphs | None:
    """The graphs in a cache file; None when there is no file, or a damaged one."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            recorded = json.loads((file.metadata() or {}).get(HEADER, "{}")).get("sha256")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError):
        return None
    if _checksum(tensors) != recorded:
        return None
    edges = {
        name: EdgeSet(*(tensors[f"{name}.{field}"] for field in EdgeSet._fields))
        for name in _EDGE_SETS
    }
    return Graphs(tensors["grid_features"], tensors["mesh_features"], **edges)


def _tensors(graphs: Graphs) -> dict[str, np.ndarray]:
    """Arrays by name, as `grid2mesh.senders`."""
    edges = {
        f"{name}.{field}": array
        for name in _EDGE_SETS
        for field, array in getattr(graphs, name)._asdict().items()
    }
    nodes = {"grid_features": graphs.grid_features, "mesh_features": graphs.mesh_features}
    return {name: np.ascontiguousarray(array) for name, array in {**nodes, **edges}.items()}


def _checksum(tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 (hex) of names, types, shapes and bytes, in name order."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()
