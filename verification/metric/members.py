"""Metrics of ensemble members, averaged over the members."""

from dataclasses import dataclass

import xarray as xr

from verification.metric.contract import Best, MeanOfStatistic, Metric, Units
from verification.statistic import MEMBERS, Each, Statistic


@dataclass(frozen=True)
class MeanOverMembers(Metric):
    """The inner metric of every member separately, then the mean over the members.

    For a forecast without members it equals the inner metric. It scores the members, not the
    ensemble: the RMSE of an ensemble mean is another number.
    """

    inner: Metric

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The inner metric's statistics, each wrapped in `Each`."""
        return tuple(Each(statistic) for statistic in self.inner.statistics)

    @property
    def units(self) -> Units:
        """The inner metric's."""
        return self.inner.units

    @property
    def best(self) -> Best:
        """The inner metric's."""
        return self.inner.best

    @property
    def description(self) -> str:
        """The inner metric's."""
        return self.inner.description

    def of_sample(self, means: MeanOfStatistic) -> xr.DataArray:
        """The inner metric at one init time, averaged over members."""
        value = self.inner.of_sample({s: means[Each(s)] for s in self.inner.statistics})
        return value.mean(MEMBERS) if MEMBERS in value.dims else value

    def of_mean(self, mean: xr.DataArray) -> xr.DataArray:
        """The inner metric over all init times."""
        return self.inner.of_mean(mean)
