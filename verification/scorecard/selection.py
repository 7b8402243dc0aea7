"""Selects the scores that are shown, by variable, level and lead time; computes skill."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from data.channels import Channel
from data.maps.appearance import shown
from verification.results import Results

# The headline fields of WeatherBench 2 and of GraphCast's paper, in the order of the page.
HEADLINES = (
    Channel("geopotential", 500),
    Channel("temperature", 850),
    Channel("u_component_of_wind", 850),
    Channel("v_component_of_wind", 850),
    Channel("specific_humidity", 700),
    Channel("2m_temperature"),
    Channel("mean_sea_level_pressure"),
    Channel("10m_u_component_of_wind"),
    Channel("10m_v_component_of_wind"),
    Channel("total_precipitation_6hr"),
)


def all_rows(scores: xr.Dataset) -> list[Channel]:
    """Every scored variable and level, in the order of the Dataset, top level first."""
    rows = []
    for name, array in scores.data_vars.items():
        if "metric" in array.dims:
            levels = array["level"].values.tolist() if "level" in array.dims else [None]
            rows += [Channel(str(name), level) for level in levels]
    return rows


def headline_rows(scores: xr.Dataset) -> list[Channel]:
    """The headline fields that were scored; the first ten rows where none was."""
    rows = all_rows(scores)
    return [row for row in HEADLINES if row in rows] or rows[:10]


def headline_rows_of(results: Results) -> list[Channel]:
    """The headline fields that were scored; the first ten where none was."""
    levels = [
        Channel(s.variable, None if s.level is None else int(s.level)) for s in results.scores
    ]
    rows = list(dict.fromkeys(levels))
    return [row for row in HEADLINES if row in rows] or rows[:10]


def table_leads(leads: Sequence[np.timedelta64], at_most: int = 11) -> list[np.timedelta64]:
    """Lead times for the columns of a table: all, or the first and as many whole days as fit."""
    if len(leads) <= at_most:
        return list(leads)
    days = [lead for lead in leads if lead % np.timedelta64(24, "h") == np.timedelta64(0, "h")]
    every = int(np.ceil(len(days) / (at_most - 1))) if days else 0
    if not days:
        return list(leads[:: int(np.ceil(len(leads) / at_most))])
    return sorted({leads[0], *days[every - 1 :: every]})


def values(scores: xr.Dataset, row: Channel, metric: str, source: str, region: str) -> xr.DataArray:
    """One metric of one row by lead time, in the units that it is shown in."""
    array = scores[row.variable].sel(metric=metric, source=source, region=region)
    array = array if row.level is None else array.sel(level=row.level)
    power = {"field": 1, "squared": 2, "1": 0}[_meaning(scores, metric, "value_units")]
    return array * shown_in(scores, row)[0] ** power


def metric_units(scores: xr.Dataset, row: Channel, metric: str) -> str:
    """The units that a metric of a row is shown in."""
    units = shown_in(scores, row)[1]
    return {"field": units, "squared": f"({units})²", "1": "1"}[
        _meaning(scores, metric, "value_units")
    ]


def best(scores: xr.Dataset, metric: str) -> str:
    """Which values of a metric are good: "low", "high", "zero" or "one"."""
    return _meaning(scores, metric, "best")


def shown_in(scores: xr.Dataset, row: Channel) -> tuple[float, str]:
    """Factor to, and name of, the units in which a row is shown."""
    looks = shown(row.variable, str(scores[row.variable].attrs["units"]), row.level).of_differences
    return looks.factor, looks.units


def has_persistence(scores: xr.Dataset) -> bool:
    """Whether persistence was scored, on which skill is based."""
    return "persistence" in scores["source"].values


def skill(scores: xr.Dataset, row: Channel, region: str) -> xr.DataArray:
    """1 - RMSE / RMSE of persistence, by lead time: 1 is perfect, 0 no better than persistence."""
    rmse = values(scores, row, "rmse", "forecast", region)
    persistence = values(scores, row, "rmse", "persistence", region)
    return 1 - rmse / persistence.where(persistence > 0)


def _meaning(scores: xr.Dataset, metric: str, attribute: str) -> str:
    """A metric's word in an attribute of the coordinate `metric`; see `metric.meaning`."""
    words = str(scores["metric"].attrs[attribute]).split()
    place = int(np.flatnonzero(scores["metric"].values == metric)[0])
    return words[place]
