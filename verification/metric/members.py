"""How a metric of one forecast is taken of an ensemble."""

from dataclasses import dataclass

import xarray as xr

from verification.metric.contract import Best, MeanOfStatistic, Metric, Units
from verification.statistic import MEMBERS, Each, Statistic


@dataclass(frozen=True)
class MeanOverMembers(Metric):
    """Another metric of every member by itself, then the mean over the members.

    Of a forecast without members it is that metric unchanged. It is a score of the members, not of
    the ensemble: the RMSE of an ensemble mean is another number.
    """

    inner: Metric

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The inner metric's, each of every member."""
        return tuple(Each(statistic) for statistic in self.inner.statistics)

    @property
    def units(self) -> Units:
        """As the inner metric."""
        return self.inner.units

    @property
    def best(self) -> Best:
        """As the inner metric."""
        return self.inner.best

    @property
    def description(self) -> str:
        """As the inner metric."""
        return self.inner.description

    def of_sample(self, means: MeanOfStatistic) -> xr.DataArray:
        """The inner metric at one init time, averaged over members."""
        value = self.inner.of_sample({s: means[Each(s)] for s in self.inner.statistics})
        return value.mean(MEMBERS) if MEMBERS in value.dims else value

    def of_mean(self, mean: xr.DataArray) -> xr.DataArray:
        """As the inner metric."""
        return self.inner.of_mean(mean)
