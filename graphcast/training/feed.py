"""Examples of an update read from a store while earlier updates run.

`Frames` packs one time after the other into the blocks of the training problem and keeps the latest
that fit into memory. `ReadAhead` lets threads read the batches of coming updates. Which samples an
update sees follows from its number (`Draw`), so there is no position to save: whoever asks for an
update gets its examples, whatever was asked for before.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float, Float32

from data.channels import Channels
from data.forcings import forcing_frame
from data.task import INPUT_FRAMES, Task
from data.wording import hour
from graphcast.blocks import Blocking, in_blocks
from graphcast.loss import Example
from graphcast.training.batches import (
    check_finite,
    check_spacing,
    number_of_samples,
    this_process,
)
from graphcast.training.recipe import Recipe

READERS = 4  # threads
MOST_AHEAD = 8  # updates
TOGETHER = 8  # times that are read at once, as many as the largest shard of a dataset has
SPACE = ("latitude", "longitude")


class Frame(NamedTuple):
    """One time in blocks of grid points, physical units."""

    fields: Float[np.ndarray, "blocks rows targets"]
    forcings: Float[np.ndarray, "blocks rows forcings"]

    @property
    def bytes(self) -> int:
        """Size of both arrays."""
        return self.fields.nbytes + self.forcings.nbytes


class StoredFrames:
    """The frames of a series of analyses, read when they are asked for, from any thread.

    Attributes:
        task: what is read.
        times: the time of each frame.
        read_bytes: how much has been read so far, as packed.
    """

    def __init__(self, analyses: xr.Dataset, task: Task, rows: Blocking, *, memory: int) -> None:
        """Frames of a canonical Dataset.

        Args:
            analyses: (time, [level,] latitude, longitude), unread, one step of the task apart.
            task: its targets and forcings are read; forcings that are not there are computed.
            rows: how grid points are cut into blocks, as in the training problem.
            memory: bytes of frames to keep.

        Raises:
            ValueError: the times are not one step of the task apart.
        """
        check_spacing(analyses, task)
        self.task, self.times, self.read_bytes = task, analyses["time"].values, 0
        self._computed = [name for name in task.forcings if name not in analyses]
        stored = [n for n in (*task.targets, *task.forcings) if n not in self._computed]
        order = ("time", "level", *SPACE)
        self._analyses = _on_levels(analyses[stored], task).transpose(*order, missing_dims="ignore")
        self._shape = tuple(analyses.sizes[dim] for dim in SPACE)
        self._axes = tuple(analyses[dim].values for dim in SPACE)
        self._channels, self._rows, self._memory = Channels(task), rows, memory
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()
        columns = len(self._channels.targets) + len(self._channels.forcings)
        whole = 4 * rows.blocks * rows.length * columns * len(self.times)
        # What will be kept anyway is read together: opening a time costs more than a small field.
        self._together = TOGETHER if whole <= memory else 1

    def samples(self, lead_steps: int) -> int:
        """The number of examples of `lead_steps` steps.

        Raises:
            ValueError: there are too few times for a single one.
        """
        return number_of_samples(len(self.times), lead_steps)

    def example(self, sample: int, lead_steps: int) -> Example:
        """Example number `sample`, whose first frame is that of the same number.

        Raises:
            ValueError: a frame has gaps, or cannot be read.
        """
        frames = [self.frame(i) for i in range(sample, sample + lead_steps + INPUT_FRAMES)]
        return Example(
            previous=frames[0].fields,
            current=frames[1].fields,
            forcings=np.stack([frame.forcings for frame in frames]),
            targets=np.stack([frame.fields for frame in frames[INPUT_FRAMES:]]),
        )

    def frame(self, index: int) -> Frame:
        """The frame of that number."""
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        first = index - index % self._together
        frames = self._read(first, min(first + self._together, len(self.times)))
        with self._lock:
            for number, frame in enumerate(frames, first):
                self.read_bytes += frame.bytes
                if number not in self._kept:
                    self._kept[number] = frame
                    self._kept_bytes += frame.bytes
            while self._kept_bytes > self._memory and len(self._kept) > 1:
                self._kept_bytes -= self._kept.popitem(last=False)[1].bytes
        return frames[index - first]

    def _read(self, first: int, end: int) -> list[Frame]:
        stored = self._analyses.isel(time=slice(first, end)).load()
        fields = {str(name): array.variable for name, array in stored.items()}
        frames = []
        for place, time in enumerate(self.times[first:end]):
            computed = forcing_frame(self._computed, time, *self._axes)
            now = {name: variable[{"time": place}] for name, variable in fields.items()}
            now |= {name: computed[name].variable for name in self._computed}
            packed = []
            for names, channels in (
                (self.task.targets, self._channels.targets),
                (self.task.forcings, self._channels.forcings),
            ):
                columns = self._columns(now, names)
                check_finite(columns, channels, f" at {hour(time)}")
                packed.append(in_blocks(columns, self._rows))
            frames.append(Frame(*packed))
        return frames

    def _columns(
        self, fields: Mapping[str, xr.Variable], names: Sequence[str]
    ) -> Float32[np.ndarray, "grid channels"]:
        """As `data.frames.pack`, for fields whose names and levels are known to be right."""
        parts = [np.empty((0, *self._shape), np.float32)]
        for name in sorted(names):
            field = fields[name]
            missing = [axis for axis, dim in enumerate(SPACE) if dim not in field.dims]
            if "level" in field.dims:
                parts.append(field.values)
            else:
                values = np.expand_dims(field.values, missing)
                parts.append(np.broadcast_to(values, self._shape)[None])
        rows = np.concatenate(parts).astype(np.float32, copy=False)
        return np.ascontiguousarray(rows.reshape(len(rows), -1).T)


class ReadAhead:
    """`Batches` of stored frames: threads read those of the next updates meanwhile.

    As a context manager it ends its threads on exit.
    """

    def __init__(self, frames: StoredFrames, recipe: Recipe, *, ahead: int = MOST_AHEAD) -> None:
        """Batches of a recipe.

        Args:
            frames: what is drawn from.
            recipe: gives the draws, and the steps of coming updates.
            ahead: how many updates to read ahead, which bounds the memory.
        """
        self._frames, self._recipe, self._ahead = frames, recipe, ahead
        self._coming: dict[tuple[int, int], Future[Example]] = {}
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    def at(self, update: int, lead_steps: int) -> Example:
        """This process's share of an update's examples, along a first axis of each array.

        Raises:
            ValueError: a frame has gaps, or cannot be read.
        """
        last = min(update + self._ahead, self._recipe.updates - 1)
        due = [(u, self._recipe.at(u).lead_steps) for u in range(update + 1, last + 1)]
        wanted = [(update, lead_steps), *due]
        for key in self._coming.keys() - set(wanted):
            self._coming.pop(key).cancel()
        for key in wanted:
            if key not in self._coming:
                self._coming[key] = self._readers.submit(self._batch, *key)
        return self._coming.pop((update, lead_steps)).result()

    def _batch(self, update: int, lead_steps: int) -> Example:
        draw = self._recipe.draw(self._frames.samples(lead_steps))
        drawn = this_process(draw.indices(update))
        examples = [self._frames.example(int(i), lead_steps) for i in drawn]
        batch: Example = jax.tree.map(lambda *arrays: np.stack(arrays), *examples)
        return batch

    def close(self) -> None:
        """End the threads; what they were about to read is dropped."""
        self._readers.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "ReadAhead":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _on_levels(analyses: xr.Dataset, task: Task) -> xr.Dataset:
    """The task's levels alone, so that no others are read."""
    if "level" not in analyses.dims or analyses["level"].values.tolist() == list(task.levels):
        return analyses
    return analyses.sel(level=list(task.levels))
