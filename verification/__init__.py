"""Forecast verification: fields to means, means to metrics; strict about what is compared.

`score` does all of it: a forecast and a truth in, one Dataset of scores out. Behind it, in reading
order:

- `sample` and `statistic`: a field for each init time, such as a squared error;
- `regions` and `averaging`: the area-weighted mean of a field over boxes;
- `means`: these means, by init time; they add. `metric`: the reported numbers, functions of means;
- `alignment`: the parts of a forecast that a truth can judge; the rest is refused or noted;
- `entrants`: the forecasts that are compared (the forecast, persistence, climatology);
- `engine` (`means_of`): the one pass over the fields; `means_store` keeps its results on disk;
- `scoring` (`score`) and `protocols`: metrics of all variables in one Dataset, with a description;
- `files`: opens and checks forecasts and truths, writes scores;
- `scorecard`: scores as a report and as figures.

A metric of your own is a `Metric` of the statistics here, or of a `Statistic` of your own:

>>> from verification import MeanOf, SquaredError, METRICS
>>> mse = {"mse": lambda variable: MeanOf(SquaredError(variable), units="squared")}
>>> metrics = {**METRICS, **mse}

Give it to `score(..., metrics=metrics)`.
"""

from verification.alignment import Alignment, align
from verification.averaging import RegionWeights
from verification.engine import means_of
from verification.entrants import Climatology, Entrant, Forecast, Persistence
from verification.means import Means, by_init_time, evaluate
from verification.means_store import read_means
from verification.metric import (
    METRICS,
    AnomalyCorrelation,
    MeanOf,
    MeanOfRoots,
    MeanOverMembers,
    Metric,
    RootOfMean,
)
from verification.protocols import Protocol
from verification.regions import REGIONS, Region
from verification.sample import Sample
from verification.scoring import score
from verification.statistic import (
    AbsoluteError,
    Anomaly,
    AnomalyProduct,
    Each,
    Error,
    SquaredError,
    Statistic,
)

__all__ = [
    "METRICS",
    "REGIONS",
    "AbsoluteError",
    "Alignment",
    "Anomaly",
    "AnomalyCorrelation",
    "AnomalyProduct",
    "Climatology",
    "Each",
    "Entrant",
    "Error",
    "Forecast",
    "MeanOf",
    "MeanOfRoots",
    "MeanOverMembers",
    "Means",
    "Metric",
    "Persistence",
    "Protocol",
    "Region",
    "RegionWeights",
    "RootOfMean",
    "Sample",
    "SquaredError",
    "Statistic",
    "align",
    "by_init_time",
    "evaluate",
    "means_of",
    "read_means",
    "score",
]
