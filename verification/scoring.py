"""`score`: a forecast against a truth, every metric of `deterministic.METRICS`, one Dataset out.

One initial time and one variable are worked on at once, lazily over lead times: dask holds as many
lead times in memory as it has threads, whatever the length of the forecast or the number of
initial times. What is kept is one number per lead time, level and region.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from verification.averaging import RegionWeights, RunningMean
from verification.baselines import persistence
from verification.climatology import climatology_at
from verification.deterministic import METRICS, Metric, needs_climatology
from verification.pairing import Pairing, pair
from verification.regions import HEADLINE_REGIONS
from verification.statistic import Sample, Statistic

TITLE = "Scores of a weather forecast"
SMALL = 64e6  # bytes; what is smaller is loaded before, which spares dask many small tasks
DIMS = ("metric", "source", "region", "prediction_timedelta", "level")
DESCRIPTIONS = {
    "weights": "exact area of each latitude row on the sphere, shared evenly by its points",
    "rmse": "mean over initial times of the root of the area-weighted mean square (GraphCast)",
    "rmse_wb2": "root of the area-weighted mean square over all initial times (WeatherBench 2)",
    "acc": "mean over initial times of the anomaly correlation, not centred",
    "missing_values": "refused, never skipped",
}

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Protocol:
    """How to score, and by what names forecast, truth and climatology go in the result."""

    regions: tuple[str, ...] = HEADLINE_REGIONS
    forecast: str = "not named"
    truth: str = "not named"
    climatology: str = "none"


def score(
    forecast: xr.Dataset,
    truth: xr.Dataset,
    protocol: Protocol | None = None,
    *,
    climatology: xr.Dataset | None = None,
    progress: Progress = lambda done, of: None,
) -> xr.Dataset:
    """Scores of a forecast and of persistence.

    Args:
        forecast: (time, [number,] prediction_timedelta, [level,] latitude, longitude), as in the
            forecast store; members are scored one by one and averaged.
        truth: canonical analyses at the valid times and, for persistence, at the initial times.
        protocol: the regions, and names for the record.
        climatology: (as `climatology.climatology_at` takes it) for the anomaly correlation.
        progress: called with the number of finished parts and of all of them.

    Returns:
        Each variable with the dimensions (metric, source, region, prediction_timedelta[, level]),
        `sample_count` (prediction_timedelta), and in its attributes the protocol, the forecast's
        provenance and, in `notes`, everything that was not scored and why.

    Raises:
        ValueError: as `pairing.pair`; an unknown region; a value that is missing or not finite.
    """
    protocol = protocol or Protocol()
    both = pair(forecast, truth, climatology)
    weights = RegionWeights.on(both.grid, protocol.regions)
    metrics = {
        name: metric
        for name, metric in METRICS.items()
        if both.climatology is not None or not needs_climatology(metric)
    }
    parts = list(_parts(both))
    totals: dict[tuple[str, str, str], RunningMean] = {}
    for done, part in enumerate(parts):
        progress(done, len(parts))
        for key, mean in _of_part(part, weights, metrics).items():
            totals[key] = totals[key] + mean if key in totals else mean
    progress(len(parts), len(parts))
    variables = {
        str(name): _assembled(str(name), field.attrs, metrics, totals)
        for name, field in both.forecast.items()
    }
    count = both.scored.sum("time").astype(np.int64)
    count.attrs = {"long_name": "number of initial times scored", "units": "1"}
    scores = xr.Dataset({**variables, "sample_count": count}).sel(
        prediction_timedelta=count.values > 0
    )
    scores["prediction_timedelta"].attrs = {"standard_name": "forecast_period"}
    return scores.assign_attrs(_attrs(both, protocol))


@dataclass(frozen=True, eq=False)
class _Part:
    """One variable from one initial time: samples by source, at the lead times with truth."""

    name: str
    init_time: np.datetime64
    scored: xr.DataArray
    samples: dict[str, Sample] = field(default_factory=dict)


def _parts(both: Pairing) -> Iterator[_Part]:
    leads = both.forecast["prediction_timedelta"]
    for i, init_time in enumerate(both.forecast["time"].values):
        scored = both.scored.isel(time=i, drop=True)
        if not scored.any():
            continue
        valid = (init_time + leads[scored.values]).drop_vars("valid_time", errors="ignore")
        for name in both.forecast.data_vars:
            predicted = both.forecast[name].isel(time=i, prediction_timedelta=scored.values)
            needed = both.truth["time"].isin([init_time, *valid.values]).values
            observed = both.truth[name].isel(time=needed)
            if predicted.nbytes < SMALL:
                predicted, observed = predicted.load(), observed.load()
            sources = {"forecast": predicted.drop_vars(("time", "valid_time"), errors="ignore")}
            if not both.persistence_lacks:
                sources["persistence"] = persistence(
                    observed, init_time, valid["prediction_timedelta"]
                )
            truth = observed.sel(time=valid.values).drop_vars("valid_time", errors="ignore")
            truth = truth.rename(time="prediction_timedelta").assign_coords(
                prediction_timedelta=valid["prediction_timedelta"].values
            )
            usual = None
            if both.climatology is not None:
                usual = climatology_at(both.climatology[name], valid)
            # Arithmetic would drop what does not match without a word.
            xr.align(truth, *sources.values(), *([] if usual is None else [usual]), join="exact")
            samples = {source: Sample(f, truth, usual) for source, f in sources.items()}
            yield _Part(str(name), init_time, scored, samples)


def _of_part(
    part: _Part, weights: RegionWeights, metrics: dict[str, Metric]
) -> dict[tuple[str, str, str], RunningMean]:
    """Each metric's contribution, by (variable, metric, source)."""
    statistics = {statistic for metric in metrics.values() for statistic in metric.statistics}
    lazy: dict[tuple[str, Statistic], xr.DataArray] = {
        (source, statistic): weights.mean(statistic.field(sample))
        for source, sample in part.samples.items()
        for statistic in statistics
    }
    # In one Dataset, so that each chunk is read once for all statistics.
    named = [mean.rename(str(i)) for i, mean in enumerate(lazy.values())]
    computed = xr.merge(named, join="exact", combine_attrs="drop").compute()
    means = {key: computed[str(i)] for i, key in enumerate(lazy)}
    contributions = {}
    for source, sample in part.samples.items():
        mine = {statistic: means[source, statistic] for statistic in statistics}
        if not all(np.isfinite(mean).all() for mean in mine.values()):
            raise ValueError(_what_is_not_finite(part, sample))
        for name, metric in metrics.items():
            value = metric.of_sample(mine)
            if "number" in value.dims:
                value = value.mean("number")
            value = value.reindex(prediction_timedelta=part.scored["prediction_timedelta"].values)
            weight = part.scored.drop_vars(("time", "valid_time"), errors="ignore").astype(float)
            contributions[part.name, name, source] = RunningMean.of(value, weight)
    return contributions


