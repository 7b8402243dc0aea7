"""Metrics of ensemble members, averaged over the members."""

from dataclasses import dataclass

import xarray as xr

from verification.metric.contract import Best, MeanOfStatistic, Metric, Units
from verification.statistic import MEMBERS, Each, Statistic


@dataclass(frozen=True)
class MeanOverMembers(Metric):
    """The inner metric of every member separately, then the mean over the members.

    A pooled metric pools its means over members as over init times. For a forecast without members
    it equals the inner metric. It scores the members, not the
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
    def pooled(self) -> bool:
        """The inner metric's."""
        return self.inner.pooled

    @property
    def description(self) -> str:
        """The inner metric's."""
        return self.inner.description

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The inner metric, averaged over members."""
        inner = {s: means[Each(s)] for s in self.inner.statistics}
        if self.pooled:
            return self.inner.value({s: _over_members(mean) for s, mean in inner.items()})
        return _over_members(self.inner.value(inner))


def _over_members(values: xr.DataArray) -> xr.DataArray:
    return values.mean(MEMBERS) if MEMBERS in values.dims else values
