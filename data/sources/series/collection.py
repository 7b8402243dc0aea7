"""The contract of a long series of analyses, and an opened Dataset as one.

`Lazy` selects times and variables first and makes only these canonical: a public archive has
millions of chunks, and building a dask graph of all of them takes longer than reading a few.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from data.canonical import conventions
from data.canonical.axes import GRID_NAMES
from data.canonical.lead_times import LEAD_NAMES
from data.canonical.names import canonical_name
from data.canonical.precipitation import (
    HOURLY,
    counts_on,
    of_each_hour,
    stands_for_any_period,
    stating_an_hour,
)
from data.canonical.preliminary import final_first, preliminary_times
from data.provenance import remarks
from data.sources.files import deepmind
from data.stores.kind import simulator
from data.variables import VARIABLES
from data.wording import HOUR, hour

_DERIVED_FROM = {"specific_humidity": ("relative_humidity", "temperature")}


class Series(ABC):
    """Analyses at many times.

    Attributes:
        times: datetime64[ns], ascending; None for a service, which has to be asked.
        names: variables of the catalogue that the series has; None for a service.
        remote: whether a read that failed is worth another attempt.
        credit: origin and licence, as the source wants them stated.
        hourly_precipitation: for a service: whether it has totals of hours, not of six hours.
        preliminary: the times that are ERA5T, as far as the series says so.
        remarks: what was left out when the series was opened, one sentence each.
        simulated_by: what simulated the weather; "" for the Earth's.
    """

    times: np.ndarray | None
    names: frozenset[str] | None
    remote: bool
    credit: str
    hourly_precipitation: bool = False
    simulated_by: str = ""
    preliminary: np.ndarray = np.array([], "datetime64[ns]")
    remarks: tuple[str, ...] = ()

    @abstractmethod
    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """A lazy canonical Dataset of exactly these times, with those of the names that exist.

        Args:
            times: datetime64[ns], ascending, each once.
            names: variables of the catalogue.
            downloads: a folder where services keep what they fetch, in files whose names begin
                with the date (YYYYMMDD).

        Raises:
            ValueError, OSError: a time cannot be read.
        """

    def on(self, levels: Sequence[int]) -> "Series":
        """The same series on these levels (hPa); only a service needs to know them in advance."""
        return self


class Lazy(Series):
    """The series in one lazily opened Dataset that still has the file's own names."""

    times: np.ndarray
    names: frozenset[str]

    def __init__(self, raw: xr.Dataset, *, remote: bool = False, credit: str = "") -> None:
        self.remote = remote
        self.credit = credit
        self.simulated_by = simulator(raw.attrs)
        self._parts, self.preliminary = _parts(raw)
        self.times = _all_times(self._parts)
        self._sources = _source_variables(self._parts[0])
        self.names = frozenset(self._sources)
        self.remarks = _left_out(self._parts[0])

    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """The Dataset of these times, still lazy; see `Series.at`."""
        known = [name for name in names if name in self._sources]
        if not known:
            return xr.Dataset()
        raw = list(dict.fromkeys(source for name in known for source in self._sources[name]))
        varying = [name for name in known if VARIABLES[name].varies_in_time]
        if not varying:
            return conventions.canonical(_chosen(self._parts[0], raw))[known]
        selected = [_selected(_chosen(part, raw), times) for part in self._parts]
        parts = [conventions.canonical(part) for part in selected if part is not None]
        if not parts:
            return xr.Dataset()
        # entries of a batch may share times: the first that has one counts
        dataset = _distinct(joined_in_time(parts))[known]
        if HOURLY in known and self._counts_on:
            dataset[HOURLY] = self._of_each_hour(dataset["time"].values)
        return dataset

    @cached_property
    def _counts_on(self) -> bool:
        """Whether hourly precipitation is counted on since 00 UTC, looked at in one day.

        Then it also starts anew after 00 UTC, if the series has that hour and the next.
        """
        hours_of_day = self.times.astype("datetime64[h]").astype(np.int64) % 24
        days = self.times.astype("datetime64[D]")
        for day in np.unique(days):
            within = self.times[(days == day) & (hours_of_day > 0)][:4]
            if within.size >= 3:
                return counts_on(self._counted(within).values) and self._starts_anew()
        return False

    def _starts_anew(self) -> bool:
        midnights = np.unique(self.times.astype("datetime64[D]")).astype("datetime64[ns]")
        known = [m for m in midnights if np.isin([m, m + HOUR], self.times).all()]
        if not known:
            return True
        end, start = self._counted(np.array([known[-1], known[-1] + HOUR])).values
        return bool(start.mean() < end.mean())

    def _counted(self, times: np.ndarray) -> xr.DataArray:
        """Hourly precipitation as it is stored."""
        raw = list(self._sources[HOURLY])
        selected = [_selected(part[raw], times) for part in self._parts]
        parts = [conventions.canonical(part) for part in selected if part is not None]
        return _distinct(joined_in_time(parts))[HOURLY]

    def _of_each_hour(self, times: np.ndarray) -> xr.DataArray:
        return of_each_hour(self._counted(np.union1d(times, times - HOUR)), times)


