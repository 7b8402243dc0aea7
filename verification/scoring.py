"""Scores: metrics of all variables and entrants, as a Dataset and as flat rows.

`score` is the short form: one forecast and a truth in, one Dataset out. `Scored` is what any number
of forecasts gives: their means, and the metrics that are functions of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from data.variables import VARIABLES
from data.wording import hour, hours
from verification.alignment import Alignment, align
from verification.derived import VECTORS, derived_named
from verification.engine import Progress, Space, means_of
from verification.entrants import Entrant, Forecast, Persistence
from verification.means import Means, by_init_time, evaluate, scored
from verification.metric import HEADLINE_METRICS, METRICS, Metric, MetricOf, meaning
from verification.protocols import TITLE, Protocol
from verification.results import Score
from verification.statistic import Statistic

DIMS = ("metric", "source", "region", "prediction_timedelta", "level")
BINS = ("threshold", "quantile", "probability", "rank", "wavenumber")
UNITS = {"field": "{}", "squared": "({})2", "1": "1"}  # of a metric, from those of the variable
HEADLINE = {name: METRICS[name] for name in HEADLINE_METRICS}
MISSING = {
    "refuse": "refused, never skipped",
    "count": "left out of forecast and truth alike, and counted in the notes",
}

MetricsOf = Mapping[str, Mapping[str, Metric]]  # variable → name → metric


def score(
    forecast: xr.Dataset,
    truth: xr.Dataset,
    protocol: Protocol | None = None,
    *,
    climatology: xr.Dataset | None = None,
    metrics: Mapping[str, MetricOf] = HEADLINE,
    baselines: Sequence[Callable[[Alignment], Entrant]] = (Persistence,),
    progress: Progress = lambda done, total: None,
) -> xr.Dataset:
    """Scores of a forecast and of the baselines that it must beat.

    Args:
        forecast: (time, [number,] prediction_timedelta, [level,] latitude, longitude), as in the
            forecast store; `time` is the init time.
        truth: canonical analyses at the valid times and, for persistence, at the init times.
        protocol: the regions, and names for the record.
        climatology: (as `climatology.places_at` takes it) for the anomaly correlation.
        metrics: name → the metric of a variable. `METRICS` has all; the headline ones score
            members one by one and average. Metrics that need a climatology are left out where none
            is given.
        baselines: make the entrants that are scored beside the forecast. Persistence is left out
            where the truth lacks an init time.
        progress: called with the number of finished parts and of all parts.

    Returns:
        Each variable with the dimensions (metric, source, region, prediction_timedelta[, level]),
        `sample_count` (prediction_timedelta), and in its attributes the protocol, the forecast's
        provenance and, in `notes`, everything that was not scored and why. The attributes of
        `metric` give each metric's units and which values are good.

    Raises:
        ValueError: as `align`; an unknown region; a value that is missing or not finite.
    """
    protocol = protocol or Protocol()
    both = align(forecast, truth, climatology)
    entrants = with_baselines(both, baselines)
    wanted = metrics_of(both.variables, metrics, climatology=climatology is not None)
    space = Space(protocol.regions, protocol.rows)
    means = means_of(entrants, statistics_of(wanted), space, progress=progress)
    return Scored(protocol, entrants, means, wanted, space).dataset()


def with_baselines(
    both: Alignment, baselines: Sequence[Callable[[Alignment], Entrant]], name: str = "forecast"
) -> tuple[Entrant, ...]:
    """The forecast and its baselines; persistence only where the truth has every init time."""
    entrants = (Forecast(both, name), *(baseline(both) for baseline in baselines))
    return tuple(e for e in entrants if not (both.without_start and isinstance(e, Persistence)))


def metrics_of(
    variables: Sequence[str], metrics: Mapping[str, MetricOf], *, climatology: bool
) -> dict[str, dict[str, Metric]]:
    """The metrics of each variable; those that need a climatology only where there is one."""
    made: dict[str, dict[str, Metric]] = {}
    for variable in variables:
        derived = derived_named(variable)
        anomalies = climatology and (derived is None or derived.linear)
        for name, metric_of in metrics.items():
            metric = metric_of(variable)
            if metric is not None and (anomalies or not metric.needs_climatology):
                made.setdefault(variable, {})[name] = metric
    return made


def statistics_of(metrics: MetricsOf) -> list[Statistic]:
    """All statistics of all metrics, each once."""
    found = (s for named in metrics.values() for m in named.values() for s in m.statistics)
    return list(dict.fromkeys(found))


@dataclass(frozen=True, eq=False)
class Scored:
    """What was scored: means by entrant, and the metrics of each variable.

    Attributes:
        protocol: how.
        entrants: forecasts and baselines.
        means: by the entrant's name.
        metrics: of each variable, by name.
        space: how fields were averaged.
        notes: more notes than those of the alignments.
    """

    protocol: Protocol
    entrants: tuple[Entrant, ...]
    means: Mapping[str, Means]
    metrics: MetricsOf
    space: Space
    notes: tuple[str, ...] = ()

    @cached_property
    def distinct(self) -> dict[str, Metric]:
        """Every metric by its name, as the first variable that has it has it."""
        named: dict[str, Metric] = {}
        for metrics in self.metrics.values():
            for name, metric in metrics.items():
                named.setdefault(name, metric)
        return named

    def dataset(self) -> xr.Dataset:
        """The scores over all init times; see `score`."""
        alignments = {id(e.alignment): e.alignment for e in self.entrants}.values()
        counts = [a.scored.sum("time").astype(np.int64) for a in alignments]
        counts = [count.sel(prediction_timedelta=count.values > 0) for count in counts]
        leads = np.unique(np.concatenate([c["prediction_timedelta"].values for c in counts]))
        count = counts[0].drop_vars(set(counts[0].coords) - set(counts[0].dims))
        count = count.reindex(prediction_timedelta=leads, fill_value=0)
        count.attrs = {"long_name": "number of initial times scored", "units": "1"}
        arrays = {v: self._assembled(v, evaluate, leads) for v in self.metrics}
        found = {v: a for v, a in arrays.items() if a is not None}
        scores = xr.Dataset({**found, "sample_count": count})
        scores["prediction_timedelta"].attrs = {"standard_name": "forecast_period"}
        if "metric" in scores.coords:
            names = [str(name) for name in scores["metric"].values]
            scores["metric"].attrs = meaning(self.distinct[name] for name in names)
        return scores.assign_attrs(self.attributes())

    def by_init_time(self) -> xr.Dataset:
        """Every metric at each init time as if it were the only one, `<variable>_by_init_time`."""
        arrays = {v: self._assembled(v, by_init_time, None) for v in self.metrics}
        made = {f"{v}_by_init_time": a for v, a in arrays.items() if a is not None}
        return xr.Dataset(made).rename(metric="metric_by_init_time") if made else xr.Dataset()

    def binned(self) -> xr.Dataset:
        """Metrics with a dimension of their own (wavenumber, rank), `<variable>_<metric>`."""
        made = {}
        for variable, metrics in self.metrics.items():
            for name, metric in metrics.items():
                values = {e: evaluate(means, metric) for e, means in self._having(metric)}
                if values and _binned(next(iter(values.values()))):
                    joined = xr.concat(list(values.values()), dim="source", join="outer")
                    bins = {b: f"{b}_of_{variable}_{name}" for b in BINS if b in joined.dims}
                    array = joined.assign_coords(source=list(values)).rename(bins)
                    array.attrs["units"] = UNITS[metric.units].format(self.units(variable))
                    made[f"{variable}_{name.partition('@')[0]}"] = array
        return xr.Dataset(made)

    def datasets(self) -> tuple[xr.Dataset, ...]:
        """Everything that a store of scores has: all init times together, each one, and bins."""
        return self.by_init_time(), self.binned(), self.dataset()

    def rows(self) -> Iterator[Score]:
        """Every number as a row."""
        for variable, metrics in self.metrics.items():
            for name, metric in metrics.items():
                unit = UNITS[metric.units].format(self.units(variable))
                for entrant, means in self._having(metric):
                    values = evaluate(means, metric)
                    counts = scored(means, metric).sum("init_time")
                    yield from rows_of(values, counts, entrant, name, variable, unit)

    def units(self, variable: str) -> str:
        """The units of a variable."""
        if variable in VECTORS:
            return "m s-1"
        derived = derived_named(variable)
        for entrant in self.entrants:
            if variable in entrant.alignment.forecast:
                stated = entrant.alignment.forecast[variable].attrs.get("units")
                known = VARIABLES[variable].units if variable in VARIABLES else "not stated"
                return str(stated or known)
        return derived.units if derived else "not stated"

    def attributes(self) -> dict[str, Any]:
        """The record of what was done, as attributes."""
        alignments = {id(e.alignment): e.alignment for e in self.entrants}.values()
        forecasts = [e for e in self.entrants if isinstance(e, Forecast)]
        first = self.entrants[0].alignment
        init_times = sorted({time for a in alignments for time in a.init_times})
        members = first.forecast.sizes.get("number", 1)
        notes = dict.fromkeys([*(n for a in alignments for n in a.notes), *self.notes])
        baselines = [e.description for e in self.entrants if not isinstance(e, Forecast)]
        return {
            "title": TITLE,
            "forecast": self.protocol.forecast,
            "truth": self.protocol.truth,
            "baseline": "; ".join(baselines) or "none",
            "climatology": self.protocol.climatology,
            "grid": f"{first.grid.shape[0]} latitudes by {first.grid.shape[1]} longitudes",
            "initial_times": ", ".join(map(hour, init_times)),
            "initial_time_count": len(init_times),
            "members": "1" if members == 1 else f"{members}, scored one by one and averaged",
            **self.protocol.in_words(self.distinct),
            "missing_values": MISSING[self.space.missing],
            "notes": "\n".join(notes),
            "forecast_source": _joined(forecasts, "source"),
            "forecast_provenance": _joined(forecasts, "provenance"),
        }

    def _having(self, metric: Metric) -> Iterator[tuple[str, Means]]:
        """The entrants that have the statistics of a metric."""
        for name, means in self.means.items():
            if all(repr(statistic) in means.sums for statistic in metric.statistics):
                yield name, means

    def _assembled(
        self,
        variable: str,
        of: Callable[[Means, Metric], xr.DataArray],
        leads: np.ndarray | None,
    ) -> xr.DataArray | None:
        """All metrics without bins and all entrants of a variable in one array; None for none."""
        by_metric = {}
        for name, metric in self.metrics[variable].items():
            values = {e: of(means, metric) for e, means in self._having(metric)}
            if values and not _binned(next(iter(values.values()))):
                joined = xr.concat(list(values.values()), "source", join="outer")
                by_metric[name] = joined.assign_coords(source=list(values))
        if not by_metric:
            return None
        array = xr.concat(list(by_metric.values()), "metric", join="outer")
        array = array.assign_coords(metric=list(by_metric))
        if leads is not None:
            array = array.reindex(prediction_timedelta=leads)
        array = array.transpose(*DIMS, ..., missing_dims="ignore")
        long_name = self.entrants[0].alignment.forecast.get(variable, array).attrs.get("long_name")
        array.attrs = {
            "long_name": f"scores of {long_name or variable}",
            "units": self.units(variable),
            "comment": _comment({n: self.metrics[variable][n] for n in by_metric}),
        }
        return array


def rows_of(
    values: xr.DataArray,
    counts: xr.DataArray,
    forecast: str,
    metric: str,
    variable: str,
    unit: str,
) -> Iterator[Score]:
    """The rows of one metric of one entrant; a bin stands after the metric's name: `brier@280`."""
    bins = [dim for dim in BINS if dim in values.dims]
    order = [*bins, *(("level",) if "level" in values.dims else ())]
    order += ["region", "prediction_timedelta"]
    numbers = values.transpose(*order).values
    counts = counts.max([dim for dim in counts.dims if dim not in values.dims])
    n = counts.broadcast_like(values).transpose(*order).values
    labels = [values[dim].values.tolist() for dim in order[:-1]]
    leads = [hours(lead) for lead in values["prediction_timedelta"].values]
    for place in np.ndindex(numbers.shape[:-1]):
        at = (label[i] for label, i in zip(labels, place, strict=True))
        row = dict(zip(order, at, strict=False))
        name = metric_label(metric, [row[b] for b in bins])
        level = row.get("level")
        for lead, value, number in zip(leads, numbers[place], n[place], strict=True):
            if number:
                yield Score(
                    *(forecast, name, variable, level, row["region"], lead),
                    *(float(value), int(number), unit),
                )


