"""`Means`: regional means of statistics at each init time. Metrics are arithmetic on them.

A statistic is averaged over the points of each region first, which leaves one number for each init
time, lead time, level, region and bin. These are kept as a sum and its weight, so that `Means` add:
parts may be computed in any order, by several workers, or in another year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import NamedTuple

import numpy as np
import xarray as xr

from verification.metric import Metric
from verification.statistic import Statistic

STEP = 1e-4  # of a directional derivative, as a share of a sample's distance from the mean

Labels = tuple[
    tuple[str, tuple[int | float, ...] | tuple[str, ...] | tuple[np.timedelta64, ...]], ...
]


class Part(NamedTuple):
    """A statistic's sums at one init time.

    Attributes:
        labels: dimensions and their labels: prediction_timedelta, [bins,] [level,] region.
        total: weighted sums.
        weight: the sum of weights, as `total`, or by lead time alone where the others are alike.
    """

    labels: Labels
    total: np.ndarray
    weight: np.ndarray


Shard = Mapping[str, Mapping[str, Part]]  # of one init time: entrant → statistic → sums


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """A sum of weighted values, and the sum of their weights."""

    total: xr.DataArray
    weight: xr.DataArray

    @classmethod
    def of(cls, values: xr.DataArray, weight: xr.DataArray) -> "WeightedSum":
        """Values with weights; where a weight is 0 the value counts for nothing, whatever it is."""
        return cls((values * weight).where(weight > 0, 0.0), weight)

    def __add__(self, other: "WeightedSum") -> "WeightedSum":
        """Both together; a label that only one has keeps that one's values."""
        total = xr.align(self.total, other.total, join="outer", fill_value=0.0)
        weight = xr.align(self.weight, other.weight, join="outer", fill_value=0.0)
        return WeightedSum(total[0] + total[1], weight[0] + weight[1])

    def sel(self, labels: Mapping[str, xr.DataArray]) -> "WeightedSum":
        """The sum at some labels."""
        return WeightedSum(self.total.sel(labels), self.weight.sel(labels))

    @property
    def mean(self) -> xr.DataArray:
        """The mean, NaN where nothing has any weight."""
        return self.total / self.weight.where(self.weight > 0)


@dataclass(frozen=True, eq=False)
class Means:
    """The means of statistics of one entrant.

    Attributes:
        sums: by the statistic's `repr`; totals are (init_time, prediction_timedelta, [bins,]
            [level,] region), weights (init_time, prediction_timedelta) or more of these.
    """

    sums: Mapping[str, WeightedSum]

    def __add__(self, other: "Means") -> "Means":
        """Both together: other init times, other statistics, or the same ones.

        Where both have an init time, its mean is taken over both.
        """
        both = dict(self.sums)
        for key, part in other.sums.items():
            both[key] = both[key] + part if key in both else part
        return Means(both)

    @classmethod
    def joined(cls, shards: Mapping[np.datetime64, Mapping[str, Part]]) -> "Means":
        """The means of parts that have one init time each."""
        keys = dict.fromkeys(key for shard in shards.values() for key in shard)
        return cls(
            {
                key: _along_init_time({t: s[key] for t, s in sorted(shards.items()) if key in s})
                for key in keys
            }
        )

    @property
    def init_times(self) -> tuple[np.datetime64, ...]:
        """All init times, ascending."""
        return tuple(np.unique([part.weight["init_time"].values for part in self.sums.values()]))

    def of(self, statistic: Statistic) -> xr.DataArray:
        """The mean of a statistic at each init time, NaN where nothing was scored.

        Raises:
            ValueError: the statistic was not computed.
        """
        return self._sum(statistic).mean

    def scored(self, statistic: Statistic) -> xr.DataArray:
        """Whether a statistic was scored, at each init time and lead time."""
        return self._sum(statistic).weight > 0

    def weight(self, statistic: Statistic) -> xr.DataArray:
        """The weight of a statistic's mean: below 1 where points are missing."""
        return self._sum(statistic).weight

    def _sum(self, statistic: Statistic) -> WeightedSum:
        if repr(statistic) not in self.sums:
            raise ValueError(
                f"these means do not have {statistic!r}, only {', '.join(self.sums)}; compute them "
                "with the statistics of every metric that is asked for"
            )
        return self.sums[repr(statistic)]


