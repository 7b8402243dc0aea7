"""Statistics of ensemble members, each treated as a forecast of its own."""

from dataclasses import dataclass

import xarray as xr

from verification.sample import Sample
from verification.statistic.contract import Statistic

MEMBERS = "number"  # the dimension of ensemble members, as in the forecast store


@dataclass(frozen=True)
class Each(Statistic):
    """The inner statistic of every member separately; the members are its bins.

    For a forecast without members it equals the inner statistic.
    """

    inner: Statistic

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the inner statistic."""
        return self.inner.variables

    @property
    def bins(self) -> tuple[str, ...]:
        """The members, and the bins of the inner statistic."""
        return (MEMBERS, *self.inner.bins)

    @property
    def needs_climatology(self) -> bool:
        """Whether the inner statistic needs a climatology."""
        return self.inner.needs_climatology

    def field(self, sample: Sample) -> xr.DataArray:
        """The inner statistic's field, `number` included."""
        return self.inner.field(sample)
