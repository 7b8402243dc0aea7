"""The layout of DeepMind's example files: `batch time level lat lon`, with relative times.

A file holds independent samples along `batch`. Its `time` counts from an initial time that only the
coordinate `datetime(batch, time)` gives; in a file without it, the caller must name that time.
Statics have neither batch nor time.
"""

import numpy as np
import xarray as xr

from data.variables import VARIABLES


def is_example(dataset: xr.Dataset) -> bool:
    """Whether the Dataset has a batch dimension or relative times."""
    return "batch" in dataset.dims or _is_relative(dataset)


def is_undated(dataset: xr.Dataset) -> bool:
    """Whether the Dataset has relative times and does not state their origin."""
    return _is_relative(dataset) and "datetime" not in dataset.variables


def _is_relative(dataset: xr.Dataset) -> bool:
    return "time" in dataset.variables and dataset["time"].dtype.kind == "m"


def entries(dataset: xr.Dataset, init_time: np.datetime64 | None) -> list[xr.Dataset]:
    """One Dataset with absolute times for each batch entry; statics in each.

    Without a coordinate `datetime`, relative times count from `init_time`, with two exceptions. Two
    frames, the first at or before zero hours, are an input window, and the second is `init_time`.
    More frames from zero hours on begin with such a window, as in DeepMind's example files.

    Raises:
        ValueError: the times are relative and there is neither `datetime` nor `init_time`.
    """
    if "batch" not in dataset.dims:
        return [_dated(dataset, init_time)]
    return [
        _dated(dataset.isel(batch=i, drop=True), init_time) for i in range(dataset.sizes["batch"])
    ]


def _dated(dataset: xr.Dataset, init_time: np.datetime64 | None) -> xr.Dataset:
    if "datetime" in dataset.coords or "datetime" in dataset.data_vars:
        times = dataset["datetime"].values
        return dataset.drop_vars("datetime").assign_coords(time=times)
    if dataset["time"].dtype.kind != "m":
        return dataset
    if init_time is None:
        raise ValueError(
            "the initial time must be known, and the file has relative times and no coordinate"
            " 'datetime'; name the initial time (`init_time`)"
        )
    return counted_from(init_time - _init_lead(dataset), dataset)


def counted_from(zero: np.datetime64, dataset: xr.Dataset) -> xr.Dataset:
    """The Dataset with its relative times counted from `zero`."""
    return dataset.assign_coords(time=zero.astype("datetime64[ns]") + dataset["time"].values)


def _init_lead(dataset: xr.Dataset) -> np.timedelta64:
    """The initial time as a relative time."""
    zero = np.timedelta64(0, "h")
    relative = np.sort(dataset["time"].values)
    window = relative.size == 2 and relative[0] <= zero
    example = relative.size > 2 and relative[0] == zero
    if (window or example) and _has_weather(dataset):
        lead: np.timedelta64 = relative[1]
        return lead
    return zero


def _has_weather(dataset: xr.Dataset) -> bool:
    """Whether the Dataset holds more than forcings, whose times always count from zero."""
    clocks = ("toa_incident_solar_radiation", "year_progress", "day_progress")
    return any(
        "time" in array.dims and not str(name).startswith(clocks) and str(name) in VARIABLES
        for name, array in dataset.data_vars.items()
    )
