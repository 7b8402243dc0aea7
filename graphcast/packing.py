"""Labelled fields as the arrays that the network reads, and predictions as labelled fields again.

Datasets on one side; on the other arrays [blocks, rows, channels], grid points in blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from jaxtyping import Float

from data.channels import Channel, Channels
from data.frames import pack, unpack
from data.variables import VARIABLES
from data.windows import Window
from graphcast.blocks import Blocking, in_blocks, out_of_blocks
from graphcast.loss import Example, LossWeights
from mesh.grid import LatLonGrid

Blocks = Float[np.ndarray, "blocks rows channels"]


@dataclass(frozen=True)
class Packing:
    """How fields on one grid are laid out as arrays.

    Attributes:
        channels: the variable and level of each column.
        grid: the grid of all fields.
        rows: how grid points are cut into blocks.
    """

    channels: Channels
    grid: LatLonGrid
    rows: Blocking

    @cached_property
    def loss_weights(self) -> LossWeights:
        """Area weights of the grid points, which sum to 1, and channel weights."""
        points = np.repeat(self.grid.row_areas() / self.grid.shape[1], self.grid.shape[1])
        return LossWeights(
            rows=self._blocks(points.astype(np.float32)[:, None])[..., 0],
            channels=self.channels.loss_weights.astype(np.float32),
        )

    def statics(self, window: Window) -> Blocks:
        """The static channels at each grid point."""
        return self._blocks(pack(window.frames.isel(time=0), self.channels.statics))

    def last_frames(self, window: Window, leads: Sequence[xr.Dataset] = ()) -> tuple[Blocks, ...]:
        """The target channels of the last two frames, previous and current.

        `leads` are predictions that follow the window's own frames, in order. Channels that a
        frame lacks are zero; no weight reads them.
        """
        frames = [window.frames.isel(time=0), window.frames.isel(time=1), *leads][-2:]
        return tuple(self._blocks(_pack_known(frame, self.channels.targets)) for frame in frames)

    def forcings(self, window: Window, lead: int) -> Blocks:
        """The forcing channels `lead` steps after the init time, -1 for the first frame."""
        time = window.init_time + lead * self.channels.task.step
        if lead <= 0:
            frame = window.frames.sel(time=time)
            return self._blocks(_pack_known(frame, self.channels.forcings))
        return self._blocks(pack(window.forcing_frame(time), self.channels.forcings))

    def example(self, window: Window, targets: xr.Dataset) -> Example:
        """A window and the fields (time, …) that followed it, one for each step."""
        steps = targets.sizes["time"]
        previous, current = self.last_frames(window)
        return Example(
            previous,
            current,
            np.stack([self.forcings(window, lead) for lead in range(-1, steps + 1)]),
            np.stack(
                [
                    self._blocks(pack(targets.isel(time=i), self.channels.targets))
                    for i in range(steps)
                ]
            ),
        )

    def fields(self, window: Window, blocks: Blocks, lead: int) -> xr.Dataset:
        """The prediction for `lead` steps after the init time, with its times and units.

        Joined along `prediction_timedelta`, predictions are a forecast as `score` takes it.

        Raises:
            ValueError: a prediction is not finite; names the lead time and the first channel.
        """
        rows = out_of_blocks(blocks, self.grid.size)
        self._check_finite(rows, lead)
        frame = window.frames
        fields = unpack(
            rows, self.channels.targets, frame["latitude"].values, frame["longitude"].values
        )
        after = (lead * self.channels.task.step).astype("timedelta64[ns]")
        coordinates = {"time": window.init_time, "prediction_timedelta": after}
        return fields.assign_coords(coordinates).map(_with_units)

    def by_variable(self, per_channel: Float[np.ndarray, " targets"]) -> dict[str, float]:
        """Each variable's share of the loss before its weight, as DeepMind reports them."""
        shares = {}
        for name in sorted(self.channels.task.targets):
            columns = [i for i, c in enumerate(self.channels.targets) if c.variable == name]
            weights = self.channels.loss_weights[columns] / VARIABLES[name].loss_weight
            shares[name] = float((per_channel[columns] * weights).sum())
        return shares

    def _blocks(self, rows: Float[np.ndarray, "grid channels"]) -> Blocks:
        return in_blocks(rows, self.rows)

    def _check_finite(self, rows: Float[np.ndarray, "grid channels"], lead: int) -> None:
        finite = np.isfinite(rows).all(axis=0)
        if not finite.all():
            channel = self.channels.targets[int(np.argmin(finite))]
            raise ValueError(
                f"the forecast is not finite at lead {lead * self.channels.task.step_hours} h, "
                f"first in {channel}; "
                "the leads before it are good: check weights and statistics against the inputs"
            )


def _with_units(field: xr.DataArray) -> xr.DataArray:
    return field.assign_attrs(VARIABLES[str(field.name)].attributes)


def _pack_known(
    frame: xr.Dataset, channels: tuple[Channel, ...]
) -> Float[np.ndarray, "grid channels"]:
    """The columns of `frame`, zero for variables that it does not have."""
    known = [i for i, channel in enumerate(channels) if channel.variable in frame]
    rows = frame.sizes["latitude"] * frame.sizes["longitude"]
    packed = np.zeros((rows, len(channels)), np.float32)
    packed[:, known] = pack(frame, tuple(channels[i] for i in known))
    return packed
