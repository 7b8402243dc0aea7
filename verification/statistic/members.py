"""Statistics of ensemble members, each treated as a forecast of its own."""

from dataclasses import dataclass

import numpy as np

from verification.sample import Sample
from verification.statistic.contract import Bins, Statistic

MEMBERS = "number"  # the dimension of ensemble members, as in the forecast store


@dataclass(frozen=True)
class Each(Statistic):
    """The inner statistic of every member separately; the members are its first bin.

    For a forecast without members it equals the inner statistic.
    """

    inner: Statistic

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the inner statistic."""
        return self.inner.variables

    @property
    def needs_climatology(self) -> bool:
        """Whether the inner statistic needs a climatology."""
        return self.inner.needs_climatology

    @property
    def whole_globe(self) -> bool:
        """Whether the inner statistic is of the globe."""
        return self.inner.whole_globe

    @property
    def has_gaps(self) -> bool:
        """Whether the inner statistic has gaps."""
        return self.inner.has_gaps

    def bins(self, sample: Sample) -> Bins:
        """The members, and the bins of the inner statistic."""
        members = {} if sample.members is None else {MEMBERS: sample.members}
        return {**members, **self.inner.bins(sample)}

    def field(self, sample: Sample) -> np.ndarray:
        """The inner statistic's field, member by member where the inner one adds bins."""
        if sample.members is None or not self.inner.bins(sample):
            return self._of_all(sample)
        return np.stack([self.inner.field(member) for member in sample.each_member()])

    def _of_all(self, sample: Sample) -> np.ndarray:
        field = self.inner.field(sample)
        if sample.members is None:
            return field
        # a statistic of the truth alone is the same for every member
        whole = (len(sample.members), *field.shape[-self._axes(sample) :])
        return np.broadcast_to(field, whole)

    def _axes(self, sample: Sample) -> int:
        """Axes of the inner field of one member."""
        axes = sample.truth[self.variables[0]].ndim
        return axes - 2 if self.whole_globe else axes
