"""Statistics of one variable at one point: values, errors, anomalies and their products."""

from dataclasses import dataclass

import numpy as np

from verification.sample import Sample, Side
from verification.statistic.contract import Statistic


@dataclass(frozen=True)
class PointwiseStatistic(Statistic):
    """A statistic of one variable, point by point."""

    variable: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The one variable."""
        return (self.variable,)


@dataclass(frozen=True)
class Error(PointwiseStatistic):
    """f - o, in the variable's units."""

    def field(self, sample: Sample) -> np.ndarray:
        """Forecast minus truth."""
        return sample.error(self.variable)


@dataclass(frozen=True)
class AbsoluteError(PointwiseStatistic):
    """|f - o|, in the variable's units."""

    def field(self, sample: Sample) -> np.ndarray:
        """Distance of forecast and truth."""
        return np.asarray(np.abs(sample.error(self.variable)))


@dataclass(frozen=True)
class SquaredError(PointwiseStatistic):
    """(f - o)², in the variable's units squared."""

    def field(self, sample: Sample) -> np.ndarray:
        """Squared distance of forecast and truth."""
        error = sample.error(self.variable)
        return np.asarray(error * error)


@dataclass(frozen=True)
class Anomaly(PointwiseStatistic):
    """a - c, where a is the forecast or the truth, c the climatology."""

    side: Side

    @property
    def needs_climatology(self) -> bool:
        """An anomaly is a difference from the climatology."""
        return True

    def field(self, sample: Sample) -> np.ndarray:
        """The anomaly, in the variable's units."""
        return sample.anomaly(self.side, self.variable)


@dataclass(frozen=True)
class AnomalyProduct(PointwiseStatistic):
    """(a - c) (b - c), where a and b are each the forecast or the truth, c the climatology."""

    first: Side
    second: Side

    @property
    def needs_climatology(self) -> bool:
        """An anomaly is a difference from the climatology."""
        return True

    def field(self, sample: Sample) -> np.ndarray:
        """Product of the two anomalies, in the variable's units squared."""
        first = sample.anomaly(self.first, self.variable)
        return np.asarray(first * sample.anomaly(self.second, self.variable))
