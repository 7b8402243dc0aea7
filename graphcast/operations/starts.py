"""The windows that forecasts start from, checked early and read late.

Labels (times, variables, levels, units, grids) are cheap, so the labels of every window are checked
when the inputs are opened. Values are read and checked when a forecast reaches the window, and
freed after it: at 0.25° and 37 levels a window takes 1.9 GB.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import xarray as xr

from data.grids import grid_of
from data.init_time import initial_time, possible_times
from data.provenance import remarks
from data.sources import open_inputs
from data.sources.files.places import Places
from data.sources.inputs import count_from_init_time, open_joined
from data.sources.together import Joined
from data.stores.kind import kind_of
from data.task import Task
from data.time_range import LATEST, AskedTimes
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
    """One entry (batch entry or member) of the inputs at one init time, not read yet.

    Attributes:
        init_time: the time of the later frame.
        dataset: the entry at all of its times.
        forcings: those that a file gives; None: all are computed.
        files: of several files that are read as one, those that the frames come from.
    """

    init_time: np.datetime64
    dataset: xr.Dataset
    forcings: xr.Dataset | None
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileStarts:
    """Windows of files, one for each entry; `open_starts` makes and checks it.

    Attributes:
        task: what the windows hold.
        entries: in the order of their init times; equally many for each. Those of one init time are
            members.
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
    def times(self) -> np.ndarray:
        """Every time that some entry has, ascending."""
        return np.unique(np.concatenate([entry.dataset["time"].values for entry in self.entries]))

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
        return _with_notes(start, entry)


def open_starts(
    task: Task,
    inputs: Places,
    *,
    forcings: str | None = None,
    init_times: AskedTimes = None,
) -> FileStarts:
    """Open the inputs and check all labels, without reading values.

    Args:
        task: what the model reads.
        inputs: files, folders, patterns, Zarr stores or URLs with the frames at t - step and t of
            every init time t; several are read as one.
        forcings: a file, a store or a URL with forcings at later times; None: compute them.
        init_times: the init times, or "latest"; None where the inputs have a single one.

    Raises:
        ValueError: no forecast can start from the inputs, by their labels.
    """
    asked = init_times if isinstance(init_times, tuple) else ()
    origin = asked[0] if len(asked) == 1 else None
    required = [name for name in task.inputs if name not in task.forcings]
    opened = open_joined(inputs, init_time=origin, required=required)
    if init_times == LATEST:
        asked = (_latest(opened, task),)
    starts = [
        (time, number)
        for number, each in enumerate(opened)
        for time in (_times_of(each, asked, task, alone=len(opened) == 1))
    ]
    for time in asked:
        if time not in [start for start, _ in starts]:  # no entry has it
            initial_time(opened[0].dataset, task.step, time)
    further = _forcings_for(sorted({time for time, _ in starts}), len(opened), forcings)
    entries = [
        Entry(time, each.dataset, further(time, number), each.files_at([time - task.step, time]))
        for time, number in starts
        for each in (opened[number],)
    ]
    for entry in entries:
        check_labels(entry.dataset, task, init_time=entry.init_time, forcings=entry.forcings)
    by_time = Counter(entry.init_time for entry in entries)
    if len(set(by_time.values())) > 1:
        raise ValueError(
            "every init time has as many batch entries or members as the others; these "
            f"{len(entries)} entries start at {len(by_time)} times, so give them in separate files"
        )
    return FileStarts(task, tuple(sorted(entries, key=lambda entry: entry.init_time)))


def _times_of(
    opened: Joined, asked: Sequence[np.datetime64], task: Task, *, alone: bool
) -> list[np.datetime64]:
    """The init times of one entry: those asked for, or its only one.

    An entry that has neither frame of a time belongs to another date, where there are others.
    """
    if not asked:
        return [initial_time(opened.dataset, task.step)]
    for time in asked:
        for frame in (time - task.step, time):
            if lacking := opened.incomplete.get(frame):
                raise ValueError(
                    f"a forecast from {hour(time)} needs every variable at {hour(frame)}, and none"
                    f" of the files has {listed(lacking)} there; add the file, or choose another"
                    " init time (`init_time`)"
                )
    has = opened.dataset["time"].values if "time" in opened.dataset.coords else np.array([])
    here = [time for time in asked if alone or np.isin([time - task.step, time], has).any()]
    return [initial_time(opened.dataset, task.step, time) for time in here]


def _latest(opened: Sequence[Joined], task: Task) -> np.datetime64:
    """The last time that a forecast can start at."""
    possible = [possible_times(each.dataset, task.step) for each in opened]
    times = np.concatenate(possible)
    if not times.size:
        return initial_time(opened[0].dataset, task.step)  # raises, and says why
    latest: np.datetime64 = times.max()
    return latest


def _forcings_for(
    times: Sequence[np.datetime64], count: int, path: str | None
) -> Callable[[np.datetime64, int], xr.Dataset | None]:
    """The forcings of an entry at its init time, from which relative times count."""
    if path is None:
        return lambda time, number: None
    if count_from_init_time(path):
        opened = {time: open_inputs(path, init_time=time) for time in times}
    else:
        opened = dict.fromkeys(times, open_inputs(path))
    found = len(opened[times[0]])
    if found not in (1, count):
        raise ValueError(
            f"`forcings` has as many batch entries as `inputs`, or one for all; "
            f"it has {found} and `inputs` has {count}"
        )
    return lambda time, number: opened[time][number % found]


def _with_notes(start: Window, entry: Entry) -> Window:
    """The window, noting its files and what a prepared dataset says of itself."""
    attributes = entry.dataset.attrs
    comment = attributes.get("comment") if kind_of(attributes) == "analyses" else None
    notes = [*filter(None, [comment]), *remarks(entry.dataset)]
    if entry.files:
        notes.append(f"read from {', '.join(entry.files)}")
    return replace(start, provenance=(*start.provenance, *(f"all variables: {n}" for n in notes)))
