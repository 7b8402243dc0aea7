"""`means_of`: the one pass over the fields, one init time after the other.

Fields are NumPy arrays of one init time and lead time, read in whole chunks that a small store
keeps, so memory does not grow with the length of the forecast or the number of init times. Threads
take init times in turn. The result is one number per init time, lead time, level and region.
"""

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from data.wording import hour, listed
from verification.alignment import Alignment
from verification.averaging import RegionWeights, RowWeights
from verification.entrants import Entrant
from verification.fields import Recent
from verification.means import Means, Part, Shard
from verification.means_store import MeansStore
from verification.occasion import Reader
from verification.regions import HEADLINE_REGIONS
from verification.shard import GLOBAL, shard_of
from verification.statistic import Statistic

Progress = Callable[[int, int], None]
Missing = Literal["refuse", "count"]


@dataclass(frozen=True)
class Space:
    """How fields are averaged over the globe.

    Attributes:
        regions: names that `regions.region_named` knows.
        rows: how a row of the grid counts.
        missing: whether points without a value are refused, or left out of forecast and truth
            alike and counted in the weights of the means.
    """

    regions: tuple[str, ...] = HEADLINE_REGIONS
    rows: RowWeights = "area"
    missing: Missing = "refuse"


def means_of(
    entrants: Sequence[Entrant],
    statistics: Iterable[Statistic],
    space: Space | Sequence[str] = HEADLINE_REGIONS,
    *,
    store: Path | None = None,
    threads: int | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Means]:
    """Means of statistics, by the name of the entrant.

    Args:
        entrants: the forecasts to score, with different names. Fields of one `Alignment` are read
            once for all its entrants.
        statistics: computed for every entrant; `Metric.statistics` lists those of a metric.
        space: how fields are averaged, or just the names of the regions.
        store: a store of means to write, one init time at a time; None keeps the means in memory.
            An interrupted call resumes when it is repeated with the same arguments, or with init
            times added. Forecast and truth are recognised by their paths, labels and attributes,
            not by their values.
        threads: how many init times are worked on at once; by default one for each processor.
        progress: called with the number of finished lead times, of all init times, and of all.

    Raises:
        ValueError: an unknown region; a variable that an entrant does not have; a value that is
            missing or not finite; a statistic whose field has an axis that it does not declare.
    """
    space = space if isinstance(space, Space) else Space(tuple(space))
    work = Work.of(entrants, statistics, space)
    if store is None:
        return joined(dict(work.shards(frozenset(), threads, progress)), [e.name for e in entrants])
    with MeansStore.open(store, work.made_from) as building:
        for init_time, shard in work.shards(building.done, threads, progress):
            building.write(init_time, shard)
        means = building.read()
        building.finish()
    return means


def joined(shards: dict[np.datetime64, Shard], names: Iterable[str]) -> dict[str, Means]:
    """The means of all init times, by entrant."""
    return {
        name: Means.joined({time: shard[name] for time, shard in shards.items() if name in shard})
        for name in names
    }