def _chosen(dataset: xr.Dataset, names: list[str]) -> xr.Dataset:
    """Some variables on the axes of the grid, which a clock, as of the year, does not have."""
    axes = {
        name: dataset[name]
        for name in dataset.coords
        if str(name).casefold() in GRID_NAMES and dataset[name].ndim == 1
    }
    return dataset[names].assign_coords(axes)


def _left_out(raw: xr.Dataset) -> tuple[str, ...]:
    """What the reader and the conventions leave out of a Dataset."""
    first = raw.isel(time=slice(0, 1)) if "time" in raw.dims else raw
    known = [str(name) for name in raw.data_vars if _may_be_known(str(name))]
    said = (*remarks(raw), *remarks(conventions.canonical(first[known]))) if known else remarks(raw)
    return tuple(dict.fromkeys(remark for remark in said if "preliminary" not in remark))


def joined_in_time(parts: list[xr.Dataset]) -> xr.Dataset:
    """Datasets of different times and the same variables and grid as one."""
    if len(parts) == 1:
        return parts[0]
    return xr.concat(
        parts, "time", data_vars="minimal", coords="minimal", compat="override", join="exact"
    )


def _parts(raw: xr.Dataset) -> tuple[list[xr.Dataset], np.ndarray]:
    """One Dataset for each batch entry, with absolute times; and which times are preliminary.

    Raises:
        ValueError: there are several members, or a time comes twice and no label says which counts.
    """
    entries = deepmind.entries(raw, None) if deepmind.is_example(raw) else [raw]
    parts: list[xr.Dataset] = []
    early: list[np.ndarray] = []
    for entry in entries:
        members = conventions.members(entry)
        if len(members) > 1:
            raise ValueError(
                f"a dataset holds one analysis for each time, and here are {len(members)} members"
                " (number); select one of them first"
            )
        (part,) = members
        if "valid_time" in part.dims and "time" not in part.variables:
            part = part.rename(valid_time="time")
        early.append(preliminary_times(part))
        dated = part.indexes.get("time") is not None and part["time"].dtype.kind == "M"
        forecast = any(name in part.variables for name in LEAD_NAMES)
        # a Dataset of any other layout is made canonical as a whole before times are selected
        parts.append(
            _hourly(_once(part)) if dated and not forecast else conventions.canonical(part)
        )
    return parts, np.unique(np.concatenate(early))


def _once(part: xr.Dataset) -> xr.Dataset:
    """The Dataset with each time once: where it stands there final and preliminary, final."""
    if not part.indexes["time"].has_duplicates:
        return part
    if "expver" in part.variables and part["expver"].dims == ("time",):
        part = final_first(part)
    if part.indexes["time"].has_duplicates:
        index = part.indexes["time"]
        twice = hour(index[index.duplicated()][0].to_numpy())
        raise ValueError(f"each time must come once, and {twice} comes twice; remove one")
    return part


def _hourly(part: xr.Dataset) -> xr.Dataset:
    """At times an hour apart, precipitation that states no period is an hour's."""
    times = np.sort(part["time"].values.astype("datetime64[ns]"))
    if times.size < 2 or (np.diff(times) != HOUR).any():
        return part
    return part.assign({name: stating_an_hour(array) for name, array in part.data_vars.items()})


def _all_times(parts: list[xr.Dataset]) -> np.ndarray:
    times = [part["time"].values.astype("datetime64[ns]") for part in parts if "time" in part.dims]
    return np.unique(np.concatenate(times)) if times else np.array([], dtype="datetime64[ns]")


def _selected(part: xr.Dataset, times: np.ndarray) -> xr.Dataset | None:
    present = part["time"].values.astype("datetime64[ns]")
    _, places, _ = np.intersect1d(present, times, return_indices=True)
    if not places.size:
        return None
    steps = np.unique(np.diff(places))
    even = steps.size == 1 and steps[0] > 0
    # a slice if the places are even: views of a file take one at less cost than a list
    return part.isel(time=slice(places[0], places[-1] + 1, int(steps[0])) if even else places)


def _distinct(dataset: xr.Dataset) -> xr.Dataset:
    times, first = np.unique(dataset["time"].values, return_index=True)
    if times.size == dataset.sizes["time"] and (np.diff(first) > 0).all():
        return dataset
    return dataset.isel(time=first)


def _source_variables(raw: xr.Dataset) -> dict[str, tuple[str, ...]]:
    """Catalogue name → the variables of the file that it is made from."""
    first = raw.isel(time=slice(0, 1)) if "time" in raw.dims else raw
    sources: dict[str, tuple[str, ...]] = {}
    for variable in (str(v) for v in raw.data_vars if _may_be_known(str(v))):
        for name in conventions.canonical(_chosen(first, [variable])).data_vars:
            if name in VARIABLES:
                sources.setdefault(str(name), (variable,))
    for name, needed in _DERIVED_FROM.items():
        if name not in sources and all(n in sources for n in needed):
            variables = tuple(variable for n in needed for variable in sources[n])
            if name in conventions.canonical(first[list(variables)]):
                sources[name] = variables
    return sources


def _may_be_known(variable: str) -> bool:
    """Archives hold hundreds of variables; most are ruled out by their names alone."""
    return (
        stands_for_any_period(variable)
        or variable in VARIABLES
        or any(canonical_name(variable, on_levels=levels) for levels in (True, False))
    )
