"""A field of a forecast, found by the name that people type, in the units that are shown."""

import re
from collections.abc import Iterator

import numpy as np
import xarray as xr

from data.channels import Channel
from data.maps.appearance import Shown, shown
from data.maps.labels import short_label
from data.variables import VARIABLES
from data.wording import hour, hours, listed

DIMS = ("time", "prediction_timedelta", "latitude", "longitude")


def channel_named(text: str, forecast: xr.Dataset) -> Channel:
    """The variable and level of a forecast that a name means: `z500`, `2t`, `temperature 850`.

    Raises:
        ValueError: the forecast has no such variable, or not at that level; a level is missing.
    """
    wanted = re.sub(r"[\s:_-]+", "_", text.strip().lower()).removesuffix("hpa").strip("_")
    for variable in forecast.data_vars:
        if wanted in _names(str(variable)):
            return Channel(str(variable), _only_level(text, forecast[variable]))
    if match := re.fullmatch(r"(.*?)_?(\d+)", wanted):
        for variable in forecast.data_vars:
            if match[1] in _names(str(variable)) and "level" in forecast[variable].coords:
                return Channel(str(variable), _level(int(match[2]), forecast[variable]))
    there = listed([short_label(str(v), None) for v in forecast.data_vars], most=40)
    raise ValueError(f"`variable` is one that the forecast has, not {text!r}; it has {there}")


def chosen(
    forecast: xr.Dataset,
    channel: Channel,
    init_time: np.datetime64 | None = None,
    member: int | None = None,
) -> tuple[xr.DataArray, Shown]:
    """A variable at a level, (prediction_timedelta, latitude, longitude), and how it is shown.

    Values are in the forecast's units still; `converted` turns a field into those that are shown.

    Args:
        forecast: (time, [number,] prediction_timedelta, [level,] latitude, longitude).
        channel: of `channel_named`.
        init_time: None is the first.
        member: its number; None is the first, if there are members.

    Raises:
        ValueError: the forecast has no such init time or member, or is no forecast.
    """
    field = forecast[channel.variable]
    if lacking := [dim for dim in DIMS if dim not in field.dims and dim not in field.coords]:
        raise ValueError(
            f"a forecast has the dimensions {', '.join(DIMS)}, and {channel.variable} has no "
            f"{', '.join(lacking)}; give a forecast as graphcast forecast writes it"
        )
    if channel.level is not None:
        field = field.sel(level=channel.level) if "level" in field.dims else field
    field = _at(field, "time", init_time, "init time", hour)
    if member is not None and "number" not in field.dims:
        raise ValueError(f"the forecast has one member, so `member` {member} cannot be drawn")
    if "number" in field.dims:
        field = _at(field, "number", member, "member", str)
    if "prediction_timedelta" not in field.dims:
        field = field.expand_dims("prediction_timedelta")
    looks = shown(channel.variable, str(field.attrs.get("units", "")), channel.level)
    return field.transpose("prediction_timedelta", "latitude", "longitude"), looks


def at_leads(field: xr.DataArray, leads: list[np.timedelta64]) -> xr.DataArray:
    """Some lead times of `chosen`, in the order asked for.

    Raises:
        ValueError: the forecast does not have one of them.
    """
    there = field["prediction_timedelta"].values
    if lacking := [lead for lead in leads if lead not in there]:
        raise ValueError(
            f"`lead_time` is one that the forecast has, not {hours(lacking[0]):g} h; it has "
            f"{listed([hours(lead) for lead in there], most=12)} h"
        )
    return field.sel(prediction_timedelta=leads)


def converted(field: xr.DataArray, looks: Shown) -> xr.DataArray:
    """A field in the units that are shown; what cannot be negative is not."""
    values = field.astype(np.float64) * looks.factor + looks.offset
    return values if looks.least is None else values.clip(min=looks.least)


def _names(variable: str) -> Iterator[str]:
    yield variable
    if variable in VARIABLES:
        yield VARIABLES[variable].short_name
        yield from VARIABLES[variable].aliases


def _only_level(text: str, field: xr.DataArray) -> int | None:
    """The level of a variable that was named without one."""
    if "level" not in field.coords:
        return None
    there = np.atleast_1d(field["level"].values)
    if len(there) > 1:
        raise ValueError(
            f"`variable` {text} is on levels; say which, as {text}{there[len(there) // 2]:g} "
            f"(there are {listed(there.tolist(), most=40)} hPa)"
        )
    return int(there[0])


def _level(level: int, field: xr.DataArray) -> int:
    there = np.atleast_1d(field["level"].values)
    if level not in there:
        raise ValueError(
            f"`variable` {field.name} is on {listed(there.tolist(), most=40)} hPa, not {level} hPa"
        )
    return level


def _at(field: xr.DataArray, dim: str, label: object, noun: str, write: object) -> xr.DataArray:
    """One place along a dimension; the first where none is asked for."""
    if dim not in field.dims:
        field = field.expand_dims(dim)
    there = field[dim].values
    if label is None:
        return field.isel({dim: 0})
    if label not in there:
        assert callable(write)
        raise ValueError(
            f"`{noun.replace(' ', '_')}` is one that the forecast has, not {write(label)}; it has "
            f"{listed([write(value) for value in there])}"
        )
    return field.sel({dim: label})
