"""The contract of a statistic."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import xarray as xr

from verification.sample import Sample


@dataclass(frozen=True)
class Statistic(ABC):
    """A field computed from one sample; every metric is made from means of such fields.

    A statistic of your own is a frozen dataclass that implements the two abstract members.
    Statistics compare by value, so two with equal parameters are computed once. The `repr`, which
    names the class and all parameters, is the key in `Means`.
    """

    @property
    @abstractmethod
    def variables(self) -> tuple[str, ...]:
        """The variables that it reads; two for a wind vector."""

    @property
    def bins(self) -> tuple[str, ...]:
        """Dimensions that it adds: a threshold, a rank, a wavenumber."""
        return ()

    @property
    def needs_climatology(self) -> bool:
        """Whether the sample must have a climatology."""
        return False

    @abstractmethod
    def field(self, sample: Sample) -> xr.DataArray:
        """The statistic at every point, lazy where the sample is.

        Returns:
            (prediction_timedelta, [level,] [bins,] latitude, longitude), in any order. A spectrum
            along latitude circles has no longitude. Only a statistic that is wrapped in `Each` may
            keep `number`.
        """
