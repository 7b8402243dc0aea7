"""Metrics of a single forecast: RMSE (both ways), MAE, bias, anomaly correlation.

The two RMSEs in use differ only in where the root is taken, and by Jensen's inequality the first is
never the larger:

    rmse      1/n Σᵢ √MSEᵢ      GraphCast (Lam et al. 2023); headline figures here
    rmse_wb2  √(1/n Σᵢ MSEᵢ)    WeatherBench 2 (Rasp et al. 2024)

With one init time they are equal.
"""

from dataclasses import dataclass, field

import xarray as xr

from verification.metric.contract import Best, MeanOfStatistic, Metric, Units
from verification.statistic import AnomalyProduct, Statistic


@dataclass(frozen=True)
class MeanOf(Metric):
    """The mean of one statistic: MAE, bias, MSE."""

    statistic: Statistic
    units: Units = "field"
    best: Best = "low"

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The one statistic."""
        return (self.statistic,)

    def of_sample(self, means: MeanOfStatistic) -> xr.DataArray:
        """The regional mean itself."""
        return means[self.statistic]


@dataclass(frozen=True)
class RootOfSquare(Metric):
    """A root mean square error; the two in use say where the root is taken.

    Args:
        square: a squared error, of one variable or of a vector.
    """

    square: Statistic
    units: Units = field(default="field", init=False)
    best: Best = field(default="low", init=False)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The squared error."""
        return (self.square,)


@dataclass(frozen=True)
class MeanOfRoots(RootOfSquare):
    """1/n Σᵢ √MSEᵢ: the root at each init time, then the mean."""

    @property
    def description(self) -> str:
        """Where the root is taken."""
        return "mean over initial times of the root of the area-weighted mean square (GraphCast)"

    def of_sample(self, means: MeanOfStatistic) -> xr.DataArray:
        """√MSE of one init time."""
        return means[self.square] ** 0.5


@dataclass(frozen=True)
class RootOfMean(RootOfSquare):
    """√(1/n Σᵢ MSEᵢ): the mean over all init times, then the root."""

    @property
    def description(self) -> str:
        """Where the root is taken."""
        return "root of the area-weighted mean square over all initial times (WeatherBench 2)"

    def of_sample(self, means: MeanOfStatistic) -> xr.DataArray:
        """MSE of one init time."""
        return means[self.square]

    def of_mean(self, mean: xr.DataArray) -> xr.DataArray:
        """√ of the mean."""
        return mean**0.5


@dataclass(frozen=True)
class AnomalyCorrelation(Metric):
    """1/n Σᵢ of ⟨(f-c)(o-c)⟩ / √(⟨(f-c)²⟩ ⟨(o-c)²⟩), not centred, as in GraphCast."""

    variable: str
    units: Units = field(default="1", init=False)
    best: Best = field(default="one", init=False)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The three products of anomalies: forecast with truth, and each with itself."""
        return (
            AnomalyProduct(self.variable, "forecast", "truth"),
            AnomalyProduct(self.variable, "forecast", "forecast"),
            AnomalyProduct(self.variable, "truth", "truth"),
        )

    @property
    def description(self) -> str:
        """Which of the definitions in use it follows."""
        return "mean over initial times of the anomaly correlation, not centred"

    def of_sample(self, means: MeanOfStatistic) -> xr.DataArray:
        """Anomaly correlation of one init time; NaN where an anomaly is 0 everywhere."""
        covariance, forecast_square, truth_square = (means[s] for s in self.statistics)
        return covariance / (forecast_square * truth_square) ** 0.5
