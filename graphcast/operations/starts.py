"""The windows that forecasts start from, checked early and read late.

Labels (times, variables, levels, units, grids) are cheap, so the labels of every window are checked
when the inputs are opened. Values are read and checked when a forecast reaches the window, and
freed after it: at 0.25° and 37 levels a window takes 1.9 GB.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import xarray as xr

from data.grids import grid_of
from data.init_time import initial_time
from data.sources import open_inputs
from data.stores.kind import kind_of
from data.task import Task
from data.windows import Window, check_labels, window
from data.wording import hour, listed
from graphcast.operations.run import Member
from mesh.grid import LatLonGrid


@runtime_checkable
class Starts(Protocol):
    """Where the windows of a run come from: files (`FileStarts`), or anything with this method."""

    def window(self, init_time: np.datetime64, member: Member) -> Window:
        """Read and check one window; nothing keeps it but the caller.

        Raises:
            ValueError: no forecast can start from its values.
        """
        ...


class Entry(NamedTuple):
    """One entry (batch entry or member) of the inputs, not read yet."""

    init_time: np.datetime64
    dataset: xr.Dataset
    forcings: xr.Dataset | None


@dataclass(frozen=True)
class FileStarts:
    """Windows of files, one for each entry; `open_starts` makes and checks it.

    Attributes:
        task: what the windows hold.
        entries: in the order of their init times. The init times all differ, or are all the same;
            if they are the same, the entries are members.
    """

    task: Task
    entries: tuple[Entry, ...]

    @property
    def init_times(self) -> tuple[np.datetime64, ...]:
        """The times of the entries, ascending."""
        return tuple(sorted({entry.init_time for entry in self.entries}))

    @property
    def members(self) -> tuple[Member, ...]:
        """One for each entry of an init time."""
        count = len(self.entries) // len(self.init_times)
        return tuple(Member(number=number, entry=number) for number in range(count))

    @property
    def grid(self) -> LatLonGrid:
        """The grid of the entries."""
        return grid_of(self.entries[0].dataset)

    def window(self, init_time: np.datetime64, member: Member) -> Window:
        """The window of the member's entry at this time; see `data.windows.window`."""
        entries = [entry for entry in self.entries if entry.init_time == init_time]
        if member.entry >= len(entries):
            raise ValueError(
                f"the inputs have {len(entries)} entries for {hour(init_time)}, and entry "
                f"{member.entry} (from 0) is asked for; they start at "
                f"{listed(map(hour, self.init_times))}"
            )
        entry = entries[member.entry]
        start = window(entry.dataset, self.task, init_time=init_time, forcings=entry.forcings)
        return _with_comment(start, entry.dataset)


def open_starts(
    task: Task, inputs: str, *, forcings: str | None = None, init_time: np.datetime64 | None = None
) -> FileStarts:
    """Open the inputs and check all labels, without reading values.

    Args:
        task: what the model reads.
        inputs: a file, a Zarr store or a URL with the frames at t - step and t.
        forcings: a file, a store or a URL with forcings at later times; None: compute them.
        init_time: t, where the inputs hold several.

    Raises:
        ValueError: no forecast can start from the inputs, by their labels.
    """
    datasets = open_inputs(inputs, init_time=init_time)
    times = [initial_time(dataset, task.step, init_time) for dataset in datasets]
    further = [None] * len(times) if forcings is None else _forcings_for(times, forcings)
    for dataset, time, forcing in zip(datasets, times, further, strict=True):
        check_labels(dataset, task, init_time=time, forcings=forcing)
    entries = map(Entry, times, datasets, further)
    starts = FileStarts(task, tuple(sorted(entries, key=lambda entry: entry.init_time)))
    if len(starts.init_times) not in (1, len(times)):
        raise ValueError(
            "batch entries either all start at different times or all at the same one; these "
            f"{len(times)} entries start at {len(starts.init_times)} times, so give them in "
            "separate files"
        )
    return starts


def _forcings_for(init_times: list[np.datetime64], path: str) -> list[xr.Dataset]:
    """The forcings of each entry of the inputs; relative times count from its init time."""
    opened = {init: open_inputs(path, init_time=init) for init in set(init_times)}
    count = len(opened[init_times[0]])
    if count not in (1, len(init_times)):
        raise ValueError(
            f"`forcings` has as many batch entries as `inputs`, or one for all; "
            f"it has {count} and `inputs` has {len(init_times)}"
        )
    return [opened[init][i % count] for i, init in enumerate(init_times)]


def _with_comment(start: Window, entry: xr.Dataset) -> Window:
    """The window, noting what a prepared dataset says of itself (such as a repeated frame)."""
    comment = entry.attrs.get("comment")
    if kind_of(entry.attrs) != "analyses" or not comment:
        return start
    return replace(start, provenance=(*start.provenance, f"all variables: {comment}"))