def metric_label(metric: str, bins: Sequence[float]) -> str:
    """A metric's name with the labels of its bins: `brier@280`, `spectrum@12`.

    >>> metric_label("reliability@280,290", [280.0, 0.15])
    'reliability@280:0.15'
    """
    base = metric.partition("@")[0]
    return f"{base}@{':'.join(f'{b:.6g}' for b in bins)}" if bins else metric


def _binned(values: xr.DataArray) -> bool:
    return any(dim in values.dims for dim in BINS)


def _joined(forecasts: Sequence[Entrant], attribute: str) -> str:
    stated = [str(e.alignment.forecast.attrs.get(attribute, "not stated")) for e in forecasts]
    return (
        stated[0]
        if len(stated) == 1
        else "\n".join(f"{e.name}: {text}" for e, text in zip(forecasts, stated, strict=True))
    )


def _comment(metrics: Mapping[str, Metric]) -> str:
    """Which metrics are not in the variable's units, in words."""
    unitless = [name for name, metric in metrics.items() if metric.units == "1"]
    squared = [name for name, metric in metrics.items() if metric.units == "squared"]
    return (
        "all metrics in these units"
        + f" but {', '.join(unitless)}, which has none" * bool(unitless)
        + f"; {', '.join(squared)} in these units squared" * bool(squared)
    )
