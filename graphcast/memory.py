"""What a forecast needs, said before anything is compiled: the memory plan.

Everything large is an array whose shape follows from grid, mesh, task and layout, so the need is a
sum of products. Tests compare it with what XLA plans for the compiled step.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp

from data.channels import Channels
from graphcast.checkpoints.checkpoint import model_template
from graphcast.layout import Layout
from graphcast.model import ModelSpec
from graphcast.precision import Precision

WORD = 4  # bytes of a float32 or an int32

# How many arrays of one block, and of all mesh nodes, live at once in the processor: first-layer
# sum, activation, message, its norm. Read off XLA's plans for 1° with blocks of two sizes.
BLOCK_ARRAYS = 4.4
SINGLE_BLOCK_ARRAYS = 2  # where one block is all, the edges themselves take part in the work
NODE_ARRAYS = 3
RUNTIME = 450 * 2**20  # the process itself: Python, JAX, compiler; measured on Linux


@dataclass(frozen=True)
class StepMemory:
    """Bytes that one forecast step needs on the device, by purpose.

    Attributes:
        weights: the parameters.
        geometry: layout and embedded geometry.
        state: frames and forcings, and the frame that is being made.
        work: what exists only while the step runs.
        keep_edges: whether encoder and decoder edge terms are kept, or computed in each step.
    """

    weights: int
    geometry: int
    state: int
    work: int
    keep_edges: bool

    @property
    def device(self) -> int:
        """All that is on one device at once."""
        return self.weights + self.geometry + self.state + self.work


def step_memory(
    spec: ModelSpec,
    channels: Channels,
    layout: Layout,
    precision: Precision,
    *,
    keep_edges: bool,
    devices: int = 1,
) -> StepMemory:
    """What one step needs on each of `devices` devices."""
    template = model_template(spec, channels.task)
    latent, item = spec.latent_size, jnp.dtype(precision.latents).itemsize
    targets, forcings = len(channels.targets), len(channels.forcings)
    points = layout.rows.blocks * layout.rows.length
    mesh_nodes = len(layout.mesh_features)
    to_mesh, on_mesh = layout.encoder_senders.size, layout.mesh_senders.size

    # A CPU computes in float32: XLA widens narrower latents there, kept edges once more as a whole.
    narrow_on_cpu = item < WORD and jax.default_backend() == "cpu"
    working_item = WORD if narrow_on_cpu else item
    kept = (to_mesh + 3 * points) * latent if keep_edges else 0
    edges = kept * (item + WORD * narrow_on_cpu)
    layout_bytes = sum(leaf.size * WORD for leaf in layout)
    # Latents and their sums at mesh nodes are on every device, the rest is split.
    grid_latents = points * latent * working_item
    processor = 2 * on_mesh * latent * working_item
    arrays = BLOCK_ARRAYS if layout.mesh_senders.shape[0] > 1 else SINGLE_BLOCK_ARRAYS
    block = arrays * WORD * latent * max(layout.mesh_receivers.shape[1] * 6, layout.rows.length)
    work = (grid_latents + max(processor, points * targets * WORD)) / devices + block
    return StepMemory(
        weights=sum(leaf.size for leaf in jax.tree.leaves(template)) * WORD,
        geometry=round((layout_bytes + edges + on_mesh * latent * item) / devices)
        + mesh_nodes * latent * item,
        state=round(points * (3 * targets + 3 * forcings + len(channels.statics)) * WORD / devices),
        work=round(work + NODE_ARRAYS * mesh_nodes * latent * WORD),
        keep_edges=keep_edges,
    )


def fitting(
    spec: ModelSpec,
    channels: Channels,
    layout: Layout,
    precision: Precision,
    available: int,
    *,
    devices: int = 1,
) -> StepMemory:
    """The fastest plan that fits into `available` bytes a device; `ValueError` when none does."""
    for keep_edges in (True, False):
        plan = step_memory(
            spec, channels, layout, precision, keep_edges=keep_edges, devices=devices
        )
        if plan.device <= available:
            return plan
    raise ValueError(
        f"a step needs {plan.device / 2**30:.1f} GiB on each device and there are "
        f"{available / 2**30:.1f} GiB; use --precision bfloat16, more --devices, or a model with a "
        "coarser grid"
    )


def available_memory() -> int:
    """Bytes that the default device can still give; a CPU's are those of the machine."""
    device = jax.devices()[0]
    statistics = device.memory_stats() if device.platform != "cpu" else None
    if statistics:
        return int(statistics["bytes_limit"] - statistics["bytes_in_use"])
    pages = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():  # there the kernel also counts what it can free: its file cache
        lines = dict(line.split(":") for line in meminfo.read_text(encoding="ascii").splitlines())
        pages = int(lines["MemAvailable"].split()[0]) * 1024
    return pages
