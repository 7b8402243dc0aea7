"""What an update needs besides weights and samples, cut as the update's own memory plan says."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from data.channels import Channels
from data.frames import pack
from graphcast.blocks import AnyArray, Blocking, Layout, in_blocks
from graphcast.forecaster import Forecaster
from graphcast.loss import LossWeights
from graphcast.machine.hosts import least
from graphcast.machine.memory import Plan, available_memory, fitting_update
from graphcast.normaliser import Normaliser
from graphcast.training.recipe import Recipe
from mesh.grid import LatLonGrid


class Problem(NamedTuple):
    """Arrays that stay the same during training.

    Attributes:
        input_order: see `Channels.input_order`.
        layout: the graphs in blocks.
        normaliser: the statistics in columns.
        statics: static channels in blocks of grid points, physical units.
        weights: what each squared error counts.
    """

    input_order: Int[AnyArray, " input_width"]
    layout: Layout
    normaliser: Normaliser
    statics: Float[AnyArray, "blocks rows statics"]
    weights: LossWeights


def plan_of_updates(
    ready: Forecaster, recipe: Recipe, *, devices: int = 1, memory: int | None = None
) -> Plan:
    """The fastest way to cut the updates of a recipe so that its largest fits.

    One plan for all phases, because blocks of another size round otherwise.

    Args:
        ready: the network on its grid.
        recipe: says how many samples and how many autoregressive steps.
        devices: over how many a batch is spread.
        memory: bytes on each device; what it has, if None.

    Raises:
        ValueError: when no cut fits, with what is needed and what would help.
    """
    available = available_memory() if memory is None else memory
    return fitting_update(
        ready.checkpoint.spec,
        ready.channels,
        ready.graphs,
        ready.precision,
        # One program for all processes: the one with the least memory decides.
        least(available) if devices > 1 else available,
        steps=recipe.most_lead_steps,
        batch=-(-recipe.batch // devices),
    )


def problem(ready: Forecaster, plan: Plan, frame: xr.Dataset) -> Problem:
    """The training problem of a network on its grid.

    Args:
        ready: the network on its grid.
        plan: how an update is cut (`plan_of_updates`).
        frame: a canonical Dataset at one time, of which the statics are read.
    """
    rows = plan.layout.rows
    return Problem(
        ready.channels.input_order,
        plan.layout,
        ready.normaliser,
        in_blocks(pack(frame, ready.channels.statics), rows),
        loss_weights(ready.grid, ready.channels, rows),
    )


def loss_weights(grid: LatLonGrid, channels: Channels, rows: Blocking) -> LossWeights:
    """Area weights of grid points in blocks, which sum to 1, and channel weights."""
    areas = np.repeat(grid.row_areas() / grid.shape[1], grid.shape[1])
    return LossWeights(
        rows=in_blocks(areas.astype(np.float32), rows),
        channels=channels.loss_weights.astype(np.float32),
    )
