"""Metrics of a single forecast: RMSE (both ways), MAE, bias, anomaly correlation.

A metric is a function of *means of statistics*, applied in two places: to the regional means of one
sample (`of_sample`), and to their mean over all samples (`of_mean`). Averaging itself is somebody
else's job. The two RMSEs in use differ in nothing but where the root is taken, and by Jensen's
inequality the first is never the larger:

    rmse      1/n Σᵢ √MSEᵢ      GraphCast (Lam et al. 2023); headline figures here
    rmse_wb2  √(1/n Σᵢ MSEᵢ)    WeatherBench 2 (Rasp et al. 2024)

With one initial time they are equal.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import xarray as xr

from verification.statistic import AbsoluteError, AnomalyProduct, Error, SquaredError, Statistic

Means = Mapping[Statistic, xr.DataArray]


@dataclass(frozen=True)
class Metric(ABC):
    """What is reported, as a function of means of statistics."""

    @property
    @abstractmethod
    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics that it needs the means of."""

    @abstractmethod
    def of_sample(self, means: Means) -> xr.DataArray:
        """Its value for one sample, from regional means."""

    def of_mean(self, mean: xr.DataArray) -> xr.DataArray:
        """Its value for all samples, from the mean of `of_sample`."""
        return mean


@dataclass(frozen=True)
class MeanOf(Metric):
    """The mean of one statistic: MAE, bias, MSE."""

    statistic: Statistic

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The one."""
        return (self.statistic,)

    def of_sample(self, means: Means) -> xr.DataArray:
        """The regional mean itself."""
        return means[self.statistic]


@dataclass(frozen=True)
class MeanOfRoots(Metric):
    """1/n Σᵢ √MSEᵢ: the root of each sample's error, then the mean."""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Squared error."""
        return (SquaredError(),)

    def of_sample(self, means: Means) -> xr.DataArray:
        """√MSE of one sample."""
        return means[SquaredError()] ** 0.5


@dataclass(frozen=True)
class RootOfMean(Metric):
    """√(1/n Σᵢ MSEᵢ): the mean over all samples, then the root."""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Squared error."""
        return (SquaredError(),)

    def of_sample(self, means: Means) -> xr.DataArray:
        """MSE of one sample."""
        return means[SquaredError()]

    def of_mean(self, mean: xr.DataArray) -> xr.DataArray:
        """√ of the mean."""
        return mean**0.5


FORECAST_VARIANCE = AnomalyProduct("forecast", "forecast")
TRUTH_VARIANCE = AnomalyProduct("truth", "truth")
COVARIANCE = AnomalyProduct("forecast", "truth")


@dataclass(frozen=True)
class AnomalyCorrelation(Metric):
    """1/n Σᵢ of ⟨(f-c)(o-c)⟩ / √(⟨(f-c)²⟩ ⟨(o-c)²⟩), not centred, as in GraphCast."""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The three products of anomalies."""
        return (COVARIANCE, FORECAST_VARIANCE, TRUTH_VARIANCE)

    def of_sample(self, means: Means) -> xr.DataArray:
        """Anomaly correlation of one sample."""
        scale = (means[FORECAST_VARIANCE] * means[TRUTH_VARIANCE]) ** 0.5
        return means[COVARIANCE] / scale


METRICS: dict[str, Metric] = {
    "rmse": MeanOfRoots(),
    "rmse_wb2": RootOfMean(),
    "mae": MeanOf(AbsoluteError()),
    "bias": MeanOf(Error()),
    "acc": AnomalyCorrelation(),
}


def needs_climatology(metric: Metric) -> bool:
    """Whether the metric looks at anomalies."""
    return any(isinstance(statistic, AnomalyProduct) for statistic in metric.statistics)
