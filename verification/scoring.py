"""`score`: a forecast and a truth in, one Dataset of scores out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from data.wording import hour
from verification.alignment import Alignment, align
from verification.engine import Progress, Space, means_of
from verification.entrants import Entrant, Forecast, Persistence
from verification.means import Means, evaluate
from verification.metric import METRICS, Metric, MetricOf, meaning
from verification.protocols import TITLE, Protocol, in_words

DIMS = ("metric", "source", "region", "prediction_timedelta", "level")


def score(
    forecast: xr.Dataset,
    truth: xr.Dataset,
    protocol: Protocol | None = None,
    *,
    climatology: xr.Dataset | None = None,
    metrics: Mapping[str, MetricOf] = METRICS,
    baselines: Sequence[Callable[[Alignment], Entrant]] = (Persistence,),
    progress: Progress = lambda done, total: None,
) -> xr.Dataset:
    """Scores of a forecast and of the baselines that it must beat.

    Args:
        forecast: (time, [number,] prediction_timedelta, [level,] latitude, longitude), as in the
            forecast store; `time` is the init time.
        truth: canonical analyses at the valid times and, for persistence, at the init times.
        protocol: the regions, and names for the record.
        climatology: (as `climatology.climatology_at` takes it) for the anomaly correlation.
        metrics: name → the metric of a variable. `METRICS` score members one by one and average.
            Metrics that need a climatology are left out where none is given.
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
    entrants = _entrants(both, baselines)
    wanted = {
        variable: {name: metric_of(variable) for name, metric_of in metrics.items()}
        for variable in both.variables
    }
    scored = {variable: _possible(both, named) for variable, named in wanted.items()}
    statistics = [s for named in scored.values() for m in named.values() for s in m.statistics]
    means = means_of(entrants, statistics, Space(protocol.regions), progress=progress)
    count = both.scored.sum("time").astype(np.int64)
    count.attrs = {"long_name": "number of initial times scored", "units": "1"}
    scores = xr.Dataset(
        {
            **{
                v: _assembled(means, named, both.forecast[v]).assign_attrs(
                    comment=_comment(wanted[v])
                )
                for v, named in scored.items()
            },
            "sample_count": count.drop_vars(set(count.coords) - set(count.dims)),
        }
    ).sel(prediction_timedelta=count.values > 0)
    scores["prediction_timedelta"].attrs = {"standard_name": "forecast_period"}
    first = both.variables[0]
    scores["metric"].attrs = meaning(scored[first].values())
    return scores.assign_attrs(_attrs(both, protocol, entrants, in_words(wanted[first])))


def _entrants(
    both: Alignment, baselines: Sequence[Callable[[Alignment], Entrant]]
) -> tuple[Entrant, ...]:
    """The forecast and its baselines; persistence only where the truth has every init time."""
    entrants = (Forecast(both), *(baseline(both) for baseline in baselines))
    return tuple(e for e in entrants if not (both.without_start and isinstance(e, Persistence)))


def _possible(both: Alignment, metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """The metrics that do not need a climatology, or all where one is given."""
    return {
        name: metric
        for name, metric in metrics.items()
        if both.climatology is not None or not metric.needs_climatology
    }


def _assembled(
    means: Mapping[str, Means], metrics: Mapping[str, Metric], field: xr.DataArray
) -> xr.DataArray:
    """All metrics and entrants of one variable in one array, at the forecast's lead times."""
    by_metric = [
        xr.concat([evaluate(entrant, metric) for entrant in means.values()], dim="source")
        for metric in metrics.values()
    ]
    array = xr.concat(by_metric, dim="metric").assign_coords(
        metric=list(metrics), source=list(means)
    )
    array = array.reindex(prediction_timedelta=field["prediction_timedelta"].values)
    array = array.transpose(*DIMS, ..., missing_dims="ignore")
    array.attrs = {
        "long_name": f"scores of {field.attrs.get('long_name', field.name)}",
        "units": field.attrs.get("units", "not stated"),
    }
    return array


def _comment(metrics: Mapping[str, Metric]) -> str:
    """Which metrics are not in the variable's units, in words."""
    unitless = [name for name, metric in metrics.items() if metric.units == "1"]
    squared = [name for name, metric in metrics.items() if metric.units == "squared"]
    return (
        "all metrics in these units"
        + f" but {', '.join(unitless)}, which has none" * bool(unitless)
        + f"; {', '.join(squared)} in these units squared" * bool(squared)
    )


def _attrs(
    both: Alignment, protocol: Protocol, entrants: Sequence[Entrant], in_words: Mapping[str, str]
) -> dict[str, Any]:
    members = both.forecast.sizes.get("number", 1)
    return {
        "title": TITLE,
        "forecast": protocol.forecast,
        "truth": protocol.truth,
        "baseline": "; ".join(e.description for e in entrants[1:]) or "none",
        "climatology": protocol.climatology,
        "grid": f"{both.grid.shape[0]} latitudes by {both.grid.shape[1]} longitudes",
        "initial_times": ", ".join(map(hour, both.init_times)),
        "initial_time_count": len(both.init_times),
        "members": "1" if members == 1 else f"{members}, scored one by one and averaged",
        **in_words,
        "notes": "\n".join(both.notes),
        "forecast_source": both.forecast.attrs.get("source", "not stated"),
        "forecast_provenance": both.forecast.attrs.get("provenance", "not stated"),
    }
