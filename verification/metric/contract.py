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

    It has two parts. `of_sample` is applied to the regional means of one init time, `of_mean` to
    the mean of those results over all init times. The engine does the averaging.
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
    def description(self) -> str:
        """How it is computed, as scores record it; empty where the name says enough."""
        return ""

    @abstractmethod
    def of_sample(self, means: MeanOfStatistic) -> xr.DataArray:
        """Its value for one init time, from regional means."""

    def of_mean(self, mean: xr.DataArray) -> xr.DataArray:
        """Its value for all init times, from the mean of `of_sample` over them."""
        return mean

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
