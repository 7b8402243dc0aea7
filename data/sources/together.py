"""Several files as one Dataset: surface and pressure-level fields, one file a day, or both.

Fields are joined by their labels. A variable may be in any of the files, at any of the times; the
rules for what comes twice are those of a folder of files (`data.sources.series.folder`).
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from data.sources.files.opening import as_weather
from data.sources.series.collection import Lazy
from data.sources.series.folder import Folder
from data.variables import VARIABLES
from data.wording import hour, listed

_NOWHERE = Path()  # files need no folder for downloads


class Joined(NamedTuple):
    """A canonical Dataset, unread, and where its times come from.

    Attributes:
        dataset: the fields of all files.
        times: file → its times; a file without times has none.
        incomplete: times of the files that are left out → the required variables that lack there.
    """

    dataset: xr.Dataset
    times: Mapping[str, np.ndarray]
    incomplete: Mapping[np.datetime64, tuple[str, ...]]

    def files_at(self, times: Sequence[np.datetime64]) -> tuple[str, ...]:
        """The files that have one of these times, or fields without a time."""
        return tuple(
            name for name, its in self.times.items() if not its.size or np.isin(times, its).any()
        )


def joined(
    entries: Mapping[str, Sequence[xr.Dataset]], required: Collection[str] = ()
) -> list[Joined]:
    """One Dataset for each batch entry or member, from the same entry of every file.

    Args:
        entries: file → its entries, with the file's own names and absolute times. A file with a
            single entry, such as statics, is part of all.
        required: variables that every time of the result has; times without one are left out.

    Raises:
        ValueError: files have other numbers of entries, no common time, or fields that cannot be
            brought together.
    """
    counts = {file: len(each) for file, each in entries.items()}
    count = max(counts.values())
    if set(counts.values()) - {1, count}:
        few = next(file for file, n in counts.items() if n not in (1, count))
        many = next(file for file, n in counts.items() if n == count)
        raise ValueError(
            "files that are read together have as many batch entries or members as one another,"
            f" or one for all; {many} has {count} and {few} has {counts[few]}"
        )
    return [
        _joined({file: each[i % len(each)] for file, each in entries.items()}, required)
        for i in range(count)
    ]


def _joined(raw: Mapping[str, xr.Dataset], required: Collection[str]) -> Joined:
    files = {file: _lazy(file, dataset) for file, dataset in raw.items()}
    times_of: dict[str, np.ndarray] = {}  # of each variable
    for lazy in files.values():
        for name in lazy.names:
            if VARIABLES[name].varies_in_time:
                times_of[name] = np.union1d(times_of.get(name, lazy.times[:0]), lazy.times)
    everything = np.unique(np.concatenate([lazy.times for lazy in files.values()]))
    needed = {name: times for name, times in times_of.items() if name in required}
    incomplete = {
        time: lacking
        for time in everything
        if (lacking := tuple(name for name, times in needed.items() if time not in times))
    }
    complete = np.setdiff1d(everything, np.array(list(incomplete), everything.dtype))
    if everything.size and not complete.size:
        some = {name: f"{name} at {listed(map(hour, times))}" for name, times in needed.items()}
        raise ValueError(
            "files that are read together share times, and there is none that has every variable:"
            f" {'; '.join(list(dict.fromkeys(some.values()))[:4])}"
        )
    folder = Folder(files)
    dataset = folder.at(complete, sorted(folder.names or ()), _NOWHERE)
    attrs = _agreed([dict(dataset.attrs) for dataset in raw.values()])
    return Joined(
        dataset.assign_attrs(attrs), {f: lazy.times for f, lazy in files.items()}, incomplete
    )


def _lazy(file: str, raw: xr.Dataset) -> Lazy:
    with as_weather(file):
        return Lazy(raw, credit=file)


def _agreed(attributes: Sequence[Mapping[Any, Any]]) -> dict[Any, Any]:
    """Attributes that no two files contradict each other in."""
    names = {name for each in attributes for name in each}
    values = {name: {str(each[name]) for each in attributes if name in each} for name in names}
    first = {name: each[name] for each in reversed(attributes) for name in each}
    return {name: first[name] for name in sorted(names, key=str) if len(values[name]) == 1}
