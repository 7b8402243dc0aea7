"""The analyses that persistence starts from, where the truth begins after the init time."""

import json

import numpy as np
import xarray as xr

from data import sources
from data.grids import grid_of
from data.provenance import remarked
from data.variables import VARIABLES
from data.wording import hour, listed


def with_starts(truth: xr.Dataset, forecast: xr.Dataset) -> xr.Dataset:
    """The truth, with analyses of the forecast's own inputs at init times that it lacks.

    They are added where the forecast's manifest names its inputs, these are still there, and they
    have every variable and level that is scored, on the same grid. A remark says so.
    """
    starts = np.atleast_1d(forecast["time"].values) if "time" in forecast.coords else np.array([])
    if "time" not in truth.dims or starts.dtype.kind != "M":
        return truth
    lacking = np.setdiff1d(starts, truth["time"].values)
    own, places = _inputs(forecast, lacking)
    if own is None or "time" not in own.dims:
        return truth
    names = [n for n in map(str, truth.data_vars) if n in forecast and _varies(n)]
    times = np.intersect1d(lacking, own["time"].values)
    if not times.size or not names or any(name not in own for name in names):
        return truth
    scored, own = truth[names], own[names].sel(time=times)
    if "level" in scored.dims and "level" in forecast.dims:
        levels = np.intersect1d(scored["level"].values, forecast["level"].values)
        if not np.isin(levels, own["level"].values).all():
            return truth
        scored, own = scored.sel(level=levels), own.sel(level=levels)
    if not _on_one_grid(scored, own):
        return truth
    own = own.assign_coords(latitude=truth["latitude"], longitude=truth["longitude"])
    how = {"data_vars": "minimal", "coords": "minimal", "compat": "override", "join": "exact"}
    both = xr.concat([scored, own], "time", **how).sortby("time")  # type: ignore[call-overload]
    return remarked(
        both.assign_attrs(truth.attrs),
        f"persistence starts from the forecast's own inputs ({listed(places, 3)}) at"
        f" {listed(map(hour, times), 4)}",
    )


def _inputs(forecast: xr.Dataset, lacking: np.ndarray) -> tuple[xr.Dataset | None, list[str]]:
    """The inputs that the forecast's manifest names, if they can be opened as one series."""
    if not lacking.size:
        return None, []
    try:
        named = json.loads(str(forecast.attrs.get("provenance", "{}")))["source"]["inputs"]
        places = [named] if isinstance(named, str) else list(named)
        origin = lacking[0] if lacking.size == 1 else None
        entries = sources.open_inputs(places, init_time=origin)
    except (OSError, ValueError, KeyError, TypeError):  # none named, or not there any more
        return None, []
    return (entries[0], places) if len(entries) == 1 else (None, [])


def _varies(name: str) -> bool:
    return name not in VARIABLES or VARIABLES[name].varies_in_time


def _on_one_grid(one: xr.Dataset, other: xr.Dataset) -> bool:
    try:
        return grid_of(one).matches(grid_of(other))
    except ValueError:
        return False  # the scoring refuses it in its own words
