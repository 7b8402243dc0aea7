"""Metrics of a single forecast: RMSE (both ways), MAE, bias, anomaly correlations, activity.

The two RMSEs in use differ only in where the root is taken, and by Jensen's inequality the first is
never the larger:

    rmse      1/n Σᵢ √MSEᵢ      GraphCast (Lam et al. 2023); headline figures here
    rmse_wb2  √(1/n Σᵢ MSEᵢ)    WeatherBench 2 (Rasp et al. 2024)

With one init time they are equal.
"""

from dataclasses import dataclass, field

import xarray as xr

from verification.metric.contract import Best, MeanOfStatistic, Metric, Units
from verification.sample import Side
from verification.statistic import Anomaly, AnomalyProduct, Statistic


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

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The mean itself."""
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

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """√ of the mean square."""
        return means[self.square] ** 0.5


@dataclass(frozen=True)
class MeanOfRoots(RootOfSquare):
    """1/n Σᵢ √MSEᵢ: the root at each init time, then the mean."""

    @property
    def description(self) -> str:
        """Where the root is taken."""
        return "mean over initial times of the root of the area-weighted mean square (GraphCast)"


@dataclass(frozen=True)
class RootOfMean(RootOfSquare):
    """√(1/n Σᵢ MSEᵢ): the mean over all init times, then the root."""

    @property
    def pooled(self) -> bool:
        """The root comes last."""
        return True

    @property
    def description(self) -> str:
        """Where the root is taken."""
        return "root of the area-weighted mean square over all initial times (WeatherBench 2)"


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

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """Anomaly correlation; NaN where an anomaly is 0 everywhere."""
        covariance, forecast_square, truth_square = (means[s] for s in self.statistics[:3])
        return covariance / (forecast_square * truth_square) ** 0.5


@dataclass(frozen=True)
class CentredAnomalyCorrelation(AnomalyCorrelation):
    """As `AnomalyCorrelation`, with the anomalies' own regional means taken off, as WMO has it."""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The three products of anomalies, and the two anomalies."""
        anomalies = (Anomaly(self.variable, "forecast"), Anomaly(self.variable, "truth"))
        return (*super().statistics, *anomalies)

    @property
    def description(self) -> str:
        """Which of the definitions in use it follows."""
        return (
            "mean over initial times of the anomaly correlation, centred: the anomalies' means "
            "over the region are taken off (WMO)"
        )

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """Anomaly correlation; NaN where an anomaly is the same everywhere."""
        product, forecast_square, truth_square, forecast, truth = (
            means[s] for s in self.statistics
        )
        spread = (forecast_square - forecast**2) * (truth_square - truth**2)
        return (product - forecast * truth) / spread.where(spread > 0) ** 0.5


@dataclass(frozen=True)
class Activity(Metric):
    """The standard deviation of a side's anomaly over a region: 1/n Σᵢ √(⟨a²⟩ - ⟨a⟩²)."""

    variable: str
    side: Side = "forecast"
    units: Units = field(default="field", init=False)
    best: Best = field(default="high", init=False)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The anomaly and its square."""
        return (
            AnomalyProduct(self.variable, self.side, self.side),
            Anomaly(self.variable, self.side),
        )

    @property
    def description(self) -> str:
        """Which of the definitions in use it follows."""
        return (
            f"mean over initial times of the standard deviation of the {self.side}'s anomaly over "
            "the region, centred; a good forecast is as active as the truth, no more"
        )

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """Standard deviation of the anomaly."""
        square, mean = (means[s] for s in self.statistics)
        return (square - mean**2).clip(min=0.0) ** 0.5
