"""`score_forecasts`: from the files of forecasts to their scores, and a store of them.

The store is a Zarr folder on `Building`. Each init time's sums are written to its group `sums` when
they are finished, so that scoring goes on after a kill, and a finished store of the same scores is
extended to new init times. The scores themselves are written last.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from data.time_range import TimeRange
from data.wording import hour
from verification.alignment import Alignment, align
from verification.comparing import compared
from verification.derived import VECTORS, check_derived
from verification.engine import Missing, Progress, Space, Work, joined
from verification.entrants import Climatology, Entrant, Forecast, Persistence
from verification.files import (
    damage_named,
    examine_truth,
    open_climatology,
    open_forecast,
    open_truth,
    said_of,
)
from verification.means import Means, Shard
from verification.metric import metric_named
from verification.protocols import Protocol
from verification.results import Results
from verification.scores_store import ScoresStore
from verification.scoring import MetricsOf, Scored, metrics_of, statistics_of

BASELINES = {"persistence": Persistence, "climatology": Climatology}
HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Request:
    """What is to be scored.

    Attributes:
        forecasts: name → path.
        truth: paths of the truth, which are read as one.
        truths: other truths, by the name of the forecast that they judge.
        climatology: path, or None.
        baselines: names in `BASELINES`.
        reference: what the others are compared with; by default the second forecast, or else the
            first baseline.
        protocol: how.
        variables: only these, which may be derived; None for all of the protocol.
        levels: only these (hPa).
        times: only init times of this range.
        lead_times: only these, in hours.
        tests: names in `significance.TESTS`, or "none".
        missing: what becomes of points without a value.
        force: whether to go on after an error that the input doctor finds in a truth.
    """

    forecasts: Mapping[str, str]
    truth: tuple[str, ...]
    truths: Mapping[str, str]
    climatology: str | None
    baselines: tuple[str, ...]
    reference: str | None
    protocol: Protocol
    variables: tuple[str, ...] | None = None
    levels: tuple[int | float, ...] | None = None
    times: TimeRange | None = None
    lead_times: tuple[int | float, ...] | None = None
    tests: tuple[str, ...] = ("ar2",)
    missing: Missing = "refuse"
    force: bool = False

    @property
    def compared_with(self) -> str | None:
        """The reference; None where there is nothing to compare with."""
        names = [*self.forecasts, *self.baselines]
        if self.reference is not None:
            return self.reference
        return names[1] if len(names) > 1 else None


def score_forecasts(
    request: Request,
    *,
    store: ScoresStore | None = None,
    processes: int = 1,
    scheduler: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Scored:
    """Score forecasts from files.

    Args:
        request: what and how.
        store: keeps the sums of each init time; None keeps them in memory.
        processes: how many processes read and compute; 1 uses threads of this one.
        scheduler: address of a dask cluster, in place of processes.
        progress: called with the number of finished lead times, of all init times, and of all.

    Raises:
        FileNotFoundError: an input does not exist.
        ValueError: an input is damaged, or the inputs do not fit each other.
    """
    files = [*request.forecasts.values(), *request.truth, *request.truths.values()]
    with _opened(request) as (entrants, said), damage_named(" or ".join(dict.fromkeys(files))):
        variables = _variables(request, entrants)
        named = {name: metric_named(name) for name in request.protocol.metrics}
        metrics = metrics_of(variables, named, climatology=request.climatology is not None)
        if not metrics:
            raise ValueError(
                f"none of the metrics {', '.join(named)} is one of {', '.join(variables)}"
                " (anomaly correlation and activity need `climatology`; vector metrics need both"
                " components of the wind); name others with `metrics`"
            )
        space = Space(request.protocol.regions, request.protocol.rows, request.missing)
        work = Work.of(entrants, statistics_of(metrics), space)
        shards = _shards(work, store, processes, scheduler, progress)
        means = joined(shards, [entrant.name for entrant in entrants])
        notes = (*said, *_notes(request, entrants), *_gaps(means, metrics))
        return Scored(request.protocol, entrants, means, metrics, space, notes)


def results_of(scored: Scored, request: Request) -> Results:
    """The scores and comparisons as flat rows."""
    reference = request.compared_with
    known = reference is not None and (request.reference is not None or reference in scored.means)
    comparisons = tuple(compared(scored, reference, request.tests)) if reference and known else ()
    words = {k: v for k, v in scored.attributes().items() if k not in ("title",)}
    return Results(
        {"name": request.protocol.name, **words},
        tuple(scored.rows()),
        comparisons,
        {name: metric.best for name, metric in scored.distinct.items()},
    )


def _shards(
    work: Work,
    store: ScoresStore | None,
    processes: int,
    scheduler: str | None,
    progress: Progress,
) -> dict[np.datetime64, Shard]:
    if store is None:
        return dict(work.shards(frozenset(), None, progress))
    store.begin(fingerprint(work), work.init_times)
    if processes > 1 or scheduler is not None:
        store.fill(work, processes, scheduler, progress)
    else:
        for init_time, shard in work.shards(store.done, None, progress):
            store.write(init_time, shard)
    return store.read(work.init_times)


def fingerprint(work: Work) -> str:
    """SHA-256 of everything that the sums depend on, except the init times."""
    text = json.dumps(work.made_from, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _opened(request: Request) -> Iterator[tuple[tuple[Entrant, ...], tuple[str, ...]]]:
    """Every forecast beside its truth, the baselines beside the first, and the readers' remarks."""
    with ExitStack() as stack:
        climatology = None
        if request.climatology is not None:
            climatology = stack.enter_context(open_climatology(request.climatology))
        entrants: list[Entrant] = []
        said = list(said_of("climatology", climatology))
        for name, path in request.forecasts.items():
            predicted = stack.enter_context(open_forecast(path))
            observed = open_truth(request.truths.get(name, request.truth), predicted)
            said += [*said_of(name, predicted), *said_of("truth", observed)]
            predicted = _selected(request, name, predicted)
            said.append(examine_truth(observed, predicted, force=request.force))
            both = _with_derived(request, align(predicted, observed, climatology))
            entrants.append(Forecast(both, name))
        first = entrants[0].alignment
        for name in request.baselines:
            if name == "persistence" and first.without_start:
                continue
            entrants.append(BASELINES[name](first))
        yield tuple(entrants), tuple(filter(None, dict.fromkeys(said)))


