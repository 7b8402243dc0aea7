"""`plan` and `plan_update`: the memory that work needs, before anything is compiled."""

from dataclasses import dataclass
from pathlib import Path

from data.channels import Channels
from data.grids import grid_of
from data.sources import open_inputs
from graphcast.checkpoints import Checkpoint, read_checkpoint
from graphcast.machine.devices import windows_at_once
from graphcast.machine.memory import available_memory
from graphcast.machine.needs import RUNTIME
from graphcast.machine.plan import Plan, fitting, fitting_update
from graphcast.operations.cluster.runtime import graph_cache
from graphcast.precision import precision_named
from mesh.graphs import Graphs, build_graphs

FRAMES_HELD = 5  # of each window on the host: two in, two out, one being written


@dataclass(frozen=True)
class Planned:
    """How work is cut, and what it needs.

    Attributes:
        plan: the blocks, and the bytes on each device.
        host: bytes on the host.
        available: bytes that each device may give.
        frame: bytes of one predicted state before compression.
        windows: init times or members in all; 1 for an update.
        side_by_side: how many of them run at once.
        parts: how many devices one of them is split over.
        has_statistics: whether the checkpoint carries its own.
    """

    plan: Plan
    host: int
    available: int
    frame: int
    windows: int
    side_by_side: int
    parts: int
    has_statistics: bool


def plan(
    checkpoint: str | Path,
    inputs: str | Path,
    *,
    memory: int | None = None,
    devices: int = 1,
    precision: str = "float32",
) -> Planned:
    """What a forecast needs; `forecast` makes the same plan from what the device has free.

    Args:
        checkpoint: a file of weights.
        inputs: analyses on the grid of the forecast.
        memory: bytes of each device; None: what it has free.
        devices: how many devices to use.
        precision: "float32", "mixed" or "bfloat16".

    Raises:
        ValueError: a file cannot be read, or no plan fits.
    """
    work = _Work.of(checkpoint, inputs, memory)
    at_once = windows_at_once(work.entries, devices)
    parts = devices // at_once
    chosen = fitting(
        work.checkpoint.spec,
        work.channels,
        work.graphs,
        precision_named(precision),
        work.available,
        devices=parts,
    )
    return work.planned(chosen, FRAMES_HELD * at_once, work.entries, at_once, parts)


def plan_update(
    checkpoint: str | Path,
    inputs: str | Path,
    *,
    steps: int = 1,
    batch: int = 1,
    memory: int | None = None,
    devices: int = 1,
    precision: str = "float32",
) -> Planned:
    """What a training update of `batch` samples over `steps` forecast steps needs; see `plan`."""
    work = _Work.of(checkpoint, inputs, memory)
    chosen = fitting_update(
        work.checkpoint.spec,
        work.channels,
        work.graphs,
        precision_named(precision),
        work.available,
        steps=steps,
        batch=-(-batch // devices),
    )
    held = 2 * batch * (2 + steps)  # the samples of this update and of the next
    return work.planned(chosen, held, 1, 1, 1)


@dataclass(frozen=True)
class _Work:
    """What both plans are made for."""

    checkpoint: Checkpoint
    entries: int
    channels: Channels
    graphs: Graphs
    available: int
    frame: int

    @classmethod
    def of(cls, checkpoint: str | Path, inputs: str | Path, memory: int | None) -> "_Work":
        weights = read_checkpoint(Path(checkpoint))
        entries = open_inputs(inputs)
        grid = grid_of(entries[0], "the inputs")
        channels = Channels(weights.task)
        return cls(
            weights,
            len(entries),
            channels,
            build_graphs(grid, weights.spec.mesh, cache=graph_cache()),
            available_memory() if memory is None else memory,
            grid.size * len(channels.targets) * 4,
        )

    def planned(
        self, chosen: Plan, frames: int, windows: int, side_by_side: int, parts: int
    ) -> Planned:
        return Planned(
            plan=chosen,
            host=RUNTIME + frames * self.frame,
            available=self.available,
            frame=self.frame,
            windows=windows,
            side_by_side=side_by_side,
            parts=parts,
            has_statistics=self.checkpoint.moments is not None,
        )
