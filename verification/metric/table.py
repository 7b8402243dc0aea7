"""The metrics by name; a new one is a line here."""

import difflib
import re
from collections.abc import Callable, Iterable

from verification.derived import VECTORS
from verification.metric.contract import Metric
from verification.metric.deterministic import (
    Activity,
    AnomalyCorrelation,
    CentredAnomalyCorrelation,
    MeanOf,
    MeanOfRoots,
    RootOfMean,
)
from verification.metric.ensemble import Crps, EnergyScore, Reliability, Spread, SpreadSkill
from verification.metric.fields import (
    S1,
    EffectiveResolution,
    FractionsSkill,
    OptimallyBlurredRmse,
    Spectrum,
)
from verification.metric.members import MeanOverMembers
from verification.statistic import (
    DRY,
    AbsoluteError,
    Error,
    MeanSquaredError,
    ProbabilityError,
    QuantileLoss,
    Rank,
    Seeps,
    SquaredError,
    VectorSquaredError,
)

MetricOf = Callable[[str], Metric | None]  # the metric of a variable; None where it has none
MetricAt = Callable[[str, tuple[int | float, ...]], Metric]  # with thresholds or quantiles


def _each(make: Callable[[str], Metric]) -> MetricOf:
    """A metric of members one by one."""
    return _whole(lambda variable: MeanOverMembers(make(variable)))


def _whole(make: Callable[[str], Metric]) -> MetricOf:
    """A metric of any variable but vectors."""
    return lambda variable: None if variable in VECTORS else make(variable)


def _of(variables: Iterable[str], make: Callable[[str], Metric]) -> MetricOf:
    """A metric of some variables alone, member by member."""
    names = frozenset(variables)
    return lambda variable: MeanOverMembers(make(variable)) if variable in names else None


METRICS: dict[str, MetricOf] = {
    "rmse": _each(lambda v: MeanOfRoots(SquaredError(v))),
    "rmse_wb2": _each(lambda v: RootOfMean(SquaredError(v))),
    "mse": _each(lambda v: MeanOf(SquaredError(v), units="squared")),
    "mae": _each(lambda v: MeanOf(AbsoluteError(v))),
    "bias": _each(lambda v: MeanOf(Error(v), best="zero")),
    "acc": _each(AnomalyCorrelation),
    "acc_centred": _each(CentredAnomalyCorrelation),
    "activity": _each(Activity),
    "activity_truth": _each(lambda v: Activity(v, "truth")),
    "wind_vector_rmse": _of(VECTORS, lambda v: MeanOfRoots(VectorSquaredError(*VECTORS[v]))),
    "wind_vector_rmse_wb2": _of(VECTORS, lambda v: RootOfMean(VectorSquaredError(*VECTORS[v]))),
    "s1": _of(["mean_sea_level_pressure"], S1),
    "seeps": _of(DRY, lambda v: MeanOf(Seeps(v), units="1")),
    "spectrum": _each(lambda v: Spectrum(v, "forecast")),
    "spectrum_truth": _each(lambda v: Spectrum(v, "truth")),
    "spectrum_error": _each(lambda v: Spectrum(v, "error")),
    "effective_resolution": _each(EffectiveResolution),
    "rmse_blurred": _each(OptimallyBlurredRmse),
    "crps": _whole(Crps),
    "crps_fair": _whole(lambda v: Crps(v, fair=True)),
    "ensemble_mean_rmse": _whole(lambda v: MeanOfRoots(MeanSquaredError(v))),
    "ensemble_mean_rmse_wb2": _whole(lambda v: RootOfMean(MeanSquaredError(v))),
    "spread": _whole(Spread),
    "spread_skill": _whole(lambda v: SpreadSkill(v, "debiased")),
    "spread_skill_plain": _whole(lambda v: SpreadSkill(v, "plain")),
    "spread_skill_corrected": _whole(lambda v: SpreadSkill(v, "corrected")),
    "rank_histogram": _whole(lambda v: MeanOf(Rank(v), units="1")),
    "energy_score": _whole(EnergyScore),
    "energy_score_neighbours": _whole(lambda v: EnergyScore(v, neighbours=True)),
}

# Metrics that need values, as in brier@280,290: thresholds in the variable's units, or quantiles.
METRICS_AT: dict[str, MetricAt] = {
    "fss": lambda v, at: MeanOverMembers(FractionsSkill(v, at)),
    "brier": lambda v, at: MeanOf(ProbabilityError(v, at), units="1"),
    "reliability": Reliability,
    "quantile_score": lambda v, at: MeanOf(QuantileLoss(v, at)),
    "twcrps": lambda v, at: Crps(v, thresholds=at),
    "twcrps_fair": lambda v, at: Crps(v, fair=True, thresholds=at),
}

HEADLINE_METRICS = ("rmse", "rmse_wb2", "mae", "bias", "acc")  # unless others are asked for


def metric_named(name: str) -> MetricOf:
    """The metric of a name, or of a name with values.

    >>> metric_named("brier@280,290")("2m_temperature").statistics[0].thresholds
    (280.0, 290.0)

    Raises:
        ValueError: there is none of that name, or its values are missing or no numbers.
    """
    base, _, text = name.partition("@")
    if base in METRICS and not text:
        return METRICS[base]
    if base in METRICS_AT:
        if not re.fullmatch(r"-?[\d.]+(e-?\d+)?(,-?[\d.]+(e-?\d+)?)*", text):
            raise ValueError(
                f"the metric {base} needs values in the variable's units (a quantile is between 0 "
                f"and 1), as {base}@0.5,0.9, and {name!r} has none"
            )
        at = tuple(float(value) for value in text.split(","))
        make = METRICS_AT[base]
        return _whole(lambda variable: make(variable, at))
    near = difflib.get_close_matches(base, [*METRICS, *METRICS_AT], n=1, cutoff=0.4)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise ValueError(
        f"unknown metric {name!r}{hint}; there are {', '.join(METRICS)}, and with values "
        f"{', '.join(f'{base}@…' for base in METRICS_AT)}"
    )
