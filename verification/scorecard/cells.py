"""A scorecard as numbers: a block of cells for each metric and region, rows by lead times.

A cell is a variable, a level and a lead time: what the forecast scored there, what the reference
did, and how sure the difference is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from data.channels import Channel
from data.maps.appearance import shown
from verification.results import Comparison, Results, Score
from verification.significance import LEVEL, adjusted

RANKED = ("low", "high", "one")  # metrics in which a forecast can win; a bias is not one
BASELINES = ("persistence", "climatology")  # references where none was asked for

Key = tuple[str, int | None, float]  # variable, level, lead time in hours
Numbers = Float[np.ndarray, "rows leads"]


class Pair(NamedTuple):
    """A forecast, and what it is compared with."""

    forecast: str
    reference: str


@dataclass(frozen=True, eq=False)
class Block:
    """One metric in one region.

    Attributes:
        pair: forecast and reference.
        metric: its name.
        region: its name.
        rows: variables and levels.
        leads: hours.
        value: the forecast's score, in the units of `Results`.
        against: the reference's.
        relative: the normalised difference; below 0 the forecast's number is smaller.
        low: lower end of its interval; NaN where there is none.
        high: upper end.
        gain: `relative` with the sign that is above 0 where the forecast is better.
        n: init times in the comparison.
        p: by name of the test; NaN where there is none.
        units: of each row, as people write them.
        factors: from the units of `Results` to `units`, by row.
    """

    pair: Pair
    metric: str
    region: str
    rows: tuple[Channel, ...]
    leads: tuple[float, ...]
    value: Numbers
    against: Numbers
    relative: Numbers
    low: Numbers
    high: Numbers
    gain: Numbers
    n: Int[np.ndarray, "rows leads"]
    p: Mapping[str, Numbers]
    units: tuple[str, ...]
    factors: tuple[float, ...]

    @cached_property
    def adjusted(self) -> Mapping[str, Numbers]:
        """P of each test, adjusted for the number of cells in the block."""
        return {test: adjusted(p) for test, p in self.p.items()}

    @cached_property
    def sure(self) -> Bool[np.ndarray, "rows leads"]:
        """Where every test that was made finds a difference, after adjustment."""
        found = [p <= 1 - LEVEL for p in self.adjusted.values()]
        return np.all(found, axis=0) if found else np.zeros(self.gain.shape, bool)

    @cached_property
    def disputed(self) -> Bool[np.ndarray, "rows leads"]:
        """Where one test finds a difference and another does not."""
        found = [p <= 1 - LEVEL for p in self.adjusted.values()]
        return np.any(found, axis=0) & ~self.sure if found else np.zeros(self.gain.shape, bool)

    @property
    def scored(self) -> Bool[np.ndarray, "rows leads"]:
        """Where there is a difference at all."""
        return np.asarray(np.isfinite(self.gain))


class Share(NamedTuple):
    """How many targets of a block are won, and how many for sure.

    `won` and `lost` count signs; `surely_won` and `surely_lost` those with p ≤ 0.05 in every test,
    as in GraphCast's paper, and `after` those that stay after adjustment for their number.
    """

    targets: int
    won: int
    surely_won: int
    surely_won_after: int
    surely_lost: int
    surely_lost_after: int


def share(block: Block) -> Share:
    """Targets won and lost in a block."""
    ps = list(block.p.values())
    raw = np.all([p <= 1 - LEVEL for p in ps], axis=0) if ps else np.zeros(block.gain.shape, bool)
    won, lost = block.gain > 0, block.gain < 0
    counts = (block.scored, won, won & raw, won & block.sure, lost & raw, lost & block.sure)
    return Share(*(int(np.sum(count)) for count in counts))


def pairs(results: Results) -> tuple[Pair, ...]:
    """Who is compared with whom: as in the comparisons, else each forecast with a baseline."""
    if results.comparisons:
        return tuple(dict.fromkeys(Pair(c.forecast, c.reference) for c in results.comparisons))
    names = list(dict.fromkeys(score.forecast for score in results.scores))
    reference = next((name for name in BASELINES if name in names), None)
    if reference is None:
        return ()
    return tuple(Pair(name, reference) for name in names if name not in BASELINES)


def blocks(results: Results, pair: Pair) -> list[Block]:
    """All blocks of a pair, by region, then by metric, in the order of the results."""
    table = _Table.of(results)
    made = []
    for region in table.regions:
        for metric in table.metrics:
            ours = table.scores.get((pair.forecast, metric, region), {})
            theirs = table.scores.get((pair.reference, metric, region), {})
            if ours and theirs and results.best.get(metric) in RANKED:
                made.append(_block(results, table, pair, metric, region))
    return made


class _Table(NamedTuple):
    """The rows of results by what they are about."""

    regions: tuple[str, ...]
    metrics: tuple[str, ...]
    scores: Mapping[tuple[str, str, str], Mapping[Key, Score]]
    comparisons: Mapping[tuple[Pair, str, str], list[Comparison]]

    @classmethod
    def of(cls, results: Results) -> "_Table":
        scores: dict[tuple[str, str, str], dict[Key, Score]] = {}
        for s in results.scores:
            scores.setdefault((s.forecast, s.metric, s.region), {})[_key(s)] = s
        comparisons: dict[tuple[Pair, str, str], list[Comparison]] = {}
        for c in results.comparisons:
            pair = Pair(c.forecast, c.reference)
            comparisons.setdefault((pair, c.metric, c.region), []).append(c)
        return cls(
            tuple(dict.fromkeys(s.region for s in results.scores)),
            tuple(dict.fromkeys(s.metric for s in results.scores)),
            scores,
            comparisons,
        )


def _key(row: Score | Comparison) -> Key:
    return row.variable, None if row.level is None else int(row.level), row.lead_hours


def ordered_rows(scores: Iterable[Score]) -> tuple[Channel, ...]:
    """Variables in the order of the results, levels from the top down."""
    by_variable: dict[str, set[int]] = {}
    for score in scores:
        levels = by_variable.setdefault(score.variable, set())
        if score.level is not None:
            levels.add(int(score.level))
    return tuple(
        Channel(variable, level)
        for variable, levels in by_variable.items()
        for level in (sorted(levels) or [None])  # type: ignore[list-item]
    )


def _block(results: Results, table: _Table, pair: Pair, metric: str, region: str) -> Block:
    ours = table.scores[pair.forecast, metric, region]
    theirs = table.scores[pair.reference, metric, region]
    rows = ordered_rows(ours.values())
    leads = tuple(sorted({key[2] for key in ours}))
    place = {(*row, lead): (i, j) for i, row in enumerate(rows) for j, lead in enumerate(leads)}
    shape = (len(rows), len(leads))
    value, against = np.full(shape, np.nan), np.full(shape, np.nan)
    n = np.zeros(shape, np.int64)
    units = dict.fromkeys(rows, "1")
    for key, cell in place.items():
        if key in ours and key in theirs:
            value[cell], against[cell] = ours[key].value, theirs[key].value
            n[cell] = min(ours[key].n, theirs[key].n)
            units[Channel(*key[:2])] = ours[key].unit
    high_is_good = results.best[metric] != "low"
    scale = np.abs(1 - against) if results.best[metric] == "one" else np.abs(against)
    relative = np.divide(value - against, scale, out=np.full(shape, np.nan), where=scale > 0)
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    p: dict[str, Numbers] = {}
    for c in table.comparisons.get((pair, metric, region), ()):
        if _key(c) not in place:
            continue
        cell = place[_key(c)]
        first = not p or c.test == next(iter(p))
        if first:  # the interval of the first test is drawn; p of every test is kept
            size = scale[cell] if scale[cell] > 0 else np.nan
            relative[cell] = c.difference / size
            low[cell], high[cell] = c.low / size, c.high / size
            n[cell] = c.n
        p.setdefault(c.test, np.full(shape, np.nan))[cell] = c.p
    looks = [shown(*_named(row, units[row])).of_differences for row in rows]
    return Block(
        *(pair, metric, region, rows, leads, value, against, relative, low, high),
        relative if high_is_good else -relative,
        n,
        {test: numbers for test, numbers in p.items() if np.isfinite(numbers).any()},
        tuple(look.units for look in looks),
        tuple(look.factor for look in looks),
    )


def _named(row: Channel, unit: str) -> tuple[str, str, int | None]:
    return row.variable, unit, row.level


def every(leads: Sequence[float], at_most: int) -> list[int]:
    """Which lead times are shown: all, or those of half or whole days that are few enough.

    >>> every([6.0, 12.0, 18.0, 24.0], 2)
    [1, 3]
    """
    for step in (1, 6, 12, 24, 48, 120):
        shown_leads = [i for i, lead in enumerate(leads) if lead % step == 0]
        if 0 < len(shown_leads) <= at_most:
            return shown_leads
    return [int(i) for i in np.unique(np.linspace(0, len(leads) - 1, at_most).round())]
