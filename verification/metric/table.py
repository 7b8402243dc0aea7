"""The metrics that `score` reports; a new one is a line here."""

from collections.abc import Callable

from verification.metric.contract import Metric
from verification.metric.deterministic import AnomalyCorrelation, MeanOf, MeanOfRoots, RootOfMean
from verification.metric.members import MeanOverMembers
from verification.statistic import AbsoluteError, Error, SquaredError

MetricOf = Callable[[str], Metric]  # the metric of a variable

METRICS: dict[str, MetricOf] = {
    "rmse": lambda variable: MeanOverMembers(MeanOfRoots(SquaredError(variable))),
    "rmse_wb2": lambda variable: MeanOverMembers(RootOfMean(SquaredError(variable))),
    "mae": lambda variable: MeanOverMembers(MeanOf(AbsoluteError(variable))),
    "bias": lambda variable: MeanOverMembers(MeanOf(Error(variable), best="zero")),
    "acc": lambda variable: MeanOverMembers(AnomalyCorrelation(variable)),
}
