"""`Batches`: where the examples of an update come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from data.channels import Channel
from data.forcings import forcing_frame
from data.frames import pack
from data.task import INPUT_FRAMES, Task
from data.wording import hours, listed
from graphcast.blocks import Blocking, in_blocks
from graphcast.forecaster import Forecaster
from graphcast.loss import Example
from graphcast.machine.hosts import process_count
from graphcast.training.recipe import Recipe


@runtime_checkable
class Batches(Protocol):
    """A source of batches without a position: it can be asked for any update at any time."""

    def at(self, update: int, lead_steps: int) -> Example:
        """This process's share of an update's examples, along a first axis of each array.

        Args:
            update: its number, from 0.
            lead_steps: autoregressive steps of each example.
        """
        ...


@dataclass(frozen=True)
class Frames:
    """Consecutive frames of weather in memory, each once; any stretch of them is an example.

    Attributes:
        fields: target channels at each time, physical units.
        forcings: forcing channels at each time.
    """

    fields: Float[np.ndarray, "times grid targets"]
    forcings: Float[np.ndarray, "times grid forcings"]

    def samples(self, lead_steps: int) -> int:
        """The number of examples of `lead_steps` steps.

        Raises:
            ValueError: there are too few frames for a single one.
        """
        return number_of_samples(len(self.fields), lead_steps)

    def example(self, sample: int, lead_steps: int) -> Example:
        """Example number `sample`: arrays [grid, channels], views of the frames."""
        end = sample + lead_steps + 2
        return Example(
            previous=self.fields[sample],
            current=self.fields[sample + 1],
            forcings=self.forcings[sample:end],
            targets=self.fields[sample + 2 : end],
        )


def frames(ready: Forecaster, analyses: xr.Dataset) -> Frames:
    """The frames of canonical analyses, with forcings computed where the analyses have none.

    Args:
        ready: the network on the grid of the analyses.
        analyses: (time, [level,] latitude, longitude), one step of the task apart.

    Raises:
        ValueError: the times are not one step of the task apart, or a value is not finite.
    """
    task, times = ready.checkpoint.task, analyses["time"].values
    check_spacing(analyses, task)
    computed = [name for name in task.forcings if name not in analyses]
    axes = analyses["latitude"].values, analyses["longitude"].values

    def forcings(time: np.datetime64) -> xr.Dataset:
        return analyses.sel(time=time).assign(forcing_frame(computed, time, *axes).data_vars)

    channels = ready.channels
    packed = Frames(
        np.stack([pack(analyses.sel(time=time), channels.targets) for time in times]),
        np.stack([pack(forcings(time), channels.forcings) for time in times]),
    )
    check_finite(packed.fields, channels.targets)
    check_finite(packed.forcings, channels.forcings)
    return packed


@dataclass(frozen=True)
class InMemory:
    """Batches drawn from frames in memory.

    Attributes:
        frames: what is drawn from.
        rows: how grid points are cut into blocks, as in the training problem.
        recipe: gives the draws.
    """

    frames: Frames
    rows: Blocking
    recipe: Recipe

    def at(self, update: int, lead_steps: int) -> Example:
        """The examples of an update."""
        draw = self.recipe.draw(self.frames.samples(lead_steps))
        drawn = this_process(draw.indices(update))
        examples = [self.frames.example(int(i), lead_steps) for i in drawn]
        return batch_in_blocks(examples, self.rows)


def this_process(indices: Int[np.ndarray, " batch"]) -> Int[np.ndarray, " share"]:
    """The equal share of a batch that falls to this process."""
    processes = process_count()
    if processes == 1:
        return indices
    return np.split(indices, processes)[jax.process_index()]


def batch_in_blocks(examples: Sequence[Example], rows: Blocking) -> Example:
    """Examples [… grid, channels] as one batch [batch, … blocks, rows, channels]."""

    def stacked(*fields: Float[np.ndarray, "*frames grid channels"]) -> np.ndarray:
        *frames, grid, channels = fields[0].shape
        whole = np.stack(fields).reshape(-1, grid, channels)
        blocks = np.stack([in_blocks(frame, rows) for frame in whole])
        return blocks.reshape(len(fields), *frames, *blocks.shape[1:])

    batch: Example = jax.tree.map(stacked, *examples)
    return batch


def number_of_samples(frames: int, lead_steps: int) -> int:
    """The number of examples of `lead_steps` steps in consecutive frames.

    Raises:
        ValueError: there are too few frames for a single one.
    """
    samples = frames + 1 - INPUT_FRAMES - lead_steps
    if samples < 1:
        raise ValueError(
            f"an example of {lead_steps} step(s) takes {lead_steps + INPUT_FRAMES} frames, and the "
            f"training data have {frames}; add more times"
        )
    return samples


def check_spacing(analyses: xr.Dataset, task: Task) -> None:
    """Refuse analyses that are not one step of the task apart throughout.

    Raises:
        ValueError: there is a gap, or another step.
    """
    gaps = np.diff(analyses["time"].values)
    if not (gaps == task.step).all():
        raise ValueError(
            f"training data are {hours(task.step):g} h apart without a gap, as the task's steps; "
            f"these are {listed(sorted({hours(gap) for gap in gaps}))} h apart"
        )


def check_finite(
    rows: Float[np.ndarray, "*times grid channels"],
    channels: tuple[Channel, ...],
    where: str = "",
) -> None:
    """Refuse fields with gaps.

    Raises:
        ValueError: names the channels, and `where` they have gaps.
    """
    finite = np.isfinite(rows).all(axis=tuple(range(rows.ndim - 1)))
    if not finite.all():
        gaps = [channel for channel, whole in zip(channels, finite, strict=True) if not whole]
        raise ValueError(
            f"training data have a number everywhere, and these have gaps in {listed(gaps)}{where};"
            " leave out the times or the variables"
        )
