"""What a forecast or an update needs, said before anything is compiled: the memory plan.

Everything large is an array whose shape follows from grid, mesh, task and layout, so the need is a
sum of products. Tests compare it with what XLA plans for the compiled step and gradient.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp

from data.channels import Channels
from graphcast.blocks import EDGE_BLOCK, GRID_BLOCK, EdgeFeatures, Layout, arrange
from graphcast.checkpoints.checkpoint import model_template
from graphcast.machine.hosts import process_count
from graphcast.network.model import ModelSpec
from graphcast.precision import Precision
from mesh.graphs import Graphs

WORD = 4  # bytes of a float32 or an int32
RUNTIME = 450 * 2**20  # the process itself: Python, JAX, compiler; measured on Linux

# How many arrays live at once in the work on one block of mesh edges (first-layer sum, activation,
# message, its norm), on one block of a decoder's edges, and on all mesh nodes. Read off XLA's plans
# for grids of 1° to 6°; where one block is all, its arrays are those that the loop around it has.
EDGE_ARRAYS, EDGE_ARRAYS_OF_ONE_BLOCK = 4.4, 2
DECODER_ARRAYS = {True: 3, False: 6}  # with edge terms kept, and computed in each step
DECODER_ARRAYS_OF_ONE_BLOCK = 8.5
NODE_ARRAYS = 3
# And in a gradient: of all mesh edges, of grid latents, of weights, of frames; of frames again for
# each further step, whose inputs have gradients, too.
GRADIENT_EDGES, GRADIENT_LATENTS, GRADIENT_WEIGHTS, GRADIENT_FRAMES = 5, 3, 2, 6
FRAMES_OF_FURTHER_STEPS = 16
OPTIMISER_WEIGHTS = 7  # weights and both moments of AdamW, before and after, and the gradient


@dataclass(frozen=True)
class Economy:
    """How work is cut to fit; another cut is another program, and rounds otherwise.

    Attributes:
        grid_block: the most grid points that are in flight at once.
        edge_block: the most multi-mesh edges that are.
        keep_edges: whether a forecast keeps its encoder and decoder edge terms between steps, or
            computes them in each.
    """

    grid_block: int
    edge_block: int
    keep_edges: bool = True


# Fastest first. On a CPU a block's arrays should stay in its cache; elsewhere large blocks keep all
# cores busy.
ON_CPU = (Economy(GRID_BLOCK, EDGE_BLOCK),)
ON_ACCELERATOR = (Economy(131072, 131328), Economy(32768, 32832), Economy(8192, 8208))


def economies() -> tuple[Economy, ...]:
    """What the default device could do, fastest first; for a forecast also without kept edges."""
    return ON_CPU if jax.default_backend() == "cpu" else ON_ACCELERATOR


@dataclass(frozen=True)
class StepMemory:
    """Bytes that one forecast step, or one update, needs on the device, by purpose.

    Attributes:
        weights: the parameters; in training with the optimiser's state and the gradient.
        geometry: layout and, in a forecast, embedded geometry.
        state: frames and forcings, and the frame that is being made; in training the samples.
        work: what exists only while the step runs.
    """

    weights: int
    geometry: int
    state: int
    work: int

    @property
    def device(self) -> int:
        """All that is on one device at once."""
        return self.weights + self.geometry + self.state + self.work


class _Sizes(NamedTuple):
    """How many numbers there are of what is large."""

    weights: int
    layout: int
    points: int  # grid points, with padding
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
    def kept(self) -> int:
        """Terms of encoder and decoder edges."""
        return self.encoder_terms + self.decoder_terms


def _sizes(spec: ModelSpec, channels: Channels, layout: Layout) -> _Sizes:
    template = model_template(spec, channels.task)
    latent, points = spec.latent_size, layout.rows.blocks * layout.rows.length
    return _Sizes(
        weights=sum(leaf.size for leaf in jax.tree.leaves(template)),
        layout=sum(leaf.size for leaf in jax.tree.leaves(layout)),
        points=points,
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
    """What one step of a forecast needs on each of `devices` devices.

    Several `hosts` gather each frame, so that every one of them has it on its own devices.
    """
    n, item = _sizes(spec, channels, layout), jnp.dtype(precision.latents).itemsize
    # A CPU computes in float32: XLA widens narrower latents there, the decoder's edges as a whole.
    widened = item < WORD and jax.default_backend() == "cpu"
    working = WORD if widened else item
    edges = keep_edges * (n.kept * item + n.decoder_terms * WORD * widened)
    # Latents and their sums at mesh nodes are on every device, the rest is split.
    one_block = layout.mesh_senders.shape[0] == 1
    in_block = EDGE_ARRAYS_OF_ONE_BLOCK if one_block else EDGE_ARRAYS
    processing = n.mesh_edges * working / devices + in_block * WORD * (
        n.mesh_edges / layout.mesh_senders.shape[0]
    )
    in_decoder: float = DECODER_ARRAYS[keep_edges]
    if layout.rows.blocks == 1 and not keep_edges:
        in_decoder = DECODER_ARRAYS_OF_ONE_BLOCK
    decoding = n.frame * WORD / devices + in_decoder * WORD * n.decoder_edges / layout.rows.blocks
    work = n.grid * working / devices + max(processing, decoding) + NODE_ARRAYS * n.nodes * WORD
    return StepMemory(
        weights=n.weights * WORD,
        geometry=round((n.layout * WORD + edges + n.mesh_terms * item) / devices) + n.nodes * item,
        state=round(
            ((3 + hosts * (hosts > 1)) * n.frame + 3 * n.forcing + n.statics) * WORD / devices
        ),
        work=round(work),
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
    """What one training update on a device needs: `batch` samples there, one after the other.

    Each is forecast over `steps` steps. The gradient keeps the latents between the processor's
    rounds and computes the rest again, and keeps nothing of a step but its frames if there are
    several.
    """
    n, item = _sizes(spec, channels, layout), jnp.dtype(precision.latents).itemsize
    rounds = spec.processor_steps * (n.mesh_edges + n.nodes) * item
    # The edge terms of encoder and decoder have gradients, and so has all that steps share, once
    # more where gradients of several steps or of several samples are added up.
    shared = (n.kept + n.mesh_edges + n.nodes + 2 * n.weights) * WORD
    sums = ((steps > 1) + (batch > 1)) * shared
    arrays = (
        GRADIENT_EDGES * n.mesh_edges
        + GRADIENT_LATENTS * n.grid
        + GRADIENT_WEIGHTS * n.weights
        + GRADIENT_FRAMES * n.frame
        + (steps > 1) * (FRAMES_OF_FURTHER_STEPS + 2 * (steps - 1)) * n.frame
    )
    sample = (2 + steps) * n.frame + (2 + steps) * n.forcing
    return StepMemory(
        weights=OPTIMISER_WEIGHTS * n.weights * WORD,
        geometry=n.layout * WORD,
        state=(batch * sample + n.statics) * WORD,
        work=round(rounds + 2 * n.kept * item + sums + arrays * WORD),
    )


class Plan(NamedTuple):
    """How a run is cut, the blocks that this makes, and what it then needs."""

    economy: Economy
    layout: Layout
    memory: StepMemory


def fitting(
    spec: ModelSpec,
    channels: Channels,
    graphs: Graphs,
    precision: Precision,
    available: int,
    *,
    devices: int = 1,
    economy: Economy | None = None,
) -> Plan:
    """The fastest forecast that fits into `available` bytes a device; `ValueError` if none does.

    An `economy` is that of a forecast which has begun: the rest of it is made alike, or not.
    """
    given = [replace(e, keep_edges=kept) for e in economies() for kept in (True, False)]
    for chosen in given if economy is None else [economy]:
        layout = arrange(
            graphs,
            grid_block=chosen.grid_block,
            edge_block=chosen.edge_block,
            devices=devices,
            operands=precision.operands if chosen.keep_edges else "float32",
        )
        memory = step_memory(
            spec,
            channels,
            layout,
            precision,
            keep_edges=chosen.keep_edges,
            devices=devices,
            hosts=process_count(),
        )
        if memory.device <= available:
            return Plan(chosen, layout, memory)
    if economy is not None:
        raise _too_small(
            memory.device, available, "a step as the interrupted forecast planned it",
            "--overwrite to begin again with what is free now, or run it when more is",
        )  # fmt: skip
    raise _too_small(
        memory.device, available, "a step", "--precision bfloat16, more --devices, or a model with"
        " a coarser grid"
    )  # fmt: skip


def fitting_update(
    spec: ModelSpec,
    channels: Channels,
    graphs: Graphs,
    precision: Precision,
    available: int,
    *,
    steps: int = 1,
    batch: int = 1,
) -> Plan:
    """The fastest update that fits into `available` bytes; `ValueError` if none does."""
    for chosen in economies():
        layout = arrange(graphs, grid_block=chosen.grid_block, edge_block=chosen.edge_block)
        memory = update_memory(spec, channels, layout, precision, steps=steps, batch=batch)
        if memory.device <= available:
            return Plan(chosen, layout, memory)
    raise _too_small(
        memory.device, available, "an update",
        "a smaller --batch, more --devices for it, or a model with a coarser grid",
    )  # fmt: skip


def _too_small(needed: int, available: int, what: str, help_: str) -> ValueError:
    unit, name = (2**30, "GiB") if needed > 2**27 else (2**20, "MiB")
    return ValueError(
        f"{what} needs {needed / unit:.2f} {name} on each device and there are "
        f"{available / unit:.2f} {name}; use {help_}"
    )


def available_memory() -> int:
    """Bytes that this process's first device can still give; a CPU's are those of the machine."""
    device = jax.local_devices()[0]
    statistics = device.memory_stats() if device.platform != "cpu" else None
    if statistics:
        return int(statistics["bytes_limit"] - statistics["bytes_in_use"])
    pages = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():  # there the kernel also counts what it can free: its file cache
        lines = dict(line.split(":") for line in meminfo.read_text(encoding="ascii").splitlines())
        pages = int(lines["MemAvailable"].split()[0]) * 1024
    return pages
