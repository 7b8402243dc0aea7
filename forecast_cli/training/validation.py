"""Validation of a training run: forecasts from fixed init times, scored by `verification`.

The forecasts are compared with persistence and with a climatology of the training period.
"""

import itertools
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from data.task import Task
from data.time_range import TimeRange
from data.windows import Window, window
from data.wording import hours
from graphcast.checkpoints import Checkpoint
from graphcast.forecaster import Forecaster, PlacedForecaster
from graphcast.machine.machine import Machine
from graphcast.training.job import Validated
from graphcast.training.recipe import Validation
from verification import Climatology, Persistence, Protocol, score
from verification.metric import METRICS

MOST_FRAMES = 366  # of the training period, evenly spaced, that the climatology is fitted to
A_YEAR = 365.25  # days
SEASONAL_SPAN = 300  # days; a shorter period gets no seasonal cycle
DIGITS = 5  # of numbers in the metrics


class Example(NamedTuple):
    """One forecast of a validation beside what happened, for maps."""

    init_time: np.datetime64
    lead: np.timedelta64
    forecast: xr.Dataset
    truth: xr.Dataset


class Validator:
    """Scores weights by forecasts from fixed init times of the validation period.

    Attributes:
        init_times: where the forecasts start.
        example: the last forecast from the first init time, None before there is one.
    """

    def __init__(
        self,
        analyses: xr.Dataset,
        period: TimeRange,
        training: xr.Dataset,
        how: Validation,
        task: Task,
    ) -> None:
        """Validation over a period.

        Args:
            analyses: canonical, unread, with every time of the period.
            period: the validation period.
            training: the training period, for the climatology.
            how: number of forecasts and their steps.
            task: of the weights.

        Raises:
            ValueError: the period is too short for one forecast.
        """
        self._analyses = period.select(analyses)
        self._training, self._how, self._task = training, how, task
        self.init_times = _init_times(self._analyses["time"].values, how, task)
        self.example: Example | None = None
        self._placed: PlacedForecaster | None = None

    def __call__(self, ready: Forecaster, checkpoint: Checkpoint) -> Validated:
        """Score weights; those whose forecasts are not finite get no score.

        Args:
            ready: the network on the grid of the data, with any weights.
            checkpoint: the weights.
        """
        if self._placed is None:
            self._placed = ready.on(Machine())
        placed = replace(self._placed, forecaster=replace(ready, checkpoint=checkpoint))
        tables = []
        for number, start in enumerate(self._windows):
            try:
                forecast = self._forecast(placed, start)
            except ValueError as error:
                if "not finite" not in str(error):
                    raise
                return Validated(None, [])
            if number == 0:
                self.example = self._example(start, forecast)
            tables.append(self._scored(forecast))
        rows = _mean(tables)
        return Validated(
            float(
                np.mean([row["rmse"] / row["persistence"] for row in rows if row["persistence"]])
            ),
            rows,
        )

    @cached_property
    def _windows(self) -> list[Window]:
        return [window(self._analyses, self._task, init_time=time) for time in self.init_times]

    def _forecast(self, placed: PlacedForecaster, start: Window) -> xr.Dataset:
        leads = [fields for (fields,) in placed.forecasts([start], self._how.lead_steps)]
        joined = xr.concat(leads, dim="prediction_timedelta")
        steps = np.arange(1, len(leads) + 1) * self._task.step.astype("timedelta64[ns]")
        return joined.assign_coords(prediction_timedelta=steps).expand_dims(time=[start.init_time])

    def _example(self, start: Window, forecast: xr.Dataset) -> Example:
        lead = forecast["prediction_timedelta"].values[-1]
        truth = self._analyses.sel(time=start.init_time + lead)[list(self._task.targets)]
        last = forecast.isel(time=0, prediction_timedelta=-1)
        return Example(start.init_time, lead, last, truth.load())

    def _scored(self, forecast: xr.Dataset) -> list[dict[str, Any]]:
        init = forecast["time"].values[0]
        valid = [init, *(init + forecast["prediction_timedelta"].values)]
        scores = score(
            forecast,
            self._analyses.sel(time=valid)[list(self._task.targets)].load(),
            Protocol(("global",)),
            climatology=self._climatology,
            metrics={name: METRICS[name] for name in ("rmse", "acc")},
            baselines=(Persistence, Climatology),
        )
        return [
            row
            for name in scores.data_vars
            if name in self._task.targets
            for row in _rows(scores, str(name))
        ]

    @cached_property
    def _climatology(self) -> xr.Dataset:
        """The climatology at the valid times, by day of the year and hour."""
        steps = np.arange(self._how.lead_steps + 1) * self._task.step
        valid = np.unique(np.add.outer(self.init_times, steps))
        return fitted_climatology(self._training, self._task, valid)


