"""Metrics: the numbers that scores report, each a function of means of statistics.

Read `contract` first (`Metric`, which one of your own subclasses), then `deterministic` (RMSE, MAE,
bias, anomaly correlation), `members` (the mean of a metric over ensemble members) and `table`
(`METRICS`, those that `score` reports).
"""

from verification.metric.contract import MeanOfStatistic, Metric, meaning
from verification.metric.deterministic import AnomalyCorrelation, MeanOf, MeanOfRoots, RootOfMean
from verification.metric.members import MeanOverMembers
from verification.metric.table import METRICS, MetricOf

__all__ = [
    "METRICS",
    "AnomalyCorrelation",
    "MeanOf",
    "MeanOfRoots",
    "MeanOfStatistic",
    "MeanOverMembers",
    "Metric",
    "MetricOf",
    "RootOfMean",
    "meaning",
]
