"""The windows of a run, as many at a time as the machine takes, each read when its turn comes.

A window that cannot be read, or that no forecast can start from, does not stop the others: it is
left out of its turn, with the reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from data.stores.forecast.header import ForecastHeader
from data.windows import Window
from graphcast.machine.hosts import process_count
from graphcast.operations.provenance import window_sha256
from graphcast.operations.run import Member, Run
from graphcast.operations.starts import Starts

Place = tuple[int, int]  # (init, member): the position of a window in the store


class Fault(NamedTuple):
    """A forecast that could not be made: its place, and why."""

    place: Place
    error: Exception


@dataclass(frozen=True)
class Turn:
    """Windows that are forecast side by side, read.

    Attributes:
        places: the place of each window in the store.
        members: the member of each.
        windows: the windows.
        records: the manifest's record of each: init time, SHA-256 and notes.
        faults: the windows of this turn that could not be read.
    """

    places: tuple[Place, ...]
    members: tuple[Member, ...]
    windows: tuple[Window, ...]
    records: tuple[dict[str, Any], ...]
    faults: tuple[Fault, ...] = ()


# No caller may hold a turn while it asks for the next one: two windows would be in memory.


def turns_of(
    run: Run, starts: Starts, side_by_side: int, places: list[Place] | None = None
) -> Iterator[Turn]:
    """The turns of a run, each read when it is asked for.

    Args:
        run: what is forecast.
        starts: where its windows come from.
        side_by_side: how many windows a turn has.
        places: some places of the run; None: all.
    """
    every = [(int(i), int(j)) for i, j in np.ndindex(len(run.init_times), len(run.members))]
    chosen = every if places is None else places
    for begin in range(0, len(chosen), side_by_side):
        yield _turn(run, starts, tuple(chosen[begin : begin + side_by_side]))


def position(header: ForecastHeader, place: Place) -> int:
    """The number of a window, counted as `turns_of` does."""
    return place[0] * (len(header.members) or 1) + place[1]


def _turn(run: Run, starts: Starts, places: tuple[Place, ...]) -> Turn:
    read: dict[Place, Window] = {}
    faults = []
    for place in places:
        try:
            read[place] = _window(run, starts, place)
        except (ValueError, OSError) as error:
            # Processes of one forecast must leave out the same windows: there, any error ends all.
            if len(run.windows) == 1 or process_count() > 1:
                raise
            faults.append(Fault(place, error))
    records = tuple(
        {
            "init_time": str(window.init_time),
            "sha256": window_sha256(window, window.init_time + run.leads[-1]),
            "notes": list(window.provenance),
        }
        for window in read.values()
    )
    members = tuple(run.members[j] for _, j in read)
    return Turn(tuple(read), members, tuple(read.values()), records, tuple(faults))


def _window(run: Run, starts: Starts, place: Place) -> Window:
    window = starts.window(run.init_times[place[0]], run.members[place[1]])
    window.check_forcings(run.steps)
    return window