def _init_times(times: np.ndarray, how: Validation, task: Task) -> np.ndarray:
    """Evenly spaced init times, each with the frame before it and all lead times after it."""
    possible = times[1 : len(times) - how.lead_steps]
    if not possible.size:
        raise ValueError(
            f"a validation forecast of {how.lead_steps} steps takes {how.lead_steps + 2} times "
            f"{task.step_hours} h apart, and the validation period has {len(times)}; give a longer "
            "--validation-time, or a recipe with fewer validation steps"
        )
    places = np.linspace(0, len(possible) - 1, min(how.init_times, len(possible)))
    chosen: np.ndarray = possible[np.unique(places.round().astype(int))]
    return chosen


def fitted_climatology(training: xr.Dataset, task: Task, valid: np.ndarray) -> xr.Dataset:
    """Mean of the training period for each hour of the day, with a smooth seasonal cycle.

    The cycle is a mean and two harmonics of the year, fitted by least squares to at most
    `MOST_FRAMES` frames; a training period shorter than most of a year gets the mean alone.

    Args:
        training: canonical analyses of the training period.
        task: its targets are fitted.
        valid: the times whose days and hours are wanted.

    Returns:
        The targets with the dimensions (hour, dayofyear, …).
    """
    times = training["time"].values
    # A step that shares no factor with the frames of a day visits every hour of the day.
    per_day = 24 // task.step_hours
    step = max(1, len(times) // MOST_FRAMES)
    while np.gcd(step, per_day) > 1:
        step += 1
    chosen = training[list(task.targets)].isel(time=slice(None, None, step))
    seasonal = (times[-1] - times[0]) / np.timedelta64(1, "D") >= SEASONAL_SPAN
    wanted = xr.DataArray(valid, dims="time")
    days, valid_hours = (np.unique(getattr(wanted.dt, part)) for part in ("dayofyear", "hour"))
    fields: dict[str, xr.DataArray] = {}
    for name in task.targets:
        array = chosen[name].load()
        hour = array["time"].dt.hour.values
        by_hour = []
        for h in valid_hours:
            here = array.isel(time=np.flatnonzero(hour == h))
            here = here if here.sizes["time"] else array
            basis = _harmonics(here["time"].dt.dayofyear.values, seasonal=seasonal)
            flat = here.values.reshape(len(basis), -1).astype(np.float64)
            fit, *_ = np.linalg.lstsq(basis, flat, rcond=None)
            means = _harmonics(days, seasonal=seasonal) @ fit
            by_hour.append(means.reshape(len(days), *here.shape[1:]).astype(np.float32))
        dims = ("hour", "dayofyear", *array.dims[1:])
        fields[name] = xr.DataArray(np.stack(by_hour), dims=dims, attrs=array.attrs)
    space = {d: training[d] for d in ("level", "latitude", "longitude") if d in training.coords}
    return xr.Dataset(fields, coords={"hour": valid_hours, "dayofyear": days, **space})


def _harmonics(days: np.ndarray, *, seasonal: bool) -> np.ndarray:
    θ = 2 * np.pi * days / A_YEAR
    columns = [np.ones_like(θ)]
    if seasonal:
        columns += [np.cos(θ), np.sin(θ), np.cos(2 * θ), np.sin(2 * θ)]
    return np.stack(columns, axis=1)


def _rows(scores: xr.Dataset, name: str) -> list[dict[str, Any]]:
    """One row for each level and lead time of a variable."""
    array = scores[name].sel(region="global")
    levels = array["level"].values.tolist() if "level" in array.dims else [None]

    def number(level: int | None, lead: np.timedelta64, metric: str, source: str) -> float:
        place: dict[str, Any] = {"metric": metric, "source": source, "prediction_timedelta": lead}
        return float(array.sel(place if level is None else {**place, "level": level}).values)

    return [
        {
            "variable": name,
            "level": level,
            "lead_hours": hours(lead),
            "units": array.attrs["units"],
            "rmse": number(level, lead, "rmse", "forecast"),
            "persistence": number(level, lead, "rmse", "persistence"),
            "climatology": number(level, lead, "rmse", "climatology"),
            "acc": number(level, lead, "acc", "forecast"),
        }
        for level, lead in itertools.product(levels, array["prediction_timedelta"].values)
    ]


def _mean(tables: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The means over init times of tables with the same rows."""
    means = []
    for rows in zip(*tables, strict=True):
        mean = dict(rows[0])
        for name in ("rmse", "persistence", "climatology", "acc"):
            mean[name] = float(f"{np.mean([row[name] for row in rows]):.{DIGITS}g}")
        means.append(mean)
    return means