def _what_is_not_finite(part: _Part, sample: Sample) -> str:
    start = np.datetime_as_string(part.init_time, "h")
    for role, values in sample._asdict().items():
        if values is None:
            continue
        whole = np.isfinite(values).all([d for d in values.dims if d != "prediction_timedelta"])
        if not whole.all():
            where = ""
            if "prediction_timedelta" in whole.dims:
                bad = whole["prediction_timedelta"].values[~whole.values]
                hours = ", ".join(f"+{lead / np.timedelta64(1, 'h'):g}" for lead in bad)
                where = f" at {hours} h"
            return (
                f"the {role} of {part.name} from {start} has values that are missing or not "
                f"finite{where}; they are not skipped: repair the {role} or leave {part.name} out"
            )
    return (
        f"a metric of {part.name} from {start} is not finite though its fields are: "
        "the forecast or the truth equals the climatology everywhere in a region"
    )


def _assembled(
    variable: str,
    attrs: dict[Any, Any],
    metrics: dict[str, Metric],
    totals: dict[tuple[str, str, str], RunningMean],
) -> xr.DataArray:
    """All metrics and sources of one variable in one array."""
    sources = [s for s in ("forecast", "persistence") if (variable, "rmse", s) in totals]
    by_metric = [
        xr.concat([metric.of_mean(totals[variable, name, s].mean) for s in sources], dim="source")
        for name, metric in metrics.items()
    ]
    array = xr.concat(by_metric, dim="metric").assign_coords(metric=list(metrics), source=sources)
    array = array.transpose(*DIMS, missing_dims="ignore")
    array.attrs = {
        "long_name": f"scores of {attrs.get('long_name', variable)}",
        "units": attrs.get("units", "not stated"),
        "comment": "all metrics in these units but acc, which has none",
    }
    return array


def _attrs(both: Pairing, protocol: Protocol) -> dict[str, Any]:
    members = both.forecast.sizes.get("number", 1)
    times = both.forecast["time"].values[both.scored.any("prediction_timedelta").values]
    return {
        "title": TITLE,
        "forecast": protocol.forecast,
        "truth": protocol.truth,
        "baseline": "none" if both.persistence_lacks else "persistence of the truth at init time",
        "climatology": protocol.climatology,
        "grid": f"{both.grid.shape[0]} latitudes by {both.grid.shape[1]} longitudes",
        "initial_times": ", ".join(np.datetime_as_string(time, "h") for time in times),
        "initial_time_count": len(times),
        "members": "1" if members == 1 else f"{members}, scored one by one and averaged",
        **DESCRIPTIONS,
        "notes": "\n".join(both.notes),
        "forecast_source": both.forecast.attrs.get("source", "not stated"),
        "forecast_provenance": both.forecast.attrs.get("provenance", "not stated"),
    }
