"""Compute the statistics that a model's fields are normalised by, from a training period.

`moments_of` needs Datasets and a task. `data.tallies` holds the running sums, so that memory does
not grow with the record; `data.moments` reads and writes the result.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from data.moments import Moments
from data.tallies import NO_SUMS, Sums, Tallies, Tally, sums_of
from data.task import Task

# A field whose spread is below the rounding of its float32 values (2^-24 of the mean) is constant.
CONSTANT = 2.0**-24


def moments_of(datasets: xr.Dataset | Iterable[xr.Dataset], task: Task) -> Moments:
    """The moments of every variable of a task, in one pass that holds 6 hours of frames in memory.

    Changes are taken between frames of one Dataset exactly 6 h apart, for the targets only.
    `diffs_stddev` is the standard deviation about the mean change, as the paper's inverse variances
    are; a model adds no mean change to its prediction, and over years that mean is zero but for a
    trend.

    An input that does not vary (a planet without land, a single season's clock) gets the standard
    deviation 1 and is thereby normalised to 0. A target that does not vary, or never changes, is
    refused: no weather does that, and no error could be measured in its units.

    Args:
        datasets: One or more canonical Datasets; forcings that they lack are computed.
        task: Its variables and levels are counted.

    Raises:
        ValueError: Variables or levels are missing, values are not finite, no two frames are 6 h
            apart, or a target does not vary.
    """
    latest = NO_SUMS
    for sums in sums_of([datasets] if isinstance(datasets, xr.Dataset) else datasets, task):
        latest = sums
    return moments_from(latest, task)


def moments_from(sums: Sums, task: Task) -> Moments:
    """The moments from the sums of a whole pass; errors as in `moments_of`."""
    values, changes = sums.values, sums.changes
    if not changes:
        raise ValueError("no two frames are exactly 6 h apart, so there is no change to measure")
    _check_targets_vary(values, changes, task)
    return Moments.labelled(
        {
            "mean": _as_dataset({name: t.mean for name, t in values.items()}, task),
            "stddev": _as_dataset({name: _usable_stddev(t) for name, t in values.items()}, task),
            "diffs_stddev": _as_dataset({name: t.stddev for name, t in changes.items()}, task),
        }
    )


def _is_constant(t: Tally) -> np.ndarray:
    return np.asarray(t.stddev <= CONSTANT * np.abs(t.mean))


def _usable_stddev(t: Tally) -> np.ndarray:
    return np.where(_is_constant(t), 1.0, t.stddev)


def _check_targets_vary(values: Tallies, changes: Tallies, task: Task) -> None:
    stuck = [
        name
        for name in task.targets
        if _is_constant(values[name]).any() or _is_constant(changes[name]).any()
    ]
    if stuck:
        raise ValueError(
            f"what a task predicts varies, but {', '.join(stuck)} is the same everywhere or at all "
            "times (on some level); check the data, or take it out of the targets"
        )


def _as_dataset(fields: Mapping[str, np.ndarray], task: Task) -> xr.Dataset:
    return xr.Dataset(
        {name: xr.DataArray(v, dims=("level",)[: v.ndim]) for name, v in sorted(fields.items())},
        coords={"level": np.array(task.levels, dtype=np.int32)},
    )
