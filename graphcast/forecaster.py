"""Dataset in, Datasets out: a checkpoint on one grid, and the same on a machine.

`forecaster` makes a checkpoint ready for a grid and checks weights, statistics and grid.
`Forecaster.on` plans the work for a machine and checks that it fits. The weather is checked
earlier, when its `Window` is made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from data.channels import Channels
from data.windows import Window
from graphcast.blocks import Layout
from graphcast.checkpoints import Checkpoint
from graphcast.loss import Example, LossWeights, rollout_loss
from graphcast.machine.devices import device_table, next_frames, place, split_dynamics
from graphcast.machine.hosts import gathered
from graphcast.machine.machine import Machine
from graphcast.machine.plan import Economy, Plan, fitting
from graphcast.network.model import GraphCast
from graphcast.normaliser import Normaliser, normaliser
from graphcast.packing import Blocks, Packing
from graphcast.passes import Pass
from graphcast.precision import FLOAT32, Precision
from graphcast.rollout import dynamics, next_frame, roll_out
from mesh.graphs import Graphs, build_graphs
from mesh.grid import LatLonGrid


@dataclass(frozen=True)
class Forecaster:
    """A checkpoint ready for one grid: graphs built, statistics in columns.

    Attributes:
        checkpoint: weights, task and statistics.
        grid: the latitude–longitude grid of the data.
        graphs: the three graphs on that grid.
        normaliser: the statistics, channel by channel.
        precision: how the forward pass rounds.
    """

    checkpoint: Checkpoint
    grid: LatLonGrid
    graphs: Graphs
    normaliser: Normaliser
    precision: Precision

    @cached_property
    def channels(self) -> Channels:
        """The variable and level of each column."""
        return Channels(self.checkpoint.task)

    def on(self, machine: Machine, *, economy: Economy | None = None) -> "PlacedForecaster":
        """The forecaster on `machine`, its work cut so that it fits into the memory there.

        Args:
            machine: the devices, and how they share the windows.
            economy: the block sizes of an interrupted forecast. They are kept, because others
                round differently.

        Raises:
            ValueError: a step does not fit, or no longer fits with that `economy`.
        """
        plan = fitting(
            self.checkpoint.spec,
            self.channels,
            self.graphs,
            self.precision,
            machine.available_memory(),
            devices=machine.parts,
            economy=economy,
        )
        return PlacedForecaster(self, machine, plan)

    @cached_property
    def alone(self) -> "PlacedForecaster":
        """The forecaster on one device with all the memory that is free there."""
        return self.on(Machine())

    def packing(self, layout: Layout) -> Packing:
        """How fields become arrays in the blocks of `layout`."""
        return Packing(self.channels, self.grid, layout.rows)

    def forecast(
        self, window: Window, steps: int, *, first: int = 0, done: Sequence[xr.Dataset] = ()
    ) -> Iterator[xr.Dataset]:
        """Fields one step after the init time, two steps, … up to `steps`, on one device.

        Each is (level, latitude, longitude). `first` and `done` as in `PlacedForecaster.forecasts`.

        Raises:
            ValueError: a prediction is not finite.
        """
        for (fields,) in self.alone.forecasts([window], steps, first=first, done=[done]):
            yield fields

    def loss(self, window: Window, targets: xr.Dataset) -> tuple[float, dict[str, float]]:
        """The published loss of forecasting `targets` (time, …), and each variable's share.

        The shares are per variable before its weight, as DeepMind reports them.
        """
        total, per_channel = jax.jit(_loss, static_argnums=1)(
            self.checkpoint.model, self.precision, *self._loss_arguments(window, targets)
        )
        return float(total), self.alone.packing.by_variable(np.asarray(per_channel))

    def gradient(self, window: Window, targets: xr.Dataset) -> GraphCast:
        """The gradient of `loss` with respect to every weight, in the model's own tree."""
        gradient: GraphCast = jax.jit(jax.grad(_loss, has_aux=True), static_argnums=1)(
            self.checkpoint.model, self.precision, *self._loss_arguments(window, targets)
        )[0]
        return gradient

    def _loss_arguments(
        self, window: Window, targets: xr.Dataset
    ) -> tuple[np.ndarray, Layout, Normaliser, Blocks, Example, LossWeights]:
        packing = self.alone.packing
        return (
            self.channels.input_order,
            self.alone.layout,
            self.normaliser,
            packing.statics(window),
            packing.example(window, targets),
            packing.loss_weights,
        )


