"""What a long series of analyses is: times, names, and a way to read a few of each.

``Lazy`` makes one of any Dataset that is opened but not read. It cuts out times and variables
first and makes only these canonical: a public archive has millions of chunks, and a dask graph of
all of them takes longer than reading the few that are wanted.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from data.canonical import conventions
from data.canonical.precipitation import stands_for_any_period
from data.canonical.time_axis import LEAD_NAMES
from data.sources.files import deepmind
from data.variables import VARIABLES

_NEEDED_FOR = {"specific_humidity": ("relative_humidity", "temperature")}


class Series(ABC):
    """Analyses at many times.

    ``times`` (datetime64[ns], ascending) and ``names`` (of the catalogue) are what is there; a
    service has None for both, and is asked. ``remote`` sources are worth asking again when they
    fail. ``credit`` is origin and licence, as the source wants them said.
    """

    times: np.ndarray | None
    names: frozenset[str] | None
    remote: bool
    credit: str

    @abstractmethod
    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """A lazy canonical Dataset of exactly these times with those of the names that there are.

        Services keep what they fetch in ``downloads``, in files whose names begin with the date
        (YYYYMMDD). Raises ValueError or OSError where a time cannot be had.
        """

    def on(self, levels: Sequence[int]) -> "Series":
        """The same series on these levels (hPa), where they have to be asked for."""
        return self


class Lazy(Series):
    """The series in one Dataset that is opened, with its own names, and not read."""

    times: np.ndarray
    names: frozenset[str]

    def __init__(self, raw: xr.Dataset, *, remote: bool = False, credit: str = "") -> None:
        self.remote = remote
        self.credit = credit
        self._parts = _parts(raw)
        self.times = _all_times(self._parts)
        self._theirs = _their_names(self._parts[0])
        self.names = frozenset(self._theirs)

    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """See ``Series``; nothing is fetched."""
        asked = [name for name in names if name in self._theirs]
        if not asked:
            return xr.Dataset()
        theirs = list(dict.fromkeys(t for name in asked for t in self._theirs[name]))
        varying = [name for name in asked if VARIABLES[name].varies_in_time]
        parts = self._parts if varying else self._parts[:1]
        cut = [_cut(part[theirs], times) if varying else part[theirs] for part in parts]
        found = [conventions.canonical(part) for part in cut if part is not None]
        if not found:
            return xr.Dataset()
        # entries of a batch may share times: the first that has one counts
        return _distinct(together(found))[asked] if varying else found[0][asked]


def together(parts: list[xr.Dataset]) -> xr.Dataset:
    """Datasets of different times and the same variables and grid as one."""
    if len(parts) == 1:
        return parts[0]
    return xr.concat(
        parts, "time", data_vars="minimal", coords="minimal", compat="override", join="exact"
    )


def _parts(raw: xr.Dataset) -> list[xr.Dataset]:
    entries = deepmind.entries(raw, None) if deepmind.is_example(raw) else [raw]
    parts = []
    for entry in entries:
        members = conventions.members(entry)
        if len(members) > 1:
            raise ValueError(
                f"a dataset holds one analysis for each time, and here are {len(members)} members"
                " (number); select one of them first"
            )
        plain = members[0].indexes.get("time") is not None and members[0]["time"].dtype.kind == "M"
        forecast = any(name in members[0].variables for name in LEAD_NAMES)
        # of any other layout the whole is made canonical first
        parts.append(members[0] if plain and not forecast else conventions.canonical(members[0]))
    return parts


def _all_times(parts: list[xr.Dataset]) -> np.ndarray:
    times = [part["time"].values.astype("datetime64[ns]") for part in parts if "time" in part.dims]
    return np.unique(np.concatenate(times)) if times else np.array([], dtype="datetime64[ns]")


def _cut(part: xr.Dataset, times: np.ndarray) -> xr.Dataset | None:
    there = part["time"].values.astype("datetime64[ns]")
    _, place, _ = np.intersect1d(there, times, return_indices=True)
    if not place.size:
        return None
    steps = np.unique(np.diff(place))
    even = steps.size == 1 and steps[0] > 0
    # a slice where that says it: arrays that are views of a file cut it more cheaply than a list
    chosen = slice(place[0], place[-1] + 1, int(steps[0])) if even else place
    return part.isel(time=chosen)


def _distinct(dataset: xr.Dataset) -> xr.Dataset:
    times, first = np.unique(dataset["time"].values, return_index=True)
    if times.size == dataset.sizes["time"] and (np.diff(first) > 0).all():
        return dataset
    return dataset.isel(time=first)


def _their_names(raw: xr.Dataset) -> dict[str, tuple[str, ...]]:
    """Our name → the variables of the file that it is made of."""
    first = raw.isel(time=slice(0, 1)) if "time" in raw.dims else raw
    known = [str(v) for v in raw.data_vars if _may_be_known(str(v))]
    ours: dict[str, tuple[str, ...]] = {}
    for theirs in known:
        for name in conventions.canonical(first[[theirs]]).data_vars:
            if name in VARIABLES:
                ours.setdefault(str(name), (theirs,))
    for name, needed in _NEEDED_FOR.items():
        if name not in ours and all(n in ours for n in needed):
            together = tuple(theirs for n in needed for theirs in ours[n])
            if name in conventions.canonical(first[list(together)]):
                ours[name] = together
    return ours


def _may_be_known(theirs: str) -> bool:
    """Archives hold hundreds of variables; most need no second look."""
    return (
        stands_for_any_period(theirs)
        or theirs in VARIABLES
        or any(conventions.canonical_name(theirs, on_levels=levels) for levels in (True, False))
    )
