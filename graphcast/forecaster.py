"""Dataset in, Datasets out: the one module here that knows labels.

A `Forecaster` is a checkpoint made ready for one grid. Everything that can be wrong with the
weights, the statistics or the grid is found when it is built; what can be wrong with the weather
was found when its `Window` was made.
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

from data.channels import Channel, Channels
from data.frames import pack, unpack
from data.task import STEP
from data.variables import VARIABLES
from data.windows import Window
from graphcast.blocks import Layout, in_blocks, out_of_blocks
from graphcast.checkpoints import Checkpoint
from graphcast.loss import LossWeights, Sample, rollout_loss
from graphcast.machine.devices import device_mesh, next_frames, place, split_dynamics
from graphcast.machine.hosts import gathered, least
from graphcast.machine.memory import Economy, Plan, available_memory, fitting
from graphcast.network.model import GraphCast
from graphcast.normaliser import Normaliser, normaliser
from graphcast.precision import FLOAT32, Precision
from graphcast.rollout import dynamics, next_frame, roll_out
from mesh.graphs import Graphs, build_graphs
from mesh.grid import LatLonGrid

Blocks = Float[np.ndarray, "blocks rows channels"]


@dataclass(frozen=True)
class Forecaster:
    """A checkpoint ready for one grid: graphs built, channels and statistics in columns.

    Attributes:
        checkpoint: weights, task and statistics.
        grid: the latitude–longitude grid of the data.
        graphs: the three graphs on that grid.
        normaliser: the statistics, channel by channel.
        precision: how the forward pass rounds.
        devices: how many devices take part.
        windows: how many windows go side by side, each split over `devices / windows` devices.
        memory: bytes that each device may use; what it has, if None.
        economy: how an interrupted forecast was cut to fit, which its rest must be, too.
    """

    checkpoint: Checkpoint
    grid: LatLonGrid
    graphs: Graphs
    normaliser: Normaliser
    precision: Precision
    devices: int = 1
    windows: int = 1
    memory: int | None = None
    economy: Economy | None = None

    @property
    def parts(self) -> int:
        """Over how many devices one window is split."""
        return self.devices // self.windows

    @cached_property
    def channels(self) -> Channels:
        """Which column is what."""
        return Channels(self.checkpoint.task)

    @cached_property
    def plan(self) -> Plan:
        """How a step is cut into blocks to fit, and what it needs; `ValueError` when it cannot."""
        available = available_memory() if self.memory is None else self.memory
        return fitting(
            self.checkpoint.spec,
            self.channels,
            self.graphs,
            self.precision,
            # One program for all: the process with the least memory decides.
            least(available) if self.devices > 1 else available,
            devices=self.parts,
            economy=self.economy,
        )

    @property
    def layout(self) -> Layout:
        """The graphs in blocks for the device."""
        return self.plan.layout

    def forecast(
        self, window: Window, steps: int, *, first: int = 0, done: Sequence[xr.Dataset] = ()
    ) -> Iterator[xr.Dataset]:
        """Fields at t + 6 h, t + 12 h, … to lead `steps`, each (level, latitude, longitude).

        To go on after `first` leads that exist already, give the last two of them (or the only
        one) as `done`: what follows has the numbers it would have had. Raises `ValueError` when a
        prediction is not finite.
        """
        for (fields,) in self.forecasts([window], steps, first=first, done=[done]):
            yield fields

    def forecasts(
        self,
        windows: Sequence[Window],
        steps: int,
        *,
        first: int = 0,
        done: Sequence[Sequence[xr.Dataset]] | None = None,
    ) -> Iterator[list[xr.Dataset]]:
        """`forecast` of at most `self.windows` windows side by side: all of them, lead by lead.

        `first` is the same for all, `done` each window's own.
        """
        # Devices without a window of their own repeat the last one: one program for all numbers.
        idle = self.windows - len(windows)
        full = [*windows, *[windows[-1]] * idle]
        done = done or [()] * len(windows)
        starts = [
            self._frames(window, before)
            for window, before in zip(full, [*done, *[done[-1]] * idle], strict=True)
        ]
        previous, current = (self._together(frames) for frames in zip(*starts, strict=True))
        forcings = (
            self._together([self._forcings(w, w.init_time + (lead - 1) * STEP) for w in full])
            for lead in range(first, steps + 2)
        )
        predictions = self._rolled_out(full, previous, current, forcings)
        for lead, prediction in enumerate(predictions, start=first + 1):
            each = prediction.reshape(self.windows, -1, *prediction.shape[-2:])
            yield [
                self._fields(window, blocks, lead)
                for window, blocks in zip(windows, each, strict=False)
            ]

    def loss(self, window: Window, targets: xr.Dataset) -> tuple[float, dict[str, float]]:
        """The published loss of forecasting `targets` (time, …), and each variable's share.

        The shares are per variable before its weight, as DeepMind reports them.
        """
        arguments = self._loss_arguments(window, targets)
        total, per_channel = jax.jit(_loss, static_argnums=1)(
            self.checkpoint.model, self.precision, *arguments
        )
        return float(total), self._per_variable(np.asarray(per_channel))

    def gradient(self, window: Window, targets: xr.Dataset) -> GraphCast:
        """The gradient of `loss` with respect to every weight, in the model's own tree."""
        arguments = self._loss_arguments(window, targets)
        gradient: GraphCast = jax.jit(jax.grad(_loss, has_aux=True), static_argnums=1)(
            self.checkpoint.model, self.precision, *arguments
        )[0]
        return gradient

    def sample(self, window: Window, targets: xr.Dataset) -> Sample:
        """The window and what followed it as arrays in blocks, for training."""
        times = [window.init_time + lead * STEP for lead in range(-1, targets.sizes["time"] + 1)]
        previous, current = self._frames(window, ())
        following = [
            self._blocks(pack(targets.isel(time=i), self.channels.targets))
            for i in range(targets.sizes["time"])
        ]
        forcings = np.stack([self._forcings(window, time) for time in times])
        return Sample(previous, current, forcings, np.stack(following))

    @cached_property
    def loss_weights(self) -> LossWeights:
        """Area weights of the grid points, which sum to 1, and channel weights."""
        rows = np.repeat(self.grid.row_areas() / self.grid.shape[1], self.grid.shape[1])
        return LossWeights(
            rows=self._blocks(rows.astype(np.float32)[:, None])[..., 0],
            channels=self.channels.loss_weights.astype(np.float32),
        )

    def statics(self, window: Window) -> Blocks:
        """The static channels at each grid point."""
        return self._blocks(pack(window.frames.isel(time=0), self.channels.statics))

    def _rolled_out(
        self,
        windows: Sequence[Window],
        previous: Blocks,
        current: Blocks,
        forcings: Iterator[Blocks],
    ) -> Iterator[Blocks]:
        statics = self._together([self.statics(window) for window in windows])
        arguments = (
            self.checkpoint.model,
            self.channels.input_order,
            self.layout,
            self.normaliser,
            statics,
            self.precision,
        )
        keep_edges = self.plan.economy.keep_edges
        if self.devices == 1:
            fixed = dynamics(*arguments, keep_edges=keep_edges)
            step = partial(next_frame, fixed, precision=self.precision)
            return roll_out(step, previous, current, forcings)
        mesh = device_mesh(self.devices, self.windows)
        fixed = split_dynamics(*arguments, mesh, keep_edges=keep_edges)
        return roll_out(
            partial(next_frames, fixed, precision=self.precision, mesh=mesh),
            previous,
            current,
            forcings,
            place=partial(place, mesh=mesh),
            gather=partial(gathered, mesh=mesh),
        )

    def _together(self, each: Sequence[Blocks]) -> np.ndarray:
        """Blocks of all windows side by side; a single device takes one window, without an axis."""
        return np.stack(each) if self.devices > 1 else each[0]

    def _fields(self, window: Window, blocks: Blocks, lead: int) -> xr.Dataset:
        rows = self._rows(blocks)
        self._check_finite(rows, lead)
        return unpack(rows, self.channels.targets, *self._coordinates(window))

    def _loss_arguments(
        self, window: Window, targets: xr.Dataset
    ) -> tuple[np.ndarray, Layout, Normaliser, Blocks, Sample, LossWeights]:
        return (
            self.channels.input_order,
            self.layout,
            self.normaliser,
            self.statics(window),
            self.sample(window, targets),
            self.loss_weights,
        )

    def _frames(self, window: Window, done: Sequence[xr.Dataset]) -> list[Blocks]:
        """The last two frames of target channels; those that no frame has are never read."""
        frames = [window.frames.isel(time=0), window.frames.isel(time=1), *done][-2:]
        return [self._blocks(_pack_known(frame, self.channels.targets)) for frame in frames]

    def _forcings(self, window: Window, time: np.datetime64) -> Blocks:
        if time <= window.init_time:
            frame = window.frames.sel(time=time)
            return self._blocks(_pack_known(frame, self.channels.forcings))
        return self._blocks(pack(window.forcing_frame(time), self.channels.forcings))

    def _blocks(self, rows: Float[np.ndarray, "grid channels"]) -> Blocks:
        return in_blocks(rows, self.layout.rows)

    def _rows(self, blocks: Blocks) -> Float[np.ndarray, "grid channels"]:
        rows: np.ndarray = out_of_blocks(blocks, self.grid.size)
        return rows

    def _coordinates(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        return window.frames["latitude"].values, window.frames["longitude"].values

    def _check_finite(self, rows: Float[np.ndarray, "grid channels"], lead: int) -> None:
        finite = np.isfinite(rows).all(axis=0)
        if not finite.all():
            channel = self.channels.targets[int(np.argmin(finite))]
            raise ValueError(
                f"the forecast is not finite at lead {6 * lead} h, first in {channel}; "
                "the leads before it are good: check weights and statistics against the inputs"
            )

    def _per_variable(self, per_channel: Float[np.ndarray, " targets"]) -> dict[str, float]:
        shares = {}
        for name in sorted(self.checkpoint.task.targets):
            of_variable = [i for i, c in enumerate(self.channels.targets) if c.variable == name]
            weights = self.channels.loss_weights[of_variable] / VARIABLES[name].loss_weight
            shares[name] = float((per_channel[of_variable] * weights).sum())
        return shares


def forecaster(
    checkpoint: Checkpoint,
    grid: LatLonGrid,
    *,
    precision: Precision = FLOAT32,
    devices: int = 1,
    windows: int = 1,
    memory: int | None = None,
    economy: Economy | None = None,
    cache: Path | None = None,
) -> Forecaster:
    """Make a checkpoint ready for a grid; `ValueError` when statistics are missing, by name.

    `cache` is a folder that keeps built graphs from run to run. On several `devices`, `windows`
    (a divisor of them) go side by side: see `devices.windows_at_once`.
    """
    if checkpoint.moments is None:
        raise ValueError(
            "this checkpoint carries no normalisation statistics; give --statistics a folder with "
            "mean_by_level.nc, stddev_by_level.nc and diffs_stddev_by_level.nc"
        )
    return Forecaster(
        checkpoint=checkpoint,
        grid=grid,
        graphs=build_graphs(grid, checkpoint.spec.mesh, cache=cache),
        normaliser=normaliser(Channels(checkpoint.task), checkpoint.moments),
        precision=precision,
        devices=devices,
        windows=windows,
        memory=memory,
        economy=economy,
    )


def _pack_known(
    frame: xr.Dataset, channels: tuple[Channel, ...]
) -> Float[np.ndarray, "grid channels"]:
    """Columns of `frame`, zero where the frame has no such variable and no weight reads it."""
    known = [i for i, channel in enumerate(channels) if channel.variable in frame]
    rows = frame.sizes["latitude"] * frame.sizes["longitude"]
    packed = np.zeros((rows, len(channels)), np.float32)
    packed[:, known] = pack(frame, tuple(channels[i] for i in known))
    return packed


def _loss(
    model: GraphCast,
    precision: Precision,
    input_order: Array,
    layout: Layout,
    normaliser: Normaliser,
    statics: Array,
    sample: Sample,
    weights: LossWeights,
) -> tuple[Float[Array, ""], Float[Array, " targets"]]:
    """The loss as a function of the weights alone."""
    fixed = dynamics(model, jnp.asarray(input_order), layout, normaliser, statics, precision)
    return rollout_loss(fixed, sample, weights, precision)
