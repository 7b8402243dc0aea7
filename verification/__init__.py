"""Forecast verification: statistic, weighted mean, metric; strict about what is compared.

Read in this order: `statistic` (a field per sample), `averaging` and `regions` (its means),
`deterministic` (metrics as functions of those means), `baselines` and `climatology` (what to
compare with), `pairing` (what of a forecast can be scored against a truth, and what is refused),
`scoring` (`score`: a forecast and a truth in, one Dataset of scores out), `scorecard` (the scores
as a report and as figures).
"""

from verification.averaging import RegionWeights, RunningMean
from verification.baselines import persistence
from verification.deterministic import METRICS, Metric
from verification.regions import REGIONS, Region
from verification.scoring import Protocol, score
from verification.statistic import Sample, Statistic

__all__ = [
    "METRICS",
    "REGIONS",
    "Metric",
    "Protocol",
    "Region",
    "RegionWeights",
    "RunningMean",
    "Sample",
    "Statistic",
    "persistence",
    "score",
]
