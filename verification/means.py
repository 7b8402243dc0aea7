"""`Means`: regional means of statistics at each init time. Metrics are arithmetic on them.

A statistic is averaged over the points of each region first, which leaves one number for each init
time, lead time, level, region and bin. These are kept as a sum and its weight, so that `Means` add:
parts may be computed in any order, by several workers, or in another year.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

import numpy as np
import xarray as xr

from verification.metric import Metric
from verification.statistic import Statistic


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

    @property
    def mean(self) -> xr.DataArray:
        """The mean, NaN where nothing has any weight."""
        return self.total / self.weight.where(self.weight > 0)


@dataclass(frozen=True, eq=False)
class Means:
    """The means of statistics of one entrant.

    Attributes:
        sums: by the statistic's `repr`; totals are (init_time, prediction_timedelta, [level,]
            [bins,] region), weights (init_time, prediction_timedelta) or more of these.
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
    def joined(cls, parts: Sequence["Means"]) -> "Means":
        """The sum of parts that have one init time each, all different.

        It copies each array once, where repeated addition would copy the sum each time.
        """
        sums = {}
        for key in dict.fromkeys(key for part in parts for key in part.sums):
            present = [part.sums[key] for part in parts if key in part.sums]
            sums[key] = WeightedSum(
                _along_init_time([part.total for part in present]),
                _along_init_time([part.weight for part in present]),
            )
        return cls(sums)

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

    def _sum(self, statistic: Statistic) -> WeightedSum:
        if repr(statistic) not in self.sums:
            raise ValueError(
                f"these means do not have {statistic!r}, only {', '.join(self.sums)}; compute them "
                "with the statistics of every metric that is asked for"
            )
        return self.sums[repr(statistic)]


def by_init_time(means: Means, metric: Metric) -> xr.DataArray:
    """A metric at each init time, for significance tests and plots of single forecasts.

    Returns:
        (init_time, prediction_timedelta, [level,] [bins,] region), NaN where nothing was scored.
        `Metric.of_mean` is not applied, so `RootOfMean` gives mean squares here.
    """
    return metric.of_sample({statistic: means.of(statistic) for statistic in metric.statistics})


def evaluate(means: Means, metric: Metric) -> xr.DataArray:
    """A metric over all init times, each with the same weight.

    Returns:
        (prediction_timedelta, [level,] [bins,] region), NaN where no init time was scored, or where
        the metric is NaN at one that was.
    """
    values = by_init_time(means, metric)
    scored = reduce(and_, [means.scored(s) for s in metric.statistics])
    count = scored.sum("init_time")
    # Not `skipna`: where the metric is NaN at a scored init time, the result is NaN.
    total = values.where(scored, 0.0).sum("init_time", skipna=False)
    return metric.of_mean(total / count.where(count > 0))


def _along_init_time(arrays: Sequence[xr.DataArray]) -> xr.DataArray:
    joined = xr.concat(arrays, dim="init_time", join="outer", fill_value=0.0)
    return joined.sortby("init_time")
