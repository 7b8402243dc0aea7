"""Init times and lead times under the names, units and layouts that forecasts of others have.

`with_init_and_lead` gives every layout the dimensions `time` (init time) and
`prediction_timedelta`: start × lead, one start, one lead, or valid times and their start.
"""

import numpy as np
import xarray as xr

from data.provenance import remarked
from data.wording import listed

# WeatherBench 2; cfgrib; xarray-based archives; CF's standard name; NOAA's and others'.
LEAD_NAMES = (
    *("prediction_timedelta", "step", "lead_time", "leadtime", "lead", "forecast_period"),
    *("forecast_hour", "fhour", "fhr"),
)
INIT_NAMES = (
    *("init_time", "forecast_reference_time", "reference_time", "initial_time", "init"),
    *("initialization_time", "start_time", "forecast_init_time"),
)
_UNITS: dict[str, np.timedelta64] = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), np.timedelta64(1, "h")),
    **dict.fromkeys(("d", "day", "days"), np.timedelta64(24, "h")),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), np.timedelta64(1, "m")),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), np.timedelta64(1, "s")),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), np.timedelta64(1, "ns")),
}
_LONGEST = 24 * 366  # h; a bare number above it is no lead time in hours


def lead_name(dataset: xr.Dataset) -> str | None:
    """The name under which a Dataset has lead times, or None."""
    return next((name for name in LEAD_NAMES if name in dataset.variables), None)


def is_forecast(dataset: xr.Dataset) -> bool:
    """Whether a Dataset, with its own names, has its fields along lead times."""
    return lead_name(dataset) in dataset.dims


def init_name(dataset: xr.Dataset) -> str | None:
    """The name under which a Dataset has init times, if it is another than `time`."""
    return next((name for name in INIT_NAMES if name in dataset.variables), None)


def durations(leads: xr.DataArray) -> tuple[np.ndarray, str]:
    """Lead times as timedelta64[ns], and a remark where their unit had to be found.

    Bare numbers along a dimension are hours, or nanoseconds where they are that large.

    Raises:
        ValueError: lead times are missing, or nothing says in which unit they are.
    """
    values = np.asarray(leads.values)
    if values.dtype.kind == "m":
        result = np.asarray(values.astype("timedelta64[ns]"))
        if np.isnat(result).any():
            raise ValueError(_unknown(leads, int(np.isnat(result).sum())))
        return result, ""
    if values.dtype.kind not in "iuf":
        raise ValueError(
            f"lead times are durations, and {leads.name!r} holds {values.dtype} values; write"
            " numbers with units 'hours'"
        )
    if not np.isfinite(values).all():
        raise ValueError(_unknown(leads, int((~np.isfinite(values)).sum())))
    stated = str(leads.attrs.get("units", "")).strip().casefold()
    unit = _UNITS.get(stated)
    remark = ""
    if unit is None:
        if stated:
            raise ValueError(
                f"lead times are hours, days, minutes or seconds, and {leads.name!r} is in"
                f" {stated!r}; convert it to hours"
            )
        unit, words = _unit_found(leads)
        remark = f"lead times ({leads.name}) state no unit, and are taken for {words}"
    exact = np.round(values.astype(np.float64) * float(unit / np.timedelta64(1, "ns")))
    return np.asarray(exact).astype(np.int64).astype("timedelta64[ns]"), remark


def with_init_and_lead(dataset: xr.Dataset) -> xr.Dataset:
    """The Dataset with the dimensions `time` (init time) and `prediction_timedelta`.

    Raises:
        ValueError: there are no lead times, or nothing says whether `time` is the init time or the
            valid time.
    """
    lead, init = lead_name(dataset), init_name(dataset)
    valid = next((n for n in ("valid_time", "time") if n in dataset.dims and n != init), None)
    if lead is not None and dataset[lead].dims in ((lead,), ()):
        return _started(dataset, lead, init)
    if valid and init and not dataset[init].ndim:
        start = np.datetime64(dataset[init].values.astype("datetime64[ns]").item(), "ns")
        return _from_valid_times(dataset, valid, start)
    if valid and lead and dataset[lead].dims == (valid,):
        after, _ = durations(dataset[lead])
        starts = np.unique(dataset[valid].values - after)
        if starts.size == 1:
            return _from_valid_times(dataset, valid, starts[0])
    raise ValueError(
        "a forecast has init times and lead times (time and prediction_timedelta, init_time and"
        f" lead_time, time and step), and this one has {listed(dataset.dims) or 'no dimensions'}"
        + (", whose 'time' may be init time or valid time; say which" if valid else "; add them")
    )


