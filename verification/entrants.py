"""Entrants: the forecasts that are compared, each from every init time of an `Alignment`.

`Forecast` comes from a file: GraphCast's, or another centre's. `Persistence` and `Climatology` are
the baselines that it must beat. A new baseline is a new class here.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from data.wording import hour
from verification.alignment import Alignment
from verification.occasion import Occasion
from verification.sample import Fields, Sample


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
    def predicted(self, occasion: Occasion) -> Fields:
        """Its fields for the valid time of the occasion.

        Raises:
            ValueError: it has no forecast from this init time.
        """

    @property
    def members(self) -> tuple[int, ...] | None:
        """Labels of its members, None where it has none."""
        return None

    def sample(self, occasion: Occasion) -> Sample:
        """Its forecast beside the truth."""
        return Sample(
            self.predicted(occasion),
            occasion.truth,
            occasion.climatology,
            grid=self.alignment.grid,
            levels=self.alignment.levels,
            members=self.members,
        )


@dataclass(frozen=True, eq=False)
class Forecast(Entrant):
    """The forecast that was aligned with the truth."""

    name: str = "forecast"
    description: str = "the forecast itself"

    @property
    def members(self) -> tuple[int, ...] | None:
        """The forecast's members."""
        return self.alignment.members

    def predicted(self, occasion: Occasion) -> Fields:
        """The forecast's own fields, members included."""
        return occasion.forecast


@dataclass(frozen=True, eq=False)
class Persistence(Entrant):
    """The truth at the init time as the forecast for every lead time."""

    name: str = "persistence"
    description: str = "persistence of the truth at init time"

    def predicted(self, occasion: Occasion) -> Fields:
        """The truth at the init time.

        Raises:
            ValueError: the truth does not have the init time.
        """
        if occasion.start is None:
            raise ValueError(
                f"persistence from {hour(occasion.init_time)} needs the truth at that time, which "
                "is not there; add it, or score without persistence"
            )
        return occasion.start


@dataclass(frozen=True, eq=False)
class Climatology(Entrant):
    """The climatological mean at the valid time as the forecast.

    Its anomaly is 0 everywhere, so its anomaly correlation is NaN.
    """

    name: str = "climatology"
    description: str = "climatological mean at valid time"

    def predicted(self, occasion: Occasion) -> Fields:
        """The climatology at the valid time.

        Raises:
            ValueError: the alignment has no climatology.
        """
        if occasion.climatology is None:
            raise ValueError(
                "the climatology can be scored only where one is given; give it to `align`"
            )
        return occasion.climatology
