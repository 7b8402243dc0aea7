"""Stores and files described: labelled rows, each a text for people and a value for programs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from data.moments import Moments
from data.stores.kind import ATTRIBUTE, recorded
from data.task import STEP
from data.variables import VARIABLES
from data.wording import hours, listed

# Files that hold only relative times are described, too. They are opened with this initial time,
# which no real file has.
UNKNOWN_INIT = np.datetime64("1700-01-01T00", "ns")

LEADS = "prediction_timedelta"


class Row(NamedTuple):
    """One property: the text for people, and the value as JSON holds it."""

    text: str
    value: Any


Rows = dict[str, Row]


def words(value: Any) -> Row:
    """A property whose text says all: a string, a number, or a list of them.

    >>> words(["rmse", "bias"])
    Row(text='rmse, bias', value=['rmse', 'bias'])
    """
    if isinstance(value, list):
        return Row(listed(value, len(value) or 1) or "none", value)
    return Row(f"{value:,}" if isinstance(value, int) else str(value), value)


def forecast_rows(forecast: xr.Dataset) -> Rows:
    """Initial times, lead times, members, grid, variables and provenance of a forecast.

    Args:
        forecast: dimensions `time` (init times) and `prediction_timedelta`; `number` for members.
    """
    leads = np.atleast_1d(forecast[LEADS].values)
    members = {"members": words(forecast.sizes["number"])} if "number" in forecast.sizes else {}
    rows = {
        "init time": _times(np.atleast_1d(forecast["time"].values)),
        "lead time": _leads(leads),
        **members,
        **_grid_rows(forecast),
        "weights": words(str(forecast.attrs.get("source", "not stated"))),
    }
    making = _making(recorded(forecast.attrs, "provenance"))
    return {**rows, **{name: row for name, row in making.items() if name not in rows}}


def scores_rows(scores: xr.Dataset) -> Rows:
    """Forecast, truth, baseline, lead times, metrics and regions of a store of scores."""
    stated = {
        "forecast": "forecast",
        "truth": "truth",
        "baseline": "baseline",
        "init times": "initial_times",
        "weights": "forecast_source",
    }
    return {
        **{k: words(str(scores.attrs[a])) for k, a in stated.items() if a in scores.attrs},
        **({"lead time": _leads(scores[LEADS].values)} if LEADS in scores.coords else {}),
        "variables": words([str(name) for name in scores if name != "sample_count"]),
        **{f"{n}s": words(scores[n].values.tolist()) for n in ("metric", "region") if n in scores},
    }


def analyses_rows(entries: Sequence[xr.Dataset], lacking: Mapping[str, Sequence[str]]) -> Rows:
    """Times, grid and variables of analyses, and the tasks that they can start.

    Args:
        entries: one canonical Dataset for each batch entry or member; the first is described.
        lacking: for each task its faults, in words; none where a forecast can start.
    """
    dataset = entries[0]
    times = np.atleast_1d(dataset["time"].values) if "time" in dataset.coords else np.array([])
    starts = times[np.isin(times - STEP, times)] if times.size else times
    ensemble = "number" in dataset.coords
    return {
        ("members" if ensemble else "entries"): words(len(entries)),
        "time": _times(times) if times.size else Row("no time axis", []),
        **_grid_rows(dataset),
        "tasks": Row(
            "\n".join(f"{t}: {'; '.join(faults) or 'yes'}" for t, faults in lacking.items()),
            {task: list(faults) for task, faults in lacking.items()},
        ),
        "init times": _times(starts),
    }


def statistics_rows(statistics: Moments) -> Rows:
    """Variables, levels and origin of a folder of statistics."""
    mean = statistics.mean
    named = {"task": "task", "source": "source", "time": "time_range", "frames": "frames"}
    levels = [float(level) for level in mean["level"].values] if "level" in mean.coords else []
    return {
        "variables": words(sorted(str(name) for name in mean.data_vars)),
        "levels": Row(f"{listed(levels, len(levels) or 1)} hPa" if levels else "none", levels),
        **{
            label: words(_plain(mean.attrs[name]))
            for label, name in named.items()
            if name in mean.attrs
        },
        "comment": words(str(mean.attrs.get("comment", "origin not stated"))),
    }


def store_rows(dataset: xr.Dataset) -> Rows:
    """Sizes, variables and attributes of any other store."""
    return {
        "sizes": Row(
            ", ".join(f"{name} {size}" for name, size in dataset.sizes.items()),
            {str(name): size for name, size in dataset.sizes.items()},
        ),
        "variables": words([str(name) for name in dataset.data_vars]),
        **{
            str(name): words(_plain(value))
            for name, value in dataset.attrs.items()
            if name not in (ATTRIBUTE, "fingerprint")
        },
    }


def _making(provenance: Mapping[str, Any]) -> Rows:
    """The flags, versions and hashes of a result, one row each."""
    return {
        name: Row(", ".join(f"{k} {v}" for k, v in value.items()), value)
        if isinstance(value, dict)
        else Row(str(value), value)
        for name, value in provenance.items()
        if name not in ("inputs", "weights", "statistics")
    }


def _grid_rows(dataset: xr.Dataset) -> Rows:
    latitude, longitude = dataset["latitude"].values, dataset["longitude"].values
    ends = [float(x) for x in (*latitude[[0, -1]], *longitude[[0, -1]])]
    rows = {
        "grid": Row(
            f"{latitude.size} × {longitude.size}, latitude {ends[0]:g}° to {ends[1]:g}°, longitude "
            f"{ends[2]:g}° to {ends[3]:g}°",
            {
                "rows": latitude.size,
                "columns": longitude.size,
                "latitude": ends[:2],
                "longitude": ends[2:],
            },
        ),
        "variables": Row(
            ", ".join(f"{name} ({_units(dataset[name])})" for name in dataset.data_vars),
            {str(name): _units(dataset[name]) for name in dataset.data_vars},
        ),
    }
    if "level" in dataset.coords:
        levels = [float(level) for level in np.atleast_1d(dataset["level"].values)]
        rows["levels"] = Row(f"{', '.join(f'{x:g}' for x in levels)} hPa", levels)
    return rows


def _units(array: xr.DataArray) -> str:
    name = str(array.name)
    return str(array.attrs.get("units", VARIABLES[name].units if name in VARIABLES else "?"))


def _leads(leads: np.ndarray) -> Row:
    first, last = hours(leads[0]), hours(leads[-1])
    return Row(f"{first:g} to {last:g} h, {leads.size} steps", [hours(lead) for lead in leads])


def _times(times: np.ndarray) -> Row:
    """Times in UTC; relative ones as t+6 h."""
    if times.size and times[0] < UNKNOWN_INIT + np.timedelta64(100, "D"):
        offsets = (times - UNKNOWN_INIT) // np.timedelta64(1, "h")
        relative = _shortened([f"t{offset:+d} h" for offset in offsets.tolist()])
        return relative._replace(text=f"{relative.text}, relative to an init time t to be named")
    return _shortened([str(time)[:16] for time in times])


def _shortened(texts: list[str]) -> Row:
    """Up to three texts, or the first, the last and their number."""
    if len(texts) <= 3:
        return Row(", ".join(texts) or "none", texts)
    return Row(f"{texts[0]} … {texts[-1]}, {len(texts)} of them", texts)


def _plain(value: Any) -> Any:
    """An attribute as JSON holds it."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value
