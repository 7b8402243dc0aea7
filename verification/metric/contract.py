"""The contract of a metric."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import xarray as xr

from verification.statistic import Statistic

MeanOfStatistic = Mapping[Statistic, xr.DataArray]
Units = Literal["field", "1", "squared"]  # the variable's own, none, or the variable's squared
Best = Literal["low", "high", "zero", "one"]  # smallest, largest, nearest to 0, nearest to 1


@dataclass(frozen=True)
class Metric(ABC):
    """A number that scores report: a function of means of statistics.

    `value` is that function. It is applied to the regional means of each init time, and the results
    are averaged; if the metric is `pooled`, the means are averaged over init times first, and the
    function comes last. The engine does the averaging.
    """

    @property
    @abstractmethod
    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics that it is computed from."""

    @property
    @abstractmethod
    def units(self) -> Units:
        """The unit of its value, in terms of the variable's."""

    @property
    @abstractmethod
    def best(self) -> Best:
        """Which values are good."""

    @property
    def pooled(self) -> bool:
        """Whether statistics are averaged over init times before `value`, not after."""
        return False

    @property
    def description(self) -> str:
        """How it is computed and by which source, as scores record it; empty for plain means."""
        return ""

    @abstractmethod
    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """Its value from means of its statistics."""

    @property
    def needs_climatology(self) -> bool:
        """Whether one of its statistics needs a climatology."""
        return any(statistic.needs_climatology for statistic in self.statistics)


def meaning(metrics: Iterable[Metric]) -> dict[str, str]:
    """Units and good values of several metrics, as attributes: one word for each metric.

    Scores have them at the coordinate `metric`, so that a program that reads a file of scores can
    label and rank metrics that it does not know.
    """
    metrics = list(metrics)
    return {
        "value_units": " ".join(metric.units for metric in metrics),
        "best": " ".join(metric.best for metric in metrics),
    }
