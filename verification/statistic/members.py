"""How a statistic of one forecast is taken of an ensemble."""

from dataclasses import dataclass

import xarray as xr

from verification.sample import Sample
from verification.statistic.contract import Statistic

MEMBERS = "number"  # the dimension of ensemble members, as in the forecast store


@dataclass(frozen=True)
class Each(Statistic):
    """Another statistic of every member by itself; the members are its bins.

    Of a forecast without members it is that statistic unchanged.
    """

    inner: Statistic

    @property
    def variables(self) -> tuple[str, ...]:
        """Those of the inner statistic."""
        return self.inner.variables

    @property
    def bins(self) -> tuple[str, ...]:
        """The members, and the bins of the inner statistic."""
        return (MEMBERS, *self.inner.bins)

    @property
    def needs_climatology(self) -> bool:
        """As the inner statistic."""
        return self.inner.needs_climatology

    def field(self, sample: Sample) -> xr.DataArray:
        """The inner statistic's field, `number` included."""
        return self.inner.field(sample)
