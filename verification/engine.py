"""`means_of`: the one pass over the fields, one init time after the other.

The variables of one statistic are read together and every variable once, lazily over lead times:
dask holds as many lead times in memory as it has threads, whatever the length of the forecast or
the number of init times. The result is one number per init time, lead time, level and region.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from dask.base import compute

from data.wording import hour, hours, listed
from verification.alignment import Alignment
from verification.averaging import RegionWeights
from verification.entrants import Entrant
from verification.means import Means, WeightedSum
from verification.means_store import MeansStore
from verification.regions import HEADLINE_REGIONS
from verification.sample import Sample
from verification.statistic import Statistic

POINT = ("prediction_timedelta", "level", "latitude", "longitude")  # dimensions of a variable

Progress = Callable[[int, int], None]


def means_of(
    entrants: Sequence[Entrant],
    statistics: Iterable[Statistic],
    regions: Sequence[str] = HEADLINE_REGIONS,
    *,
    store: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Means]:
    """Means of statistics, by the name of the entrant.

    Args:
        entrants: the forecasts to score, with different names. Fields of one `Alignment` are read
            once for all its entrants.
        statistics: computed for every entrant; `Metric.statistics` lists those of a metric.
        regions: names of `regions.REGIONS`.
        store: a store of means to write, one init time at a time; None keeps the means in memory.
            An interrupted call resumes when it is repeated with the same arguments, or with init
            times added. Forecast and truth are recognised by their paths, labels and attributes,
            not by their values.
        progress: called with the number of finished parts and of all parts.

    Raises:
        ValueError: an unknown region; a variable that an entrant does not have; a value that is
            missing or not finite; a statistic whose field has a dimension that it does not declare.
    """
    work = _Work.of(entrants, statistics, regions)
    if store is None:
        shards = [shard for _, shard in work.shards(frozenset(), progress)]
        return {e.name: Means.joined([s[e.name] for s in shards if e.name in s]) for e in entrants}
    with MeansStore.open(store, work.made_from) as building:
        for init_time, shard in work.shards(building.done, progress):
            building.write(init_time, shard)
        means = building.read()
        building.finish()
    return means


@dataclass(frozen=True, eq=False)
class _Work:
    """The entrants, statistics and regions of one call."""

    entrants: tuple[Entrant, ...]
    groups: tuple[tuple[Statistic, ...], ...]  # no variable is in two of them
    regions: tuple[str, ...]

    @classmethod
    def of(
        cls, entrants: Sequence[Entrant], statistics: Iterable[Statistic], regions: Sequence[str]
    ) -> "_Work":
        distinct = tuple(dict.fromkeys(statistics))
        _check(entrants, distinct)
        return cls(tuple(entrants), _sharing_variables(distinct), tuple(regions))

    @property
    def alignments(self) -> tuple[Alignment, ...]:
        return tuple({id(e.alignment): e.alignment for e in self.entrants}.values())

    @property
    def made_from(self) -> dict[str, object]:
        """Everything that the numbers depend on, except the init times."""
        return {
            "entrants": [(type(e).__name__, e.name) for e in self.entrants],
            "statistics": [repr(s) for group in self.groups for s in group],
            "regions": self.regions,
            "inputs": [_described(alignment) for alignment in self.alignments],
        }

    def shards(
        self, done: Collection[str], progress: Progress
    ) -> Iterator[tuple[np.datetime64, dict[str, Means]]]:
        """The means at each init time that is not in `done`, by entrant."""
        weights = [RegionWeights.on(a.grid, self.regions) for a in self.alignments]
        init_times = sorted({time for a in self.alignments for time in a.init_times})
        total = len(init_times) * len(self.groups)
        for i, init_time in enumerate(init_times):
            if hour(init_time) in done:
                continue
            shard: dict[str, dict[str, WeightedSum]] = {}
            for j, group in enumerate(self.groups):
                progress(i * len(self.groups) + j, total)
                for alignment, weight in zip(self.alignments, weights, strict=True):
                    if init_time in alignment.init_times:
                        entrants = [e for e in self.entrants if e.alignment is alignment]
                        for name, sums in _of_group(entrants, init_time, group, weight).items():
                            shard.setdefault(name, {}).update(sums)
            yield init_time, {name: Means(sums) for name, sums in shard.items()}
        progress(total, total)


def _described(alignment: Alignment) -> dict[str, object]:
    """Paths, labels and attributes of forecast and truth; not their values."""
    forecast, truth = alignment.forecast, alignment.truth
    return {
        "labels": {
            dim: forecast[dim].values.tolist()
            for dim in map(str, forecast.dims)
            if dim != "time" and dim in forecast.coords
        },
        "attributes": [dict(dataset.attrs) for dataset in (forecast, truth)],
        "places": [str(dataset.encoding.get("source")) for dataset in (forecast, truth)],
        "climatology": alignment.climatology is not None,
    }


def _check(entrants: Sequence[Entrant], statistics: Sequence[Statistic]) -> None:
    names = [entrant.name for entrant in entrants]
    if len({*names}) < len(names):
        raise ValueError(
            f"entrants are told apart by their names, and these are {listed(names)}; name one of "
            "them otherwise"
        )
    if len({repr(statistic) for statistic in statistics}) < len(statistics):
        raise ValueError(
            f"two statistics differ and have one repr among {listed(map(repr, statistics), 99)}; "
            "make them frozen dataclasses with names of their own"
        )
    for entrant in entrants:
        for statistic in statistics:
            lacking = [v for v in statistic.variables if v not in entrant.alignment.variables]
            if lacking:
                raise ValueError(
                    f"{statistic!r} needs {listed(lacking)}, which {entrant.name} or its truth "
                    "does not have; score it apart, with the statistics of what it has"
                )


def _sharing_variables(statistics: Sequence[Statistic]) -> tuple[tuple[Statistic, ...], ...]:
    """Groups of statistics such that each variable is needed by one group only."""
    groups: list[tuple[set[str], list[Statistic]]] = []
    for statistic in statistics:
        variables, members = set(statistic.variables), [statistic]
        for group in [group for group in groups if group[0] & variables]:
            groups.remove(group)
            variables, members = group[0] | variables, [*group[1], *members]
        groups.append((variables, members))
    return tuple(tuple(members) for _, members in groups)


def _of_group(
    entrants: Sequence[Entrant],
    init_time: np.datetime64,
    statistics: Sequence[Statistic],
    weights: RegionWeights,
) -> dict[str, dict[str, WeightedSum]]:
    """Means of a group of statistics at one init time, for entrants of one alignment."""
    alignment: Alignment = entrants[0].alignment
    variables = tuple(dict.fromkeys(v for s in statistics for v in s.variables))
    occasion = alignment.at(init_time, variables)
    samples = {entrant.name: entrant.sample(occasion) for entrant in entrants}
    lazy = {
        (name, statistic): weights.mean(_field(statistic, sample))
        for name, sample in samples.items()
        for statistic in statistics
    }
    # all at once: each chunk is read once
    computed = compute(*lazy.values())  # type: ignore[no-untyped-call]  # dask does not type it
    made: dict[str, dict[str, WeightedSum]] = {name: {} for name in samples}
    for (name, statistic), mean in zip(lazy, computed, strict=True):
        if not np.isfinite(mean).all():
            raise ValueError(_not_finite(statistic, init_time, samples[name]))
        values = mean.expand_dims(init_time=[init_time])
        weight = xr.ones_like(values["prediction_timedelta"], float).expand_dims(
            init_time=[init_time]
        )
        made[name][repr(statistic)] = WeightedSum(values, weight)
    return made


def _field(statistic: Statistic, sample: Sample) -> xr.DataArray:
    """The field of a statistic; a dimension that the statistic does not declare is refused."""
    field = statistic.field(sample)
    unknown = [str(dim) for dim in field.dims if dim not in (*POINT, *statistic.bins)]
    if unknown:
        remedy = (
            "wrap it in Each to take it of every member by itself"
            if unknown == ["number"]
            else "name what it adds in `bins`"
        )
        raise ValueError(
            f"the field of {statistic!r} has the dimension {listed(unknown)}, which the statistic "
            f"does not declare; {remedy}"
        )
    return field


def _not_finite(statistic: Statistic, init_time: np.datetime64, sample: Sample) -> str:
    """The message that names the field, init time and lead times of values that are not finite."""
    for role, fields in sample._asdict().items():
        for variable in statistic.variables if fields is not None else ():
            values = fields[variable]
            whole = np.isfinite(values).all([d for d in values.dims if d != POINT[0]])
            if not whole.all():
                where = ""
                if POINT[0] in whole.dims:
                    bad = whole[POINT[0]].values[~whole.values]
                    where = f" at {', '.join(f'+{hours(lead):g}' for lead in bad)} h"
                return (
                    f"the {role} of {variable} from {hour(init_time)} has values that are missing "
                    f"or not finite{where}; they are not skipped: repair the {role} or leave "
                    f"{variable} out"
                )
    return (
        f"{statistic!r} from {hour(init_time)} is not finite though its fields are: look for "
        "values that are far too large"
    )
