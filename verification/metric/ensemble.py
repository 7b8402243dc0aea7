"""Metrics of an ensemble as a whole: CRPS, spread and skill, ranks, probabilities, quantiles."""

from dataclasses import dataclass, field
from typing import Literal

import xarray as xr

from verification.metric.contract import Best, MeanOfStatistic, Metric, Units
from verification.statistic import (
    MEMBERS,
    Each,
    Forecasted,
    MeanSquaredError,
    MemberDifference,
    MemberDistance,
    PairSquare,
    SquaredError,
    Statistic,
    Variance,
)


@dataclass(frozen=True)
class Crps(Metric):
    """E|X - y| - ½ E|X - X'|, fair (over pairs of different members) or not.

    With thresholds it is weighted to values above them: X and y are raised to the threshold
    (Gneiting & Ranjan 2011).
    """

    variable: str
    fair: bool = False
    thresholds: tuple[int | float, ...] = ()
    units: Units = field(default="field", init=False)
    best: Best = field(default="low", init=False)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Distance from the truth, and between members."""
        return (
            MemberDistance(self.variable, self.thresholds),
            MemberDifference(self.variable, self.fair, self.thresholds),
        )

    @property
    def description(self) -> str:
        """Which of the estimators it is."""
        pairs = "pairs of different members (fair)" if self.fair else "all pairs of members"
        return f"E|X - y| - 0.5 E|X - X'|, the second over {pairs}"

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The CRPS."""
        distance, difference = (means[s] for s in self.statistics)
        return distance - 0.5 * difference


@dataclass(frozen=True)
class Spread(Metric):
    """√ of the mean variance of the members."""

    variable: str
    units: Units = field(default="field", init=False)
    best: Best = field(default="high", init=False)
    description: str = field(
        default="root of the mean unbiased variance of the members over all initial times",
        init=False,
    )

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The variance."""
        return (Variance(self.variable),)

    @property
    def pooled(self) -> bool:
        """The root comes last."""
        return True

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The spread."""
        return means[self.statistics[0]] ** 0.5


@dataclass(frozen=True)
class SpreadSkill(Metric):
    """Spread over the RMSE of the ensemble mean, over all init times; 1 is reliable.

    plain      √(s² / MSE)
    corrected  √((M + 1) / M · s² / MSE) (Fortin et al. 2014)
    debiased   √(s² / (MSE - s² / M)), the part of the error taken off that few members cause
    """

    variable: str
    kind: Literal["plain", "corrected", "debiased"]
    units: Units = field(default="1", init=False)
    best: Best = field(default="one", init=False)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Error of the mean, variance, and variance over the number of members."""
        return (
            MeanSquaredError(self.variable),
            Variance(self.variable),
            Variance(self.variable, over_members=True),
        )

    @property
    def pooled(self) -> bool:
        """The ratio comes last."""
        return True

    @property
    def description(self) -> str:
        """Which of the three it is."""
        return f"spread over the RMSE of the ensemble mean, {self.kind}, over all initial times"

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The ratio; NaN where the error is not larger than chance allows."""
        square, variance, share = (means[s] for s in self.statistics)
        above = {"plain": variance, "corrected": variance + share, "debiased": variance}[self.kind]
        below = square - share if self.kind == "debiased" else square
        return (above / below.where(below > 0)) ** 0.5


@dataclass(frozen=True)
class EnergyScore(Metric):
    """E‖X - y‖ - ½ E‖X - X'‖, ‖·‖ the root of the area mean square over a region.

    The second is over all pairs of different members, or over each and the next.
    """

    variable: str
    neighbours: bool = False
    units: Units = field(default="field", init=False)
    best: Best = field(default="low", init=False)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Squares of every member's error, and of the differences of pairs."""
        return (Each(SquaredError(self.variable)), PairSquare(self.variable, self.neighbours))

    @property
    def description(self) -> str:
        """Over which pairs."""
        pairs = "each member and the next" if self.neighbours else "all pairs of different members"
        return f"energy score with the area-weighted norm over the region, over {pairs}"

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The energy score."""
        error, pairs = (means[s] ** 0.5 for s in self.statistics)
        distance = error.mean(MEMBERS) if MEMBERS in error.dims else error
        return distance - 0.5 * pairs.mean("pair")


@dataclass(frozen=True)
class Reliability(Metric):
    """How often an event came where its probability was in each tenth, over all init times."""

    variable: str
    thresholds: tuple[int | float, ...]
    units: Units = field(default="1", init=False)
    best: Best = field(default="one", init=False)
    description: str = field(
        default="observed frequency of values above the threshold by tenths of the forecast "
        "probability, over all initial times",
        init=False,
    )

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """How often it was so forecast and came, and how often it was so forecast."""
        return tuple(Forecasted(self.variable, self.thresholds, came) for came in (True, False))

    @property
    def pooled(self) -> bool:
        """The ratio comes last."""
        return True

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The observed frequency; NaN in tenths that were never forecast."""
        came, forecast = (means[s] for s in self.statistics)
        return came / forecast.where(forecast > 0)
