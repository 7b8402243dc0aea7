"""Statistics of an ensemble as a whole. A forecast without members is an ensemble of one."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from verification.sample import Sample
from verification.statistic.contract import Bins
from verification.statistic.pointwise import PointwiseStatistic


def members_of(sample: Sample, variable: str) -> np.ndarray:
    """(number, [level,] latitude, longitude), also of a forecast without members."""
    forecast = sample.forecast[variable]
    return forecast if sample.members is not None else forecast[None]


@dataclass(frozen=True)
class MemberDistance(PointwiseStatistic):
    """1/M Σ |xᵢ - y|, of values raised to a threshold if there is one: E|X - y| of the CRPS."""

    thresholds: tuple[int | float, ...] = ()

    def bins(self, sample: Sample) -> Bins:
        """One for each threshold."""
        return {"threshold": self.thresholds} if self.thresholds else {}

    def field(self, sample: Sample) -> np.ndarray:
        """Mean distance of the members from the truth."""
        members, truth = members_of(sample, self.variable), sample.truth[self.variable]
        if not self.thresholds:
            return np.asarray(np.abs(members - truth).mean(axis=0))
        return np.array(
            [
                np.abs(np.maximum(members, t) - np.maximum(truth, t)).mean(axis=0)
                for t in self.thresholds
            ]
        )


@dataclass(frozen=True)
class MemberDifference(PointwiseStatistic):
    """Mean |xᵢ - xⱼ| over pairs of different members (fair) or over all pairs: E|X - X'|.

    By the order statistics: 2 Σ (2i - M - 1) x₍ᵢ₎ over M (M - 1) or over M².
    """

    fair: bool = True
    thresholds: tuple[int | float, ...] = ()

    def bins(self, sample: Sample) -> Bins:
        """One for each threshold."""
        return {"threshold": self.thresholds} if self.thresholds else {}

    def field(self, sample: Sample) -> np.ndarray:
        """Mean distance between members; 0 of a forecast without."""
        ordered = np.sort(members_of(sample, self.variable), axis=0)
        if not self.thresholds:
            return self._mean(ordered)
        return np.array([self._mean(np.maximum(ordered, t)) for t in self.thresholds])

    def _mean(self, ordered: np.ndarray) -> np.ndarray:
        count = len(ordered)
        pairs = count * (count - 1) if self.fair else count**2
        factors = 2.0 * (2 * np.arange(1, count + 1) - count - 1) / max(1, pairs)
        return np.tensordot(factors, ordered, axes=1)


@dataclass(frozen=True)
class MeanSquaredError(PointwiseStatistic):
    """(x̄ - y)² of the ensemble mean."""

    def field(self, sample: Sample) -> np.ndarray:
        """Squared error of the ensemble mean."""
        mean = members_of(sample, self.variable).mean(axis=0)
        return np.asarray((mean - sample.truth[self.variable]) ** 2)


@dataclass(frozen=True)
class Variance(PointwiseStatistic):
    """1/(M - 1) Σ (xᵢ - x̄)², or that over M: the part of the ensemble mean's error it explains."""

    over_members: bool = False

    def field(self, sample: Sample) -> np.ndarray:
        """Unbiased variance of the members; 0 of a forecast without."""
        members = members_of(sample, self.variable)
        if len(members) == 1:
            return np.zeros_like(members[0])
        variance = members.var(axis=0, ddof=1)
        return np.asarray(variance / len(members) if self.over_members else variance)


@dataclass(frozen=True)
class Rank(PointwiseStatistic):
    """Share of points at which the truth has each rank among the members, 0 to M.

    Where members equal the truth, each of the tied ranks gets an equal share.
    """

    def bins(self, sample: Sample) -> Bins:
        """The ranks."""
        return {"rank": tuple(range(len(sample.members or (0,)) + 1))}

    def field(self, sample: Sample) -> np.ndarray:
        """1 at the truth's rank, 0 at the others."""
        members, truth = members_of(sample, self.variable), sample.truth[self.variable]
        below = (members < truth).sum(axis=0)
        ties = (members == truth).sum(axis=0)
        ranks = np.arange(len(members) + 1).reshape(-1, *[1] * truth.ndim)
        return np.asarray(((ranks >= below) & (ranks <= below + ties)) / (ties + 1.0))


@dataclass(frozen=True)
class PairSquare(PointwiseStatistic):
    """(xᵢ - xⱼ)² of pairs of members, for the energy score: all pairs, or each with the next."""

    neighbours: bool = False

    def bins(self, sample: Sample) -> Bins:
        """The pairs, counted."""
        return {"pair": tuple(range(len(self._pairs(sample))))}

    def field(self, sample: Sample) -> np.ndarray:
        """Squared difference of the members of each pair."""
        members = members_of(sample, self.variable)
        return np.array([(members[i] - members[j]) ** 2 for i, j in self._pairs(sample)])

    def _pairs(self, sample: Sample) -> list[tuple[int, int]]:
        count = len(sample.members or (0,))
        if count == 1:
            return [(0, 0)]
        if self.neighbours:
            return [(i, (i + 1) % count) for i in range(count)]
        return list(combinations(range(count), 2))


@dataclass(frozen=True)
class ProbabilityError(PointwiseStatistic):
    """(p - o)², p the share of members above a threshold, o whether the truth is above."""

    thresholds: tuple[int | float, ...]

    def bins(self, sample: Sample) -> Bins:
        """One for each threshold."""
        return {"threshold": self.thresholds}

    def field(self, sample: Sample) -> np.ndarray:
        """Squared error of the probability."""
        members, truth = members_of(sample, self.variable), sample.truth[self.variable]
        return np.array([((members > t).mean(axis=0) - (truth > t)) ** 2 for t in self.thresholds])


@dataclass(frozen=True)
class Forecasted(PointwiseStatistic):
    """Whether the probability of a threshold falls in each tenth, and whether the event came."""

    thresholds: tuple[int | float, ...]
    and_came: bool

    def bins(self, sample: Sample) -> Bins:
        """The thresholds, and the middles of the tenths."""
        return {"threshold": self.thresholds, "probability": tuple(np.arange(0.05, 1, 0.1))}

    def field(self, sample: Sample) -> np.ndarray:
        """1 in the tenth of the probability (times whether the event came), else 0."""
        members, truth = members_of(sample, self.variable), sample.truth[self.variable]
        made = []
        for t in self.thresholds:
            tenth = np.minimum((members > t).mean(axis=0) * 10 + 1e-9, 9).astype(int)
            came = (truth > t) if self.and_came else 1.0
            made.append([(tenth == i) * came for i in range(10)])
        return np.array(made, np.float64)


@dataclass(frozen=True)
class QuantileLoss(PointwiseStatistic):
    """The pinball loss of the ensemble's quantiles, twice, so that its mean over q is the CRPS."""

    quantiles: tuple[int | float, ...]

    def bins(self, sample: Sample) -> Bins:
        """The quantiles."""
        return {"quantile": self.quantiles}

    def field(self, sample: Sample) -> np.ndarray:
        """2 (1[y < x] - q) (x - y), x the quantile by linear interpolation."""
        members, truth = members_of(sample, self.variable), sample.truth[self.variable]
        x = np.quantile(members, self.quantiles, axis=0)
        q = np.array(self.quantiles).reshape(-1, *[1] * truth.ndim)
        return np.asarray(2 * ((truth < x) - q) * (x - truth))
