"""The memory plan: the fastest way to cut the work into blocks that fits the device."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax

from data.channels import Channels
from graphcast.blocks import EDGE_BLOCK, GRID_BLOCK, Layout, arrange
from graphcast.machine.hosts import process_count
from graphcast.machine.needs import StepMemory, step_memory, update_memory
from graphcast.network.model import ModelSpec
from graphcast.precision import Precision
from mesh.graphs import Graphs


@dataclass(frozen=True)
class Economy:
    """How work is cut into blocks. Another cut is another program, which rounds differently.

    Attributes:
        grid_block: the most grid points in one block.
        edge_block: the most multi-mesh edges in one block.
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
    """The choices on the default device, fastest first; a forecast may also compute edge terms."""
    return ON_CPU if jax.default_backend() == "cpu" else ON_ACCELERATOR


class Plan(NamedTuple):
    """How a run is cut, the graphs in these blocks, and the memory that it then needs."""

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
    """The fastest forecast that fits.

    Args:
        spec: the network's hyper-parameters.
        channels: the task's columns.
        graphs: the graphs on the forecast's grid.
        precision: how the pass rounds.
        available: bytes on each device.
        devices: how many devices share one window.
        economy: the block sizes of an interrupted forecast. They are kept, because others round
            differently.

    Raises:
        ValueError: no economy fits, or the given one does not.
    """
    every = [replace(e, keep_edges=keep) for e in economies() for keep in (True, False)]
    for candidate in every if economy is None else [economy]:
        layout = arrange(
            graphs,
            grid_block=candidate.grid_block,
            edge_block=candidate.edge_block,
            devices=devices,
            operands=precision.operands if candidate.keep_edges else "float32",
        )
        memory = step_memory(
            spec,
            channels,
            layout,
            precision,
            keep_edges=candidate.keep_edges,
            devices=devices,
            hosts=process_count(),
        )
        if memory.device <= available:
            return Plan(candidate, layout, memory)
    if economy is not None:
        raise _too_small(
            memory.device, available, "a step as the interrupted forecast planned it",
            "`overwrite` to begin again with what is free now, or run it when more is",
        )  # fmt: skip
    raise _too_small(
        memory.device, available, "a step", "`precision` bfloat16, more `devices`, or a model with"
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
    """The fastest update of `batch` examples over `steps` steps that fits `available` bytes.

    Raises:
        ValueError: none fits.
    """
    for candidate in economies():
        layout = arrange(graphs, grid_block=candidate.grid_block, edge_block=candidate.edge_block)
        memory = update_memory(spec, channels, layout, precision, steps=steps, batch=batch)
        if memory.device <= available:
            return Plan(candidate, layout, memory)
    raise _too_small(
        memory.device, available, "an update",
        "a smaller `batch`, more `devices` for it, or a model with a coarser grid",
    )  # fmt: skip


def _too_small(needed: int, available: int, subject: str, remedy: str) -> ValueError:
    unit, name = (2**30, "GiB") if needed > 2**27 else (2**20, "MiB")
    return ValueError(
        f"{subject} needs {needed / unit:.2f} {name} on each device and there are "
        f"{available / unit:.2f} {name}; use {remedy}"
    )