def _selected(request: Request, name: str, forecast: xr.Dataset) -> xr.Dataset:
    """The part of a forecast that was asked for.

    Raises:
        ValueError: nothing of it is left.
    """
    forecast = request.protocol.select(forecast, reference=name == request.compared_with)
    if request.times is not None and "time" in forecast.dims:
        times = forecast["time"].values
        inside = (request.times.start <= times) & (times <= request.times.end)
        if not inside.any():
            raise ValueError(
                f"`time` {request.times} has none of the init times of {name}, which go from "
                f"{hour(times.min())} to {hour(times.max())}"
            )
        forecast = forecast.isel(time=inside)
    if request.lead_times is not None and "prediction_timedelta" in forecast.dims:
        leads = forecast["prediction_timedelta"].values / HOUR
        lacking = [f"{lead:g}" for lead in request.lead_times if lead not in leads]
        if lacking:
            raise ValueError(
                f"`lead_times` has {', '.join(lacking)} h, which {name} lacks; it has "
                f"{', '.join(f'{lead:g}' for lead in leads)} h"
            )
        forecast = forecast.isel(prediction_timedelta=np.isin(leads, request.lead_times))
    if request.levels is not None and "level" in forecast.dims:
        levels = forecast["level"].values.tolist()
        lacking = [f"{level:g}" for level in request.levels if level not in levels]
        if lacking:
            raise ValueError(
                f"`levels` has {', '.join(lacking)} hPa, which {name} lacks; it has "
                f"{', '.join(f'{level:g}' for level in levels)} hPa"
            )
        forecast = forecast.sel(level=list(request.levels))
    return forecast


def _with_derived(request: Request, both: Alignment) -> Alignment:
    """The alignment with the derived variables that were asked for."""
    held = both.variables
    asked = [v for v in request.variables or () if v not in held and v not in VECTORS]
    for name in asked:
        check_derived(name, held, both.levels)
    vectors = [v for v in request.variables or () if v in VECTORS]
    for name in vectors:
        if not set(VECTORS[name]) <= set(held):
            raise ValueError(
                f"{name} needs {' and '.join(VECTORS[name])}, and forecast or truth lacks one"
            )
    return replace(both, derived=tuple(asked))


def _variables(request: Request, entrants: Sequence[Entrant]) -> tuple[str, ...]:
    """The variables that are scored: of all entrants, and the vectors of a vector metric."""
    shared = list(entrants[0].alignment.variables)
    for entrant in entrants[1:]:
        shared = [v for v in shared if v in entrant.alignment.variables]
    if not shared:
        raise ValueError(
            "the forecasts are compared on the variables that all have, and they share none; score "
            "them one by one"
        )
    if request.variables is not None:
        return tuple(v for v in request.variables if v in shared or v in VECTORS)
    vectors = [v for v, parts in VECTORS.items() if set(parts) <= set(shared)]
    return (*shared, *vectors)


def _notes(request: Request, entrants: Sequence[Entrant]) -> Iterator[str]:
    if request.truths:
        own = ", ".join(request.truth)
        truths = [f"{n} by {request.truths.get(n, own)}" for n in request.forecasts]
        yield (
            f"the forecasts are judged by different truths ({', '.join(truths)}), which may look "
            "ahead of the init time by different spans: lead times of a day or less are not alike"
        )
    resolution = request.protocol.resolution
    grid = entrants[0].alignment.grid
    if resolution is not None and abs(360 / grid.shape[1] - resolution) > 1e-6:
        yield (
            f"the protocol {request.protocol.name} is of a {resolution:g} degree grid, and these "
            f"fields are on {grid}"
        )


def _gaps(means: Mapping[str, Means], metrics: MetricsOf) -> Iterator[str]:
    """How much of which variable is missing, where missing points are counted."""
    for variable, named in metrics.items():
        for metric in named.values():
            first = metric.statistics[0]
            if first.has_gaps or first.whole_globe:
                continue
            for name, mean in means.items():
                weight = mean.weight(first)
                if "region" in weight.dims and bool((weight < 1 - 1e-12).any()):
                    short = weight.where(mean.scored(first)).min(
                        [d for d in weight.dims if d != "init_time"]
                    )
                    yield (
                        f"{variable} of {name}: points are missing at "
                        f"{int((short < 1 - 1e-12).sum())} of {short.size} init times, up to "
                        f"{1 - float(short.min()):.3%} of a region's area; they are not scored"
                    )
            break
