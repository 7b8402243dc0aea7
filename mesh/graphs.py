"""`build_graphs`: grid → mesh, multi-mesh and mesh → grid with their features, kept on disk."""

import hashlib
import io
import json
import math
import os
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from mesh.connectivity import nearest_triangle, within_radius
from mesh.features import (
    Nodes,
    edge_features,
    grid_nodes,
    mesh_nodes,
    node_features,
    offsets_seen_by_receivers,
)
from mesh.grid import LatLonGrid
from mesh.icosphere import hierarchy, longest_edge, multimesh_edges
from mesh.sphere import unit_vectors

# Part of every cache key: raise it whenever the same inputs give other graphs or another file.
CACHE_VERSION = 1
CHECKSUM_SIZE = 32  # bytes
NPY_HEADER_LIMIT = 1024  # bytes; such plain arrays have 128


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


MOST_SPLITS = (
    10  # ten million nodes, 7 km apart; more comes from damaged files and fills any memory
)


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
    """The three graphs of a grid and a mesh; read from the folder `cache` when they are there.

    A file there whose checksum fails is built and written again.

    Raises:
        ValueError: a radius so small that no mesh node has a grid node.
        OSError: the cache folder cannot be read or written.
    """
    if cache is None:
        return _build(grid, spec)
    path = cache / f"{_key(grid, spec)}.graphs"
    kept = _read(path)
    if kept is not None:
        return kept
    graphs = _build(grid, spec)
    _write(path, graphs)
    return graphs


def _build(grid: LatLonGrid, spec: MeshSpec) -> Graphs:
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


def _key(grid: LatLonGrid, spec: MeshSpec) -> str:
    """Name of what the graphs are made from: coordinates as used (float32), spec, file version."""
    made_from = {"version": CACHE_VERSION, "shape": grid.shape, **asdict(spec)}
    name = hashlib.sha256(json.dumps(made_from).encode())
    name.update(np.array(grid.latitude + grid.longitude, "<f4").tobytes())
    return name.hexdigest()[:32]


# A cache file is eleven .npy arrays, one after the other as `_parts` says, and then a checksum.


def _write(path: Path, graphs: Graphs) -> None:
    """The file, whole or not at all: written aside, then renamed."""
    content = io.BytesIO()
    for part in _parts(graphs):
        np.save(content, part, allow_pickle=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with aside.open("xb") as file:
            file.write(content.getbuffer())
            file.write(_checksum(content.getbuffer()))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _read(path: Path) -> Graphs | None:
    """The graphs in a cache file; None when there is no file, or a damaged one."""
    if not path.exists():
        return None
    content = np.fromfile(path, np.uint8)
    arrays, checksum = content[:-CHECKSUM_SIZE], content[-CHECKSUM_SIZE:]
    if checksum.tobytes() != _checksum(arrays.data):
        return None
    parts = []
    while arrays.size:
        part, arrays = _first_array(arrays)
        parts.append(part)
    grid_features, mesh_features, *edges = parts
    grid2mesh, mesh, mesh2grid = (EdgeSet(*edges[start : start + 3]) for start in (0, 3, 6))
    return Graphs(grid_features, mesh_features, grid2mesh, mesh, mesh2grid)


def _first_array(content: UInt8[np.ndarray, " bytes"]) -> tuple[np.ndarray, np.ndarray]:
    """The .npy array that the bytes begin with, as a view (np.load would copy), and the rest."""
    stream = io.BytesIO(content[:NPY_HEADER_LIMIT].tobytes())
    np.lib.format.read_magic(stream)
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    end = stream.tell() + math.prod(shape) * dtype.itemsize
    return content[stream.tell() : end].view(dtype).reshape(shape), content[end:]


def _parts(graphs: Graphs) -> tuple[np.ndarray, ...]:
    nodes = graphs.grid_features, graphs.mesh_features
    return *nodes, *graphs.grid2mesh, *graphs.mesh, *graphs.mesh2grid


def _checksum(content: memoryview) -> bytes:
    return hashlib.sha256(content).digest()
