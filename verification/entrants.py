"""Entrants: the forecasts that are compared, each from every init time of an `Alignment`.

`Forecast` comes from a file: GraphCast's, or another centre's. `Persistence` and `Climatology` are
the baselines that it must beat. A new baseline is a new class here.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import xarray as xr

from data.wording import hour
from verification.alignment import Alignment, Occasion
from verification.sample import Sample


@dataclass(frozen=True, eq=False)
class Entrant(ABC):
    """A source of forecasts from the init times of an alignment, and its name in the scores."""

    alignment: Alignment
    name: str

    @property
    @abstractmethod
    def description(self) -> str:
        """How it forecasts, as scores record it."""

    @abstractmethod
    def predicted(self, occasion: Occasion) -> xr.Dataset:
        """Its forecast from one init time, with the lead times of `occasion.truth`."""

    def sample(self, occasion: Occasion) -> Sample:
        """Its forecast beside the truth.

        Raises:
            ValueError: it has no forecast from this init time, or one with other coordinates.
        """
        predicted = self.predicted(occasion)
        sample = Sample(predicted, occasion.truth, occasion.climatology)
        # Arithmetic would silently drop labels that do not match.
        xr.align(*(fields for fields in sample if fields is not None), join="exact")
        return sample


@dataclass(frozen=True, eq=False)
class Forecast(Entrant):
    """The forecast that was aligned with the truth."""

    name: str = "forecast"
    description: str = "the forecast itself"

    def predicted(self, occasion: Occasion) -> xr.Dataset:
        """The forecast's own fields, members included."""
        return occasion.forecast


@dataclass(frozen=True, eq=False)
class Persistence(Entrant):
    """The truth at the init time as the forecast for every lead time."""

    name: str = "persistence"
    description: str = "persistence of the truth at init time"

    def predicted(self, occasion: Occasion) -> xr.Dataset:
        """The truth at the init time for every lead time, as a view.

        Raises:
            ValueError: the truth does not have the init time.
        """
        if occasion.start is None:
            raise ValueError(
                f"persistence from {hour(occasion.init_time)} needs the truth at that time, which "
                "is not there; add it, or score without persistence"
            )
        leads = occasion.truth["prediction_timedelta"].values
        return occasion.start.expand_dims(prediction_timedelta=leads)


@dataclass(frozen=True, eq=False)
class Climatology(Entrant):
    """The climatological mean at the valid time as the forecast.

    Its anomaly is 0 everywhere, so its anomaly correlation is NaN.
    """

    name: str = "climatology"
    description: str = "climatological mean at valid time"

    def predicted(self, occasion: Occasion) -> xr.Dataset:
        """The climatology at each lead time.

        Raises:
            ValueError: the alignment has no climatology.
        """
        if occasion.climatology is None:
            raise ValueError(
                "the climatology can be scored only where one is given; give it to `align`"
            )
        leads = occasion.truth["prediction_timedelta"]
        fields = occasion.climatology
        return (
            fields
            if "prediction_timedelta" in fields.dims
            else fields.expand_dims(prediction_timedelta=leads.values)
        )
