"""Stores and files described for people, in rows of a label and a text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from data.stores.kind import recorded
from data.task import STEP, TASKS, Task
from data.variables import VARIABLES

# Files that hold only relative times are described, too. They are opened with this initial time,
# which no real file has.
UNKNOWN_INIT = np.datetime64("1700-01-01T00", "ns")


def forecast_rows(forecast: xr.Dataset) -> dict[str, str]:
    """Initial times, lead times, members, grid, variables and provenance of a forecast store."""
    leads = forecast["prediction_timedelta"].values / np.timedelta64(1, "h")
    members = {"members": str(forecast.sizes["number"])} if "number" in forecast.sizes else {}
    return {
        "init time": _times(forecast["time"].values),
        "lead time": f"{leads[0]:.0f} to {leads[-1]:.0f} h, {len(leads)} steps",
        **members,
        **_grid_rows(forecast),
        "weights": forecast.attrs.get("source", "not stated"),
        **_making(recorded(forecast.attrs, "provenance")),
    }


def scores_rows(scores: xr.Dataset) -> dict[str, str]:
    """Forecast, truth, baseline, lead times, metrics and regions of a store of scores."""
    leads = scores["prediction_timedelta"].values / np.timedelta64(1, "h")
    return {
        "forecast": str(scores.attrs["forecast"]),
        "truth": str(scores.attrs["truth"]),
        "baseline": str(scores.attrs["baseline"]),
        "init times": str(scores.attrs["initial_times"]),
        "lead time": f"{leads[0]:g} to {leads[-1]:g} h, {len(leads)} of them",
        "variables": ", ".join(str(name) for name in scores if name != "sample_count"),
        "metrics": ", ".join(scores["metric"].values),
        "regions": ", ".join(scores["region"].values),
        "weights": str(scores.attrs["forecast_source"]),
    }


def analyses_rows(entries: Sequence[xr.Dataset]) -> dict[str, str]:
    """Times, grid and variables of analyses, and the published tasks that they can start.

    Args:
        entries: one canonical Dataset for each batch entry or member; the first is described.
    """
    dataset = entries[0]
    times = np.atleast_1d(dataset["time"].values) if "time" in dataset.coords else np.array([])
    return {
        "entries": str(len(entries)),
        "time": _times(times) if times.size else "no time axis",
        **_grid_rows(dataset),
        "tasks": "; ".join(_fit(dataset, task) for task in TASKS.values()),
        "init times": _times(times[np.isin(times - STEP, times)] if times.size else times),
    }


def _making(provenance: Mapping[str, Any]) -> dict[str, str]:
    """The flags, versions and hashes of a result, one row each."""
    return {
        name: ", ".join(f"{k} {v}" for k, v in value.items())
        if isinstance(value, dict)
        else str(value)
        for name, value in provenance.items()
        if name not in ("inputs", "weights", "statistics")
    }


def _fit(dataset: xr.Dataset, task: Task) -> str:
    """Whether a task can start from the dataset's variables and levels, or what it lacks."""
    needed = [name for name in task.inputs if name not in task.forcings]
    lacking = [name for name in needed if name not in dataset]
    levels = set(dataset["level"].values.tolist()) if "level" in dataset.coords else set()
    if not lacking and set(task.levels) <= levels:
        return f"{task.name}: yes"
    missing_levels = len(set(task.levels) - levels)
    parts = [f"{len(lacking)} variables"] * bool(lacking)
    parts += [f"{missing_levels} levels"] * bool(missing_levels)
    return f"{task.name}: lacks {' and '.join(parts)}"


def _grid_rows(dataset: xr.Dataset) -> dict[str, str]:
    latitude, longitude = dataset["latitude"].values, dataset["longitude"].values
    rows = {
        "grid": f"{latitude.size} × {longitude.size}, latitude {latitude[0]:g}° to "
        f"{latitude[-1]:g}°, longitude {longitude[0]:g}° to {longitude[-1]:g}°",
        "variables": ", ".join(_described(dataset[name]) for name in dataset.data_vars),
    }
    if "level" in dataset.coords:
        rows["levels"] = f"{', '.join(f'{x:g}' for x in dataset['level'].values)} hPa"
    return rows


def _described(array: xr.DataArray) -> str:
    name = str(array.name)
    units = array.attrs.get("units", VARIABLES[name].units if name in VARIABLES else "?")
    return f"{name} ({units})"


def _times(times: np.ndarray) -> str:
    """Up to three times, or the first, the last and their number; relative ones as t+6 h."""
    if times.size and times[0] < UNKNOWN_INIT + np.timedelta64(100, "D"):
        offsets = (times - UNKNOWN_INIT) // np.timedelta64(1, "h")
        texts = [f"t{offset:+d} h" for offset in offsets.tolist()]
    else:
        texts = [str(time)[:16] for time in times]
    if len(texts) <= 3:
        return ", ".join(texts) or "none"
    return f"{texts[0]} … {texts[-1]}, {len(texts)} of them"
