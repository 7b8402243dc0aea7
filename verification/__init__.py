"""Forecast verification: fields to means, means to metrics; strict about what is compared.

`score` does all of it: a forecast and a truth in, one Dataset of scores out. Behind it, in reading
order:

- `sample` and `statistic`: a field for each init time, such as a squared error;
- `regions` and `averaging`: its area-weighted mean over boxes;
- `means`: those means by init time, which add; `metric`: what is reported, as a function of them;
- `alignment`: what of a forecast can be held against a truth, and what is refused;
- `entrants`: whose forecasts are scored (the forecast, persistence, climatology);
- `engine` (`means_of`): the one pass over the fields, kept in a `means_store`;
- `scoring` (`score`) and `protocols`: metrics of all variables, described;
- `files`: forecasts and truths opened and checked, scores written;
- `scorecard`: scores as a report and as figures.

A metric of your own is a `Metric`, made of statistics that exist or a `Statistic` of your own:

>>> from verification import MeanOf, SquaredError, METRICS
>>> mine = {**METRICS, "mse": lambda variable: MeanOf(SquaredError(variable), units="squared")}

and goes to `score(..., metrics=mine)`.
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
