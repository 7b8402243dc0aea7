"""The memory that a forecast step or a training update needs, before anything is compiled.

Every large array has a shape that follows from grid, mesh, task and layout, so the need is a sum
over the arrays that live at once. How many of them do was fitted to XLA's own plans for grids of
1° to 6°; the names below say which arrays of the step the counts stand for. Tests compare the sums
with XLA's plans for a compiled step and a compiled update.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from data.channels import Channels
from graphcast.blocks import EdgeFeatures, Layout
from graphcast.network.model import ModelSpec, model_template, parameter_count
from graphcast.precision import Precision

WORD = 4  # bytes of a float32 or an int32
RUNTIME = 450 * 2**20  # bytes of the process itself: Python, JAX, compiler; measured on Linux

# Float32 arrays that live at once in a step, each as large as the latents of …
EDGE_BLOCK = {  # one block of multi-mesh edges
    "first-layer sum": 1,
    "activation": 1,
    "message": 1,
    "normalised message": 1,
    "sums of groups and what was gathered": 0.4,
}
ONLY_EDGE_BLOCK = {  # the same where one block has all edges: others are those of the loop around
    "first-layer sum": 1,
    "message": 1,
}
DECODER_BLOCK = {  # the edges of one block of grid points, in the decoder
    "first-layer sum": 1,
    "activation": 1,
    "message": 1,
}
DECODER_BLOCK_COMPUTING_TERMS = {  # the same where edge terms are computed in each step
    **DECODER_BLOCK,
    "embedding's first layer": 1,
    "edge latent": 1,
    "edge term": 1,
}
ONLY_DECODER_BLOCK_COMPUTING_TERMS = {  # the same where one block has all grid points
    **DECODER_BLOCK_COMPUTING_TERMS,
    "activations and norms that are not yet freed": 2.5,
}
MESH_NODES = {  # all mesh nodes
    "sender terms": 1,
    "receiver terms": 1,
    "received messages": 1,
}

# And in an update, besides what the backward pass stores, each as large as …
UPDATE_MESH_EDGES = 5  # latents of all multi-mesh edges: a round's, and gradients of them
UPDATE_GRID = 3  # latents of all grid points
UPDATE_WEIGHTS = 2  # the parameters: gradients of a step and of a round
UPDATE_FRAMES = 6  # a frame
UPDATE_FRAMES_OF_SEVERAL_STEPS = 16  # a frame, where inputs of later steps have gradients, too
UPDATE_FRAMES_OF_FURTHER_STEP = 2  # a frame, stored between steps for each after the first
OPTIMISER_WEIGHTS = 7  # weights and both moments of AdamW, before and after, and the gradient


@dataclass(frozen=True)
class StepMemory:
    """Bytes that one forecast step, or one update, needs on the device, by purpose.

    Attributes:
        weights: the parameters; in training with the optimiser's state and the gradient.
        geometry: layout and, in a forecast, embedded geometry.
        state: frames and forcings, and the frame that is being made; in training the examples.
        work: arrays that exist only while the step runs.
    """

    weights: int
    geometry: int
    state: int
    work: int

    @property
    def device(self) -> int:
        """The sum: all that is on one device at once."""
        return self.weights + self.geometry + self.state + self.work


class _Sizes(NamedTuple):
    """How many numbers each large array has."""

    weights: int
    layout: int
    frame: int  # target channels at all grid points
    forcing: int
    statics: int
    grid: int  # latents of all grid points
    nodes: int  # latents of all mesh nodes
    mesh_edges: int  # latents of all multi-mesh edges
    decoder_edges: int
    encoder_terms: int  # kept, of each edge or of each kind
    decoder_terms: int
    mesh_terms: int

    @property
    def edge_terms(self) -> int:
        """Kept terms of encoder and decoder edges."""
        return self.encoder_terms + self.decoder_terms


def step_memory(
    spec: ModelSpec,
    channels: Channels,
    layout: Layout,
    precision: Precision,
    *,
    keep_edges: bool,
    devices: int = 1,
    hosts: int = 1,
) -> StepMemory:
    """What one step of a forecast needs on each of `devices` devices that share a window.

    Each of several `hosts` gathers every frame on its own devices.
    """
    n, item = _sizes(spec, channels, layout), jnp.dtype(precision.latents).itemsize
    # A CPU computes in float32: XLA widens narrower latents there, the decoder's edges as a whole.
    widened = item < WORD and jax.default_backend() == "cpu"
    edges = n.mesh_terms * item
    if keep_edges:
        edges += n.edge_terms * item
        if widened:
            edges += n.decoder_terms * WORD
    frames = 3 if hosts == 1 else 3 + hosts  # previous, current, next; gathered, a host's share
    fields = frames * n.frame + 3 * n.forcing + n.statics
    # Latents and their sums at mesh nodes are on every device, the rest is split.
    return StepMemory(
        weights=n.weights * WORD,
        geometry=round((n.layout * WORD + edges) / devices) + n.nodes * item,
        state=round(fields * WORD / devices),
        work=round(
            n.grid * (WORD if widened else item) / devices
            + max(
                _processing(n, layout, WORD if widened else item, devices),
                _decoding(n, layout, keep_edges=keep_edges, devices=devices),
            )
            + _count(MESH_NODES) * n.nodes * WORD
        ),
    )


def update_memory(
    spec: ModelSpec,
    channels: Channels,
    layout: Layout,
    precision: Precision,
    *,
    steps: int = 1,
    batch: int = 1,
) -> StepMemory:
    """What one training update on a device needs: `batch` examples there, one after the other.

    Each is forecast over `steps` steps. The backward pass stores the latents between processor
    rounds and rematerialises the rest; of several steps it stores the frames between them.
    """
    n, item = _sizes(spec, channels, layout), jnp.dtype(precision.latents).itemsize
    stored = spec.processor_steps * (n.mesh_edges + n.nodes) * item + 2 * n.edge_terms * item
    # The edge terms of encoder and decoder have gradients. So has everything that steps share,
    # once more where gradients of several steps or of several examples are added up.
    shared = n.edge_terms + n.mesh_edges + n.nodes + 2 * n.weights
    sums = [steps > 1, batch > 1].count(True) * shared
    arrays = (
        UPDATE_MESH_EDGES * n.mesh_edges
        + UPDATE_GRID * n.grid
        + UPDATE_WEIGHTS * n.weights
        + UPDATE_FRAMES * n.frame
    )
    if steps > 1:
        further = UPDATE_FRAMES_OF_FURTHER_STEP * (steps - 1)
        arrays += (UPDATE_FRAMES_OF_SEVERAL_STEPS + further) * n.frame
    example = (2 + steps) * n.frame + (2 + steps) * n.forcing
    return StepMemory(
        weights=OPTIMISER_WEIGHTS * n.weights * WORD,
        geometry=n.layout * WORD,
        state=(batch * example + n.statics) * WORD,
        work=round(stored + (sums + arrays) * WORD),
    )


def _processing(n: _Sizes, layout: Layout, item: int, devices: int) -> float:
    """Bytes of edge latents, of `item` bytes each, and of the work on one block of edges."""
    blocks: int = layout.mesh_senders.shape[0]
    in_block = _count(ONLY_EDGE_BLOCK if blocks == 1 else EDGE_BLOCK)
    return n.mesh_edges * item / devices + in_block * WORD * (n.mesh_edges / blocks)


def _decoding(n: _Sizes, layout: Layout, *, keep_edges: bool, devices: int) -> float:
    """Bytes of the next frame and of the work on one block of decoder edges."""
    blocks = layout.rows.blocks
    if keep_edges:
        in_block = _count(DECODER_BLOCK)
    elif blocks > 1:
        in_block = _count(DECODER_BLOCK_COMPUTING_TERMS)
    else:
        in_block = _count(ONLY_DECODER_BLOCK_COMPUTING_TERMS)
    return n.frame * WORD / devices + in_block * WORD * n.decoder_edges / blocks


def _count(arrays: Mapping[str, int | float]) -> float:
    return float(sum(arrays.values()))


def _sizes(spec: ModelSpec, channels: Channels, layout: Layout) -> _Sizes:
    latent, points = spec.latent_size, layout.rows.blocks * layout.rows.length
    return _Sizes(
        weights=parameter_count(model_template(spec, channels.task)),
        layout=sum(leaf.size for leaf in jax.tree.leaves(layout)),
        frame=points * len(channels.targets),
        forcing=points * len(channels.forcings),
        statics=points * len(channels.statics),
        grid=points * latent,
        nodes=len(layout.mesh_features) * latent,
        mesh_edges=layout.mesh_senders.size * latent,
        decoder_edges=3 * points * latent,
        encoder_terms=_rows(layout.encoder_features) * latent,
        decoder_terms=_rows(layout.decoder_features) * latent,
        mesh_terms=_rows(layout.mesh_edge_features) * latent,
    )


def _rows(features: EdgeFeatures) -> int:
    return int(features.rows.size // features.rows.shape[-1])
