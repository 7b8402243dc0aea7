"""The contract of a statistic."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from verification.sample import Sample

Bins = Mapping[str, tuple[int | float, ...]]  # dimension → labels, in the order of the field's axes


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
        """The variables that it reads, all with levels or all without; two for a wind vector."""

    @property
    def needs_climatology(self) -> bool:
        """Whether the sample must have a climatology."""
        return False

    @property
    def whole_globe(self) -> bool:
        """Whether `field` has no points but is already one number for the globe, as a spectrum."""
        return False

    @property
    def has_gaps(self) -> bool:
        """Whether its field is NaN where it is not defined, though forecast and truth are there."""
        return False

    def bins(self, sample: Sample) -> Bins:
        """Dimensions that it adds, with their labels: a threshold, a rank, a wavenumber."""
        return {}

    @abstractmethod
    def field(self, sample: Sample) -> np.ndarray:
        """The statistic at every point.

        Returns:
            ([bins,] [level,] latitude, longitude), the bins in the order of `bins`; without the
            last two if it is of the `whole_globe`.
        """