def _started(dataset: xr.Dataset, lead: str, init: str | None) -> xr.Dataset:
    """From start × lead, where one of them may be a single value."""
    start = init or "time"
    if start not in dataset.variables:
        raise ValueError(f"lead times {lead!r} need a start time; add a coordinate 'time'")
    after, remark = durations(dataset[lead])
    if init and "time" in dataset.variables:
        dataset, start = _without_valid_time(dataset, init, after)
    elif not init:
        _check_is_init(dataset["time"], lead)
    if dataset[start].ndim > 1 or dataset[start].dtype.kind != "M":
        raise ValueError(
            f"init times are dates along one dimension, and {start!r} holds"
            f" {dataset[start].dtype} along {dataset[start].dims}; write them with units 'hours"
            " since 1900-01-01'"
        )
    unused = {"valid_time", "time", *INIT_NAMES} - {start}
    dataset = dataset.drop_vars([name for name in unused if name in dataset.variables])
    for name in (start, lead):
        if not dataset[name].ndim:
            dataset = dataset.expand_dims(name)
    (along,) = dataset[start].dims
    starts = dataset[start].values.astype("datetime64[ns]")
    dataset = dataset.drop_vars([start, lead])
    renamed = {along: "time", lead: "prediction_timedelta"}
    dataset = dataset.rename({old: new for old, new in renamed.items() if old != new})
    dataset = dataset.assign_coords(time=starts, prediction_timedelta=np.atleast_1d(after))
    return remarked(dataset, remark)


def _without_valid_time(
    dataset: xr.Dataset, init: str, after: np.ndarray
) -> tuple[xr.Dataset, str]:
    """Beside an init time, `time` is the same or the valid time; and the name of the start."""
    time, start = dataset["time"], dataset[init]
    if time.ndim > 1 or init in dataset.dims:
        return dataset.drop_vars("time"), init
    if start.dims == time.dims and (start.values == time.values).all():
        return dataset.drop_vars(init), "time"
    if start.dims == time.dims == ("time",) and not after.ndim:
        if (start.values + after == time.values).all():
            return dataset, init
    elif start.dims == time.dims == ():
        return dataset.drop_vars("time"), init
    raise ValueError(
        f"init times are given once, and 'time' and {init!r} differ: nothing says from which the"
        " lead times count; drop the one that is not the init time"
    )


def _check_is_init(time: xr.DataArray, lead: str) -> None:
    """Refuse a `time` that says that it is the valid time."""
    words = " ".join(str(time.attrs.get(key, "")) for key in ("standard_name", "long_name"))
    if "valid" in words.casefold():
        raise ValueError(
            f"lead times count from init times, and 'time' beside {lead!r} calls itself"
            f" {words.strip()!r}; give the init times as init_time"
        )


def _from_valid_times(dataset: xr.Dataset, valid: str, start: np.datetime64) -> xr.Dataset:
    """One forecast whose fields stand at their valid times."""
    after = dataset[valid].values.astype("datetime64[ns]") - start.astype("datetime64[ns]")
    unused = [n for n in (*LEAD_NAMES, *INIT_NAMES, "valid_time", "time") if n in dataset.variables]
    dataset = dataset.drop_vars(unused).rename({valid: "prediction_timedelta"})
    dataset = dataset.assign_coords(prediction_timedelta=after)
    return dataset.expand_dims(time=np.atleast_1d(start.astype("datetime64[ns]")))


def _unit_found(leads: xr.DataArray) -> tuple[np.timedelta64, str]:
    """The unit of bare numbers, and its word."""
    values = np.atleast_1d(leads.values).astype(np.float64)
    if leads.ndim:
        if values.max() >= float(np.timedelta64(1, "h") / np.timedelta64(1, "ns")):
            return _UNITS["ns"], "nanoseconds"
        counted = values.size > 1 and np.array_equal(np.diff(values), np.ones(values.size - 1))
        if values.max() <= _LONGEST and not (counted and values[0] <= 1 and values.size < 24):
            return _UNITS["h"], "hours"
    raise ValueError(
        f"lead times must say their unit, and {leads.name!r} holds {listed(values.tolist())}"
        " without one (hours, days or a count of steps?); write units 'hours'"
    )


def _unknown(leads: xr.DataArray, count: int) -> str:
    return (
        f"every lead time must be known, and {count} of {leads.size} in {leads.name!r} are missing;"
        " look at the fill value of the coordinate"
    )
