"""Comparisons of entrants with a reference, on the init times and lead times that both have."""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from data.wording import hours
from verification.means import Means, evaluate, samples, scored
from verification.metric import Metric
from verification.results import Comparison
from verification.scoring import BINS, Scored, metric_label
from verification.significance import LEVEL, TESTS
from verification.statistic import MEMBERS

SHIFT = np.timedelta64(6, "h")  # GraphCast's paper: HRES starts 6 h before and after
NO_TEST = "none"
MOST_GAPS = 20  # times as many places as init times; beyond, the series is taken without its gaps


def compared(
    results: Scored, reference: str, tests: Sequence[str] = ("ar2",)
) -> Iterator[Comparison]:
    """Every entrant against the reference, metric by metric, with each test.

    Args:
        results: what was scored.
        reference: the name of an entrant.
        tests: names in `significance.TESTS`, or "none".

    Raises:
        ValueError: no entrant has that name.
    """
    if reference not in results.means:
        raise ValueError(
            f"`reference` names a forecast or baseline that is scored ({', '.join(results.means)}),"
            f" and not {reference!r}"
        )
    for variable, metrics in results.metrics.items():
        for name, metric in metrics.items():
            for forecast, means in results.means.items():
                keys = {repr(statistic) for statistic in metric.statistics}
                both = (means, results.means[reference])
                if forecast != reference and all(keys <= set(m.sums) for m in both):
                    pair = _Pair.of(*both, metric, shifted=results.protocol.shifted_pairs)
                    if pair is not None:
                        yield from pair.rows(forecast, reference, name, variable, tests)


class _Pair:
    """A metric of two entrants: numbers at each init time whose means are its values."""

    def __init__(self, ours: xr.DataArray, theirs: xr.DataArray, reference: xr.DataArray) -> None:
        self._difference = ours - theirs
        self._reference = reference

    @classmethod
    def of(cls, ours: Means, theirs: Means, metric: Metric, *, shifted: bool) -> "_Pair | None":
        """The pair on what both have; None where that is nothing."""
        if shifted and not set(ours.init_times) <= set(theirs.init_times):
            return cls._shifted(ours, theirs, metric)
        counts = xr.align(scored(ours, metric), scored(theirs, metric), join="inner")
        common = _without_bins(counts[0]) & _without_bins(counts[1])
        if not common.size or not common.any():
            return None
        where = [count & common for count in counts]
        values = [
            samples(_at(means, metric, common), metric, w)
            for means, w in zip((ours, theirs), where, strict=True)
        ]
        ours_here, theirs_here = xr.align(*values, join="inner")
        reference = evaluate(_at(theirs, metric, common), metric, where[1])
        return cls(ours_here, theirs_here, reference)

    @classmethod
    def _shifted(cls, ours: Means, theirs: Means, metric: Metric) -> "_Pair | None":
        """Against the reference's mean from 6 h before and 6 h after, where it lacks the time."""
        mine = samples(ours, metric, scored(ours, metric))
        other = samples(theirs, metric, scored(theirs, metric))
        times = mine["init_time"].values
        direct = other.reindex(init_time=times)
        around = [
            other.reindex(init_time=times + sign * SHIFT).assign_coords(init_time=times)
            for sign in (-1, 1)
        ]
        paired = direct.fillna((around[0] + around[1]) / 2)
        mine, paired = xr.align(mine, paired, join="inner")
        if not np.isfinite(mine - paired).any():
            return None
        reference = paired.where(np.isfinite(mine)).mean("init_time")
        return cls(mine, paired, reference)

    def rows(
        self, forecast: str, reference: str, metric: str, variable: str, tests: Sequence[str]
    ) -> Iterator[Comparison]:
        """One row for each cell and test."""
        difference = self._difference
        bins = [dim for dim in BINS if dim in difference.dims]
        order = [*bins, *(("level",) if "level" in difference.dims else ())]
        order += ["region", "prediction_timedelta"]
        values = difference.transpose("init_time", *order)
        wide = self._reference.broadcast_like(values.isel(init_time=0, drop=True))
        theirs = wide.sel({d: values[d] for d in order}).transpose(*order).values.ravel()
        series = evenly_spaced(values.values.reshape(values.sizes["init_time"], -1), values)
        labels = [values[dim].values.tolist() for dim in order[:-1]]
        leads = [hours(lead) for lead in values["prediction_timedelta"].values]
        for test in tests:
            result = _tested(series, test)
            cells = iter(zip(*result, theirs, strict=True))
            for place in np.ndindex(*(len(label) for label in labels)):
                row = dict(
                    zip(order, (x[i] for x, i in zip(labels, place, strict=True)), strict=False)
                )
                for lead in leads:
                    mean, low, high, p, n, value = next(cells)
                    if n:
                        yield Comparison(
                            forecast=forecast,
                            reference=reference,
                            metric=metric_label(metric, [row[b] for b in bins]),
                            variable=variable,
                            level=row.get("level"),
                            region=row["region"],
                            lead_hours=lead,
                            difference=float(mean),
                            relative=float(mean / value) if value else np.nan,
                            low=float(low),
                            high=float(high),
                            p=float(p),
                            test=test,
                            n=int(n),
                        )


def evenly_spaced(differences: np.ndarray, labelled: xr.DataArray) -> np.ndarray:
    """The series at every multiple of the shortest step, NaN between, as tests expect it."""
    times = labelled["init_time"].values
    if len(times) < 3:
        return differences
    steps = np.diff(times)
    places = np.round((times - times[0]) / steps.min()).astype(int)
    if places[-1] >= MOST_GAPS * len(times):
        return differences
    spread = np.full((places[-1] + 1, differences.shape[1]), np.nan)
    spread[places] = differences
    return spread


def _tested(series: np.ndarray, test: str) -> tuple[np.ndarray, ...]:
    """Mean, low, high, p and n of every cell."""
    if test != NO_TEST:
        return tuple(TESTS[test](series, level=LEVEL))
    n = np.isfinite(series).sum(axis=0)
    total = np.nansum(series, axis=0)
    mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    nothing = np.full(n.shape, np.nan)
    return mean, nothing, nothing, nothing, n


def _without_bins(counts: xr.DataArray) -> xr.DataArray:
    extra = [dim for dim in (*BINS, MEMBERS, "pair") if dim in counts.dims]
    return counts.any(extra)


def _at(means: Means, metric: Metric, common: xr.DataArray) -> Means:
    """The means of a metric's statistics at the common init and lead times."""
    labels = {
        dim: common[dim] for dim in common.dims if dim in ("init_time", "prediction_timedelta")
    }
    kept = {repr(statistic): means.sums[repr(statistic)] for statistic in metric.statistics}
    return Means({key: part.sel(labels) for key, part in kept.items()})
