"""Statistics of one variable at one point: errors, and products of anomalies."""

from dataclasses import dataclass
from typing import Literal

import xarray as xr

from verification.sample import Sample
from verification.statistic.contract import Statistic

Side = Literal["forecast", "truth"]


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

    def field(self, sample: Sample) -> xr.DataArray:
        """Forecast minus truth."""
        return sample.forecast[self.variable] - sample.truth[self.variable]


@dataclass(frozen=True)
class AbsoluteError(PointwiseStatistic):
    """|f - o|, in the variable's units."""

    def field(self, sample: Sample) -> xr.DataArray:
        """Distance of forecast and truth."""
        return abs(sample.forecast[self.variable] - sample.truth[self.variable])


@dataclass(frozen=True)
class SquaredError(PointwiseStatistic):
    """(f - o)², in the variable's units squared."""

    def field(self, sample: Sample) -> xr.DataArray:
        """Squared distance of forecast and truth."""
        return (sample.forecast[self.variable] - sample.truth[self.variable]) ** 2


@dataclass(frozen=True)
class AnomalyProduct(PointwiseStatistic):
    """(a - c) (b - c), where a and b are each the forecast or the truth, c the climatology."""

    first: Side
    second: Side

    @property
    def needs_climatology(self) -> bool:
        """An anomaly is a difference from the climatology."""
        return True

    def field(self, sample: Sample) -> xr.DataArray:
        """Product of the two anomalies, in the variable's units squared.

        Raises:
            ValueError: the sample has no climatology.
        """
        if sample.climatology is None:
            raise ValueError(
                f"anomalies of {self.variable} need a climatology, and this sample has none; give "
                "one or leave the anomaly correlation out"
            )
        # float64: geopotential anomalies are the small difference of large numbers
        mean = sample.climatology[self.variable].astype("float64")
        a, b = (getattr(sample, side)[self.variable] - mean for side in (self.first, self.second))
        product: xr.DataArray = a * b
        return product
