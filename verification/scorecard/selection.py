"""What of many scores is shown: rows (variable and level), lead times, and skill."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from verification.scorecard.labels import display_units

# The headline fields of WeatherBench 2 and of GraphCast's paper, in the order of the page.
HEADLINES = (
    ("geopotential", 500),
    ("temperature", 850),
    ("u_component_of_wind", 850),
    ("v_component_of_wind", 850),
    ("specific_humidity", 700),
    ("2m_temperature", None),
    ("mean_sea_level_pressure", None),
    ("10m_u_component_of_wind", None),
    ("10m_v_component_of_wind", None),
    ("total_precipitation_6hr", None),
)


class Row(NamedTuple):
    """A variable, at a level (hPa) where it has levels."""

    variable: str
    level: int | None


def all_rows(scores: xr.Dataset) -> list[Row]:
    """Every variable and level that is scored, in the order of the Dataset, top level first."""
    rows = []
    for name, array in scores.data_vars.items():
        if "metric" in array.dims:
            levels = array["level"].values.tolist() if "level" in array.dims else [None]
            rows += [Row(str(name), level) for level in levels]
    return rows


def headline_rows(scores: xr.Dataset) -> list[Row]:
    """The headline fields among the scored; the first ten rows where there are none of them."""
    rows = all_rows(scores)
    return [Row(*entry) for entry in HEADLINES if entry in rows] or rows[:10]


def table_leads(leads: Sequence[np.timedelta64], at_most: int = 11) -> list[np.timedelta64]:
    """Lead times for the columns of a table: all, or 6 h and as many whole days as fit."""
    if len(leads) <= at_most:
        return list(leads)
    days = [lead for lead in leads if lead % np.timedelta64(24, "h") == np.timedelta64(0, "h")]
    every = int(np.ceil(len(days) / (at_most - 1))) if days else 0
    if not days:
        return list(leads[:: int(np.ceil(len(leads) / at_most))])
    return sorted({leads[0], *days[every - 1 :: every]})


def values(scores: xr.Dataset, row: Row, metric: str, source: str, region: str) -> xr.DataArray:
    """One metric of one row by lead time, in the units it is shown in."""
    array = scores[row.variable].sel(metric=metric, source=source, region=region)
    array = array if row.level is None else array.sel(level=row.level)
    return array if metric == "acc" else array * shown_in(scores, row)[0]


def shown_in(scores: xr.Dataset, row: Row) -> tuple[float, str]:
    """Factor to, and name of, the units in which a row is shown."""
    return display_units(row.variable, str(scores[row.variable].attrs["units"]))


def has_persistence(scores: xr.Dataset) -> bool:
    """Whether there is a baseline to be better than."""
    return "persistence" in scores["source"].values


def skill(scores: xr.Dataset, row: Row, region: str) -> xr.DataArray:
    """1 - RMSE / RMSE of persistence, by lead time: 1 is perfect, 0 no better than persistence."""
    ours = values(scores, row, "rmse", "forecast", region)
    theirs = values(scores, row, "rmse", "persistence", region)
    return 1 - ours / theirs.where(theirs > 0)
