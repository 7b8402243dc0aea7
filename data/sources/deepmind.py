"""The layout of DeepMind's example files: ``batch time level lat lon``, with relative times.

A file holds several independent samples along ``batch``. Its ``time`` counts from some initial
time that only the coordinate ``datetime(batch, time)`` names; files cut out of such a file may have
lost it, and then the caller must say it. Statics have neither batch nor time.
"""

import numpy as np
import xarray as xr

from data.variables import VARIABLES


def is_example(dataset: xr.Dataset) -> bool:
    """Whether ``dataset`` has a batch dimension or relative times."""
    relative = "time" in dataset.variables and dataset["time"].dtype.kind == "m"
    return "batch" in dataset.dims or relative


def entries(dataset: xr.Dataset, init_time: np.datetime64 | None) -> list[xr.Dataset]:
    """One Dataset with absolute times for each batch entry; statics in each.

    Without a coordinate ``datetime``, relative times count from ``init_time``; two frames that
    begin at or before zero hours are an input window, whose last frame is ``init_time``.
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
            " 'datetime'; name the initial time (--init-time)"
        )
    relative = dataset["time"].values
    start = init_time.astype("datetime64[ns]")
    if relative.size == 2 and relative[0] <= np.timedelta64(0, "h") and _has_weather(dataset):
        start = start - relative[-1]
    return dataset.assign_coords(time=start + relative)


def _has_weather(dataset: xr.Dataset) -> bool:
    """Whether this is more than a file of forcings, whose times always count from zero."""
    clocks = ("toa_incident_solar_radiation", "year_progress", "day_progress")
    return any(
        "time" in array.dims and not str(name).startswith(clocks) and str(name) in VARIABLES
        for name, array in dataset.data_vars.items()
    )