@dataclass(frozen=True)
class PlacedForecaster:
    """A forecaster on a machine, planned to fit; `Forecaster.on` makes it.

    Attributes:
        forecaster: what is computed.
        machine: the devices that compute it.
        plan: how the work is cut into blocks, and the memory that it then needs.
    """

    forecaster: Forecaster
    machine: Machine
    plan: Plan

    @property
    def layout(self) -> Layout:
        """The graphs in blocks."""
        return self.plan.layout

    @cached_property
    def packing(self) -> Packing:
        """How fields become arrays in these blocks."""
        return self.forecaster.packing(self.layout)

    def forecasts(
        self,
        windows: Sequence[Window],
        steps: int,
        *,
        first: int = 0,
        done: Sequence[Sequence[xr.Dataset]] | None = None,
    ) -> Iterator[list[xr.Dataset]]:
        """Forecasts from windows side by side: all of them one step ahead, two steps, ….

        Args:
            windows: at most `machine.windows` of them.
            steps: the last lead, in steps of the task.
            first: how many leads exist already, the same for all windows.
            done: for each window its last two existing leads, or the only one. The leads that
                follow have the numbers of an uninterrupted forecast.

        Raises:
            ValueError: a prediction is not finite.
        """
        # Rows of devices without a window repeat the last one: one program for all counts.
        idle = self.machine.windows - len(windows)
        full = [*windows, *[windows[-1]] * idle]
        done = done or [()] * len(windows)
        frames = [
            self.packing.last_frames(window, leads)
            for window, leads in zip(full, [*done, *[done[-1]] * idle], strict=True)
        ]
        previous, current = (self._side_by_side(pair) for pair in zip(*frames, strict=True))
        forcings = (
            self._side_by_side([self.packing.forcings(window, lead) for window in full])
            for lead in range(first - 1, steps + 1)
        )
        predictions = self._rolled_out(full, previous, current, forcings)
        for lead, prediction in enumerate(predictions, start=first + 1):
            blocks = prediction.reshape(self.machine.windows, -1, *prediction.shape[-2:])
            yield [self.packing.fields(window, blocks[i], lead) for i, window in enumerate(windows)]

    def _rolled_out(
        self,
        windows: Sequence[Window],
        previous: Blocks,
        current: Blocks,
        forcings: Iterator[Blocks],
    ) -> Iterator[Blocks]:
        precision = self.forecaster.precision
        arguments = (
            self.forecaster.checkpoint.model,
            self.forecaster.channels.input_order,
            self.layout,
            self.forecaster.normaliser,
            self._side_by_side([self.packing.statics(window) for window in windows]),
            Pass(precision, keeps="nothing"),
        )
        keep_edges = self.plan.economy.keep_edges
        if self.machine.devices == 1:
            fixed = dynamics(*arguments, keep_edges=keep_edges)
            step = partial(next_frame, fixed, precision=precision)
            return roll_out(step, previous, current, forcings)
        device_mesh = device_table(self.machine.devices, self.machine.windows)
        fixed = split_dynamics(*arguments, device_mesh, keep_edges=keep_edges)
        return roll_out(
            partial(next_frames, fixed, precision=precision, device_mesh=device_mesh),
            previous,
            current,
            forcings,
            place=partial(place, device_mesh=device_mesh),
            gather=partial(gathered, device_mesh=device_mesh),
        )

    def _side_by_side(self, windows: Sequence[Blocks]) -> np.ndarray:
        """The windows' blocks along a first axis, which a single device's one window lacks."""
        return np.stack(windows) if self.machine.devices > 1 else windows[0]


def forecaster(
    checkpoint: Checkpoint,
    grid: LatLonGrid,
    *,
    precision: Precision = FLOAT32,
    cache: Path | None = None,
) -> Forecaster:
    """Make a checkpoint ready for a grid.

    Args:
        checkpoint: weights with their task and statistics.
        grid: the grid of the analyses.
        precision: how the forward pass rounds.
        cache: a folder that keeps built graphs from run to run.

    Raises:
        ValueError: the checkpoint has no statistics, or lacks some that its task needs.
    """
    if checkpoint.moments is None:
        raise ValueError(
            "this checkpoint carries no normalisation statistics; give `statistics` a folder with "
            "mean_by_level.nc, stddev_by_level.nc and diffs_stddev_by_level.nc"
        )
    return Forecaster(
        checkpoint=checkpoint,
        grid=grid,
        graphs=build_graphs(grid, checkpoint.spec.mesh, cache=cache),
        normaliser=normaliser(Channels(checkpoint.task), checkpoint.moments),
        precision=precision,
    )


def _loss(
    model: GraphCast,
    precision: Precision,
    input_order: Array,
    layout: Layout,
    normaliser: Normaliser,
    statics: Array,
    example: Example,
    weights: LossWeights,
) -> tuple[Float[Array, ""], Float[Array, " targets"]]:
    """The loss as a function of the weights alone."""
    how = Pass(precision)
    fixed = dynamics(model, jnp.asarray(input_order), layout, normaliser, statics, how)
    return rollout_loss(fixed, example, weights, how)
