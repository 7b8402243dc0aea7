"""The geometry that the network reads: 3 numbers per node and 4 per edge.

Positions are float32 and come from float32 degrees. Mesh nodes go through degrees, too: without
that, edge features differ by 1e-4 at 0.25°. Rotations and all later steps are float64, rounded to
float32 once at the end.
"""

from typing import NamedTuple

import numpy as np
import trimesh
from jaxtyping import Float32, Float64, Int

from mesh import sphere
from mesh.grid import LatLonGrid

BLOCK = 1 << 17  # edges per pass: bounds memory, fits the cache


class Nodes(NamedTuple):
    """Positions of a set of nodes, float32 degrees."""

    latitude: Float32[np.ndarray, " nodes"]
    longitude: Float32[np.ndarray, " nodes"]


def grid_nodes(grid: LatLonGrid) -> Nodes:
    """The nodes of a grid, in its order."""
    return Nodes(*grid.nodes())


def mesh_nodes(mesh: trimesh.Trimesh) -> Nodes:
    """The vertices of a mesh, in its order."""
    return Nodes(*sphere.degrees(np.asarray(mesh.vertices, np.float32)))


def node_features(nodes: Nodes) -> Float32[np.ndarray, "nodes 3"]:
    """[sin latitude, cos longitude, sin longitude]."""
    θ, λ = sphere.angles(*nodes)
    return np.stack([np.cos(θ), np.cos(λ), np.sin(λ)], axis=-1)


def edge_features(
    offsets: Float64[np.ndarray, "edges 3"], normalisation: float | None = None
) -> Float32[np.ndarray, "edges 4"]:
    """[|d|, dx, dy, dz] of each offset d over `normalisation`, by default the longest |d|."""
    lengths = np.linalg.norm(offsets, axis=-1)
    scale = lengths.max() if normalisation is None else normalisation
    features = np.empty((len(offsets), 4), np.float32)
    features[:, 0] = lengths / scale
    features[:, 1:] = offsets / scale
    return features


def offsets_seen_by_receivers(
    sending: Nodes,
    receiving: Nodes,
    senders: Int[np.ndarray, " edges"],
    receivers: Int[np.ndarray, " edges"],
) -> Float64[np.ndarray, "edges 3"]:
    """Sender minus receiver, (up, east, north) at the receiver, in units of the sphere's radius."""
    from_positions = sphere.unit_vectors(*sending).astype(np.float64)
    to_positions = sphere.unit_vectors(*receiving).astype(np.float64)
    frames = sphere.local_frames(*receiving)
    offsets = np.empty((len(senders), 3))
    for start in range(0, len(senders), BLOCK):
        edges = slice(start, start + BLOCK)
        sender, receiver = senders[edges], receivers[edges]
        receiver_frames = sphere.LocalFrames(*(part[receiver] for part in frames))
        offsets[edges] = sphere.in_local_frames(
            from_positions[sender] - to_positions[receiver], receiver_frames
        )
    return offsets