@dataclass(frozen=True, eq=False)
class Work:
    """The entrants, statistics and space of one call; `shard` makes the means of one init time."""

    entrants: tuple[Entrant, ...]
    statistics: tuple[Statistic, ...]
    space: Space
    recent: Recent = field(default_factory=Recent)

    @classmethod
    def of(
        cls, entrants: Sequence[Entrant], statistics: Iterable[Statistic], space: Space
    ) -> "Work":
        """The work, checked.

        Raises:
            ValueError: as `means_of`.
        """
        distinct = tuple(dict.fromkeys(statistics))
        _check(entrants, distinct, space.regions)
        work = cls(tuple(entrants), distinct, space)
        _ = work._readers, work._weights  # made before threads share them
        return work

    @property
    def alignments(self) -> tuple[Alignment, ...]:
        """The alignments of all entrants, each once."""
        return tuple({id(e.alignment): e.alignment for e in self.entrants}.values())

    @property
    def init_times(self) -> tuple[np.datetime64, ...]:
        """All init times that an entrant can be scored at, ascending."""
        return tuple(sorted({time for a in self.alignments for time in a.init_times}))

    @property
    def made_from(self) -> dict[str, object]:
        """Everything that the numbers depend on, except the init times."""
        return {
            "entrants": [(type(e).__name__, e.name) for e in self.entrants],
            "statistics": [repr(s) for s in self.statistics],
            "space": repr(self.space),
            "inputs": [_described(alignment) for alignment in self.alignments],
        }

    def shards(
        self, done: Collection[str], threads: int | None, progress: Progress
    ) -> Iterator[tuple[np.datetime64, Shard]]:
        """The means at each init time that is not in `done`, in any order, by entrant."""
        times = [time for time in self.init_times if hour(time) not in done]
        waiting = iter(times)
        tally = _Tally(progress, self._cells(times), self._cells(self.init_times))
        count = threads or os.cpu_count() or 1
        # one thread for each init time: matrix products within it would only be in each other's way
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(count) as pool:
            running: dict[Future[Shard], np.datetime64] = {}
            try:
                while True:
                    for time in waiting:
                        running[pool.submit(self.shard, time, tally.tick)] = time
                        if len(running) > count:
                            break
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), future.result()
            finally:
                for future in running:
                    future.cancel()

    def _cells(self, times: Collection[np.datetime64]) -> int:
        """How many init times with their lead times all alignments have."""
        scored = [
            a.scored.sel(time=[t for t in a.init_times if t in times]) for a in self.alignments
        ]
        return sum(int(each.sum()) for each in scored)

    def shard(self, init_time: np.datetime64, tick: Callable[[], None] = lambda: None) -> Shard:
        """The means of every entrant that has this init time; `tick` after each lead time."""
        shard: dict[str, Mapping[str, Part]] = {}
        for alignment, reader, weights in zip(
            self.alignments, self._readers, self._weights, strict=True
        ):
            if init_time in alignment.init_times:
                entrants = [e for e in self.entrants if e.alignment is alignment]
                shard.update(
                    shard_of(
                        entrants,
                        reader,
                        init_time,
                        self.statistics,
                        weights,
                        missing=self.space.missing,
                        tick=tick,
                    )
                )
        return shard

    @cached_property
    def _readers(self) -> tuple[Reader, ...]:
        variables = dict.fromkeys(v for s in self.statistics for v in s.variables)
        return tuple(Reader(alignment, variables, self.recent) for alignment in self.alignments)

    @cached_property
    def _weights(self) -> tuple[RegionWeights, ...]:
        return tuple(
            RegionWeights.on(
                alignment.grid, self.space.regions, rows=self.space.rows, surface=alignment.surface
            )
            for alignment in self.alignments
        )


class _Tally:
    """Counts finished lead times for `progress`, from any thread."""

    def __init__(self, progress: Progress, left: int, total: int) -> None:
        self._progress = progress
        self._done, self._total = total - left, total
        self._lock = threading.Lock()
        progress(self._done, total)

    def tick(self) -> None:
        """One more is done."""
        with self._lock:
            self._done += 1
            self._progress(self._done, self._total)


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


def _check(
    entrants: Sequence[Entrant], statistics: Sequence[Statistic], regions: Sequence[str]
) -> None:
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
    if any(s.whole_globe for s in statistics) and GLOBAL not in regions:
        raise ValueError(
            "spectra are of the whole globe, and `regions` does not name global; add it"
            ", or leave spectra out"
        )
    for entrant in entrants:
        for statistic in statistics:
            lacking = [v for v in statistic.variables if v not in entrant.alignment.variables]
            if lacking:
                raise ValueError(
                    f"{statistic!r} needs {listed(lacking)}, which {entrant.name} or its truth "
                    "does not have; score it apart, with the statistics of what it has"
                )
