"""Physical units to normalised network inputs, and network outputs back to physical units."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from data.channels import Channels
from data.moments import Moments, column
from graphcast.blocks import AnyArray


class Pool(NamedTuple):
    """Everything that a step may read at each grid point, in physical units; Δ is the task's step.

    Attributes:
        previous, current: every target channel at t - Δ and t. A channel that the task does not
            feed back may hold any finite number, since its weights are zero.
        forcings_before, forcings_now, forcings_next: every forcing channel at t - Δ, t, t + Δ.
        statics: every static channel.
    """

    previous: Float[AnyArray, "*grid targets"]
    current: Float[AnyArray, "*grid targets"]
    forcings_before: Float[AnyArray, "*grid forcings"]
    forcings_now: Float[AnyArray, "*grid forcings"]
    forcings_next: Float[AnyArray, "*grid forcings"]
    statics: Float[AnyArray, "*grid statics"]


class Normaliser(NamedTuple):
    """Statistics per channel.

    The network's output y is in units of `increment`: prediction = base + y · increment. A target
    that is also an input is predicted as a change: its base is the last frame, its increment the σ
    of the change over one step. One that is not (precipitation, in the operational task) is
    predicted itself: its base is the mean, its increment the σ of the field.

    Attributes:
        mean, scale: of each target channel as an input.
        forcing_mean, forcing_scale: of each forcing channel.
        static_mean, static_scale: of each static channel.
        fed: whether each target channel is also an input.
        increment: σ of the change over one step where fed, σ of the field elsewhere.
    """

    mean: Float[AnyArray, " targets"]
    scale: Float[AnyArray, " targets"]
    forcing_mean: Float[AnyArray, " forcings"]
    forcing_scale: Float[AnyArray, " forcings"]
    static_mean: Float[AnyArray, " statics"]
    static_scale: Float[AnyArray, " statics"]
    fed: Bool[AnyArray, " targets"]
    increment: Float[AnyArray, " targets"]

    def assemble(self, pool: Pool, structural: Float[Array, "rows 3"]) -> Float[Array, "rows pool"]:
        """The network's input: the pool, normalised, in its order, structural features last."""
        frames = (pool.previous, pool.current)
        forcings = (pool.forcings_before, pool.forcings_now, pool.forcings_next)
        return jnp.concatenate(
            [
                *((frame - self.mean) / self.scale for frame in frames),
                *((frame - self.forcing_mean) / self.forcing_scale for frame in forcings),
                (pool.statics - self.static_mean) / self.static_scale,
                structural,
            ],
            axis=-1,
        )

    def base(self, current: Float[Array, "*grid targets"]) -> Float[Array, "*grid targets"]:
        """The field that the network's output is added to."""
        return jnp.where(self.fed, current, self.mean)

    def prediction(
        self, output: Float[Array, "*grid targets"], current: Float[Array, "*grid targets"]
    ) -> Float[Array, "*grid targets"]:
        """The next frame in physical units."""
        predicted: Array = output * self.increment + self.base(current)
        return predicted

    def wanted_output(
        self, target: Float[Array, "*grid targets"], current: Float[Array, "*grid targets"]
    ) -> Float[Array, "*grid targets"]:
        """The output that would predict `target` exactly."""
        exact: Array = (target - self.base(current)) / self.increment
        return exact


def normaliser(channels: Channels, moments: Moments) -> Normaliser:
    """The statistics of a task's channels; a variable that the task lacks needs none."""
    fed = np.isin(np.arange(len(channels.targets)), channels.fed)
    scale = column(moments.stddev, channels.targets)
    changes = [channels.targets[i] for i in channels.fed]
    increment = scale.copy()
    increment[fed] = column(moments.diffs_stddev, tuple(changes))
    return Normaliser(
        mean=column(moments.mean, channels.targets),
        scale=scale,
        forcing_mean=column(moments.mean, channels.forcings),
        forcing_scale=column(moments.stddev, channels.forcings),
        static_mean=column(moments.mean, channels.statics),
        static_scale=column(moments.stddev, channels.statics),
        fed=fed,
        increment=increment,
    )
