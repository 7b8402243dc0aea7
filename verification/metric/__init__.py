"""Metrics: what is reported, as functions of means of statistics.

Read `contract` first (`Metric`: what one of your own must have), then `deterministic` (RMSE, MAE,
bias, anomaly correlation), `members` (how they are taken of an ensemble) and `table` (`METRICS`,
those that `score` reports).
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
