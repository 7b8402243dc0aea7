"""The training and the validation period of a run, which share no moment."""

import numpy as np
import xarray as xr

from data.task import Task
from data.time_range import TimeRange, time_range
from graphcast.training.recipe import Recipe

VALIDATION_SHARE = 10  # one part in so many of the times validates where no period is given


def periods(
    analyses: xr.Dataset,
    task: Task,
    recipe: Recipe,
    train_time: str | None,
    validation_time: str | None,
) -> tuple[TimeRange, TimeRange]:
    """The training and the validation period.

    Raises:
        ValueError: the data lack times of a period, the two overlap, or one has no times left.
    """
    times = analyses["time"].values.astype("datetime64[ns]")
    kept = task.test_period or str(analyses.attrs.get("test_period", ""))
    if kept:
        times = times[times < time_range(kept).start]
    training = None if train_time is None else time_range(train_time, step=task.step)
    validation = None if validation_time is None else time_range(validation_time, step=task.step)
    for period in filter(None, (training, validation)):
        period.select(analyses)  # raises if a time is missing
    if training is None and validation is None:
        least = recipe.validation.lead_steps + 2
        first = len(times) - max(len(times) // VALIDATION_SHARE, least)
        training = _period(times[: max(first, 0)], task, "`validation_time`", kept)
        validation = _period(times[max(first, 0) :], task, "`train_time`", kept)
    elif validation is None:
        assert training is not None
        validation = _period(times[times > training.end], task, "`train_time`", kept)
    elif training is None:
        training = _period(times[times < validation.start], task, "`validation_time`", kept)
    if training.overlaps(validation):
        raise ValueError(
            f"a validation period lies outside the training period, and {validation} overlaps "
            f"{training}; end `train_time` before it, or move `validation_time`"
        )
    for period in (training, validation):
        period.select(analyses)  # raises if a time is missing
    return training, validation


def _period(times: np.ndarray, task: Task, flag: str, kept: str) -> TimeRange:
    """All of these times as a period."""
    if not times.size:
        rest = f" (the test period, {kept}, is left alone)" if kept else ""
        raise ValueError(
            f"training and validation both need times, and one of them has none left{rest}; give "
            f"another {flag}, or more data"
        )
    return TimeRange(times[0], times[-1], task.step)
