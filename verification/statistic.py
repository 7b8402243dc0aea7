"""Statistics: a field per sample, from which every metric is made by averaging.

Compared by value: two statistics with the same parameters are the same and computed once, two with
different ones never become one by sharing a name.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import xarray as xr


class Sample(NamedTuple):
    """A forecast and what came: fields of one variable with the same dimensions and labels.

    `climatology` holds the climatological mean at the valid times; a field of zeros where no
    statistic asks for it would be a lie, so it is None where none is given.
    """

    forecast: xr.DataArray
    truth: xr.DataArray
    climatology: xr.DataArray | None = None


@dataclass(frozen=True)
class Statistic(ABC):
    """A field computed from one sample, point by point."""

    @abstractmethod
    def field(self, sample: Sample) -> xr.DataArray:
        """The statistic at every point of the sample; lazy where the sample is."""


@dataclass(frozen=True)
class Error(Statistic):
    """f - o, in the variable's units."""

    def field(self, sample: Sample) -> xr.DataArray:
        """Forecast minus truth."""
        return sample.forecast - sample.truth


@dataclass(frozen=True)
class AbsoluteError(Statistic):
    """|f - o|, in the variable's units."""

    def field(self, sample: Sample) -> xr.DataArray:
        """Distance of forecast and truth."""
        return abs(sample.forecast - sample.truth)


@dataclass(frozen=True)
class SquaredError(Statistic):
    """(f - o)², in the variable's units squared."""

    def field(self, sample: Sample) -> xr.DataArray:
        """Squared distance of forecast and truth."""
        return (sample.forecast - sample.truth) ** 2


@dataclass(frozen=True)
class AnomalyProduct(Statistic):
    """(a - c) (b - c), where a and b are each the forecast or the truth and c the climatology."""

    first: str
    second: str

    def field(self, sample: Sample) -> xr.DataArray:
        """Product of the two anomalies."""
        if sample.climatology is None:
            raise ValueError("anomalies need a climatology, and this sample has none")
        a, b = getattr(sample, self.first), getattr(sample, self.second)
        # float64: geopotential anomalies are the small difference of large numbers
        c = sample.climatology.astype("float64")
        product: xr.DataArray = (a - c) * (b - c)
        return product