def scored(means: Means, metric: Metric) -> xr.DataArray:
    """At which init times and lead times all statistics of a metric were scored."""
    return reduce(and_, [means.scored(statistic) for statistic in metric.statistics])


def by_init_time(means: Means, metric: Metric) -> xr.DataArray:
    """A metric at each init time, as if that were the only one.

    Returns:
        (init_time, prediction_timedelta, [bins,] [level,] region), NaN where nothing was scored.
    """
    return metric.value({statistic: means.of(statistic) for statistic in metric.statistics})


def evaluate(means: Means, metric: Metric, where: xr.DataArray | None = None) -> xr.DataArray:
    """A metric over all init times, each with the same weight.

    Args:
        means: of the metric's statistics.
        metric: the metric.
        where: the init times and lead times that count; all that were scored by default.

    Returns:
        (prediction_timedelta, [bins,] [level,] region), NaN where no init time was scored, or where
        the metric is NaN at one that was.
    """
    counts = scored(means, metric) if where is None else where
    if metric.pooled:
        return metric.value({s: _mean(means.of(s), counts) for s in metric.statistics})
    return _mean(by_init_time(means, metric), counts)


def samples(means: Means, metric: Metric, where: xr.DataArray) -> xr.DataArray:
    """A number for each init time whose mean is the metric's value, for tests of significance.

    That is the metric of the init time; where the metric is a function of means over all init
    times, it is the value plus the derivative in the direction of the init time's means (the delta
    method).
    """
    if not metric.pooled:
        return by_init_time(means, metric).where(where)
    each = {s: means.of(s).where(where) for s in metric.statistics}
    centre = {s: _mean(values, where) for s, values in each.items()}
    up, down = (
        metric.value({s: centre[s] + sign * STEP * (each[s] - centre[s]) for s in each})
        for sign in (1, -1)
    )
    return metric.value(centre) + (up - down) / (2 * STEP)


def _mean(values: xr.DataArray, counts: xr.DataArray) -> xr.DataArray:
    """The mean over the init times that count; not `skipna`: NaN at one that counts shows."""
    number = counts.sum("init_time")
    total = values.where(counts, 0.0).sum("init_time", skipna=False)
    return total / number.where(number > 0)


def _along_init_time(parts: Mapping[np.datetime64, Part]) -> WeightedSum:
    """One sum from those of each init time, in the order given."""
    first = next(iter(parts.values()))
    if all(p.labels == first.labels and p.weight.ndim == first.weight.ndim for p in parts.values()):
        times = np.array(list(parts)).astype("datetime64[ns]")
        coordinates = {"init_time": times, **{dim: list(values) for dim, values in first.labels}}
        dims = tuple(coordinates)
        total = np.stack([part.total for part in parts.values()])
        weight = np.stack([part.weight for part in parts.values()])
        return WeightedSum(
            xr.DataArray(total, coordinates, dims),
            xr.DataArray(
                weight, {d: coordinates[d] for d in dims[: weight.ndim]}, dims[: weight.ndim]
            ),
        )
    single = [_along_init_time({time: part}) for time, part in parts.items()]
    joined = [
        xr.concat(arrays, "init_time", join="outer", fill_value=0.0)
        for arrays in ([s.total for s in single], [_whole(s) for s in single])
    ]
    return WeightedSum(joined[0], joined[1])


def _whole(part: WeightedSum) -> xr.DataArray:
    """The weight with all dimensions of the total."""
    return part.weight.broadcast_like(part.total).transpose(*part.total.dims)
