"""Precipitation over the six hours before a time, from what archives store instead.

ERA5 gives the total of each hour, a forecast the total since its start. Precipitation is the only
field that GraphCast reads and predicts as a sum; a sum may not miss an hour, so a missing one is
refused.
"""

import re

import numpy as np
import xarray as xr

from data.canonical.units import conversion, in_catalogue_units
from data.regrid.fields import joined
from data.task import STEP
from data.variables import VARIABLES

SIX_HOURLY = "total_precipitation_6hr"
HOURLY_NAMES = ("total_precipitation", "tp", "tp1h")  # as canonical Datasets keep them
HOUR = np.timedelta64(1, "h")
# What the packing of two GRIB fields may leave between them where it stayed dry. A larger fall
# means that the accumulation began anew.
LARGEST_FALL = 1e-4  # m


def with_six_hour_precipitation(hourly: xr.Dataset, times: np.ndarray | None = None) -> xr.Dataset:
    """A canonical Dataset of hours, at ``times``, with the hours' precipitation summed over six.

    The variable of the hours gives way to ``total_precipitation_6hr``. Without ``times``, every
    00, 06, 12 and 18 UTC that six hours of the data lead to. ValueError where there is no hourly
    precipitation, or an hour is missing.
    """
    name = next((name for name in HOURLY_NAMES if name in hourly), None)
    if name is None:
        raise ValueError(
            f"six-hour precipitation is summed from one of {', '.join(HOURLY_NAMES)}, and the data"
            f" have {', '.join(str(v) for v in hourly.data_vars)}; read one along"
        )
    total = totals_from_hourly(hourly[name], times)
    return hourly.drop_vars(name).sel(time=total["time"]).assign({SIX_HOURLY: total})


def totals_from_hourly(hourly: xr.DataArray, times: np.ndarray | None = None) -> xr.DataArray:
    """The sum of the six hourly totals up to each time, in m; lazy.

    ``hourly`` holds totals of the hour that ends at its ``time``, as ERA5's do, and says in
    ``units`` what they are measured in. ``times`` as in ``with_six_hour_precipitation``.
    """
    _check_hourly(hourly)
    there = hourly["time"].values.astype("datetime64[ns]")
    wanted = _six_hourly_within(there) if times is None else times.astype("datetime64[ns]")
    if not wanted.size:
        raise ValueError(
            "a six-hour total needs six hours up to 00, 06, 12 or 18 UTC, and the data go from"
            f" {there[0]} to {there[-1]}; read the five hours before, too"
        )
    _check_there(hours_needed(wanted), there, "hours")
    in_metres = _in_metres(hourly)
    total = _at(in_metres, wanted, wanted)
    for lag in range(1, _HOURS):
        total = total + _at(in_metres, wanted - lag * HOUR, wanted)
    return _finished(total, hourly, "summed from six hourly totals")


def hours_needed(times: np.ndarray) -> np.ndarray:
    """The times of the hourly totals that six-hour totals at ``times`` are sums of."""
    stamps = times.astype("datetime64[ns]")
    return np.unique(np.concatenate([stamps - lag * HOUR for lag in range(_HOURS)]))


def totals_from_cumulative(
    cumulative: xr.DataArray, start: np.datetime64, times: np.ndarray | None = None
) -> xr.DataArray:
    """The precipitation of the six hours up to each time, in m, of one forecast; lazy.

    ``cumulative`` is the total since the forecast's ``start``, on valid times; at the start itself
    it is zero and need not be stored. Without ``times``, every six hours after the start that the
    data reach. A total that falls by more than packing can explain is refused when it is computed.
    """
    there = cumulative["time"].values.astype("datetime64[ns]")
    start = start.astype("datetime64[ns]")
    if times is None:
        times = np.arange(start + STEP, there[-1] + np.timedelta64(1, "ns"), STEP)
    wanted = times.astype("datetime64[ns]")
    if not wanted.size or wanted.min() - STEP < start:
        raise ValueError(
            f"a six-hour total needs six hours after the forecast's start at {start}, and the"
            f" times wanted are {wanted.astype('datetime64[h]').tolist()[:2]}; begin later"
        )
    ends = np.unique(np.concatenate([wanted, wanted - STEP]))
    _check_there(ends[ends > start], there, "totals since the start")
    in_metres = _in_metres(cumulative).sel(time=there > start)
    first = in_metres.isel(time=[0]).assign_coords(time=[start])
    from_zero = xr.concat([xr.zeros_like(first), in_metres], dim="time")
    fall = _at(from_zero, wanted, wanted) - _at(from_zero, wanted - STEP, wanted)
    checked = xr.apply_ufunc(
        _without_falls, fall, dask="parallelized", output_dtypes=[fall.dtype], keep_attrs=True
    )
    since = start.astype("datetime64[m]")
    total = _finished(checked, cumulative, f"difference of totals since {since}")
    return total.assign_attrs(cell_methods="time: sum (comment: over the 6 hours before)")


_HOURS = int(STEP / HOUR)


def _six_hourly_within(there: np.ndarray) -> np.ndarray:
    """The multiples of six hours (UTC) whose six hours lie within the data."""
    first, last = there[0] + (_HOURS - 1) * HOUR, there[-1]
    step = STEP.astype("timedelta64[ns]")
    since = first - np.datetime64(0, "ns")
    start = np.datetime64(0, "ns") + -(-since // step) * step
    return np.arange(start, last + np.timedelta64(1, "ns"), step)


def _check_hourly(array: xr.DataArray) -> None:
    words = str(array.attrs.get("cell_methods", "")).casefold()
    stated = re.search(r"over the (\d+) h", words) or re.search(r"sum \(interval: (\d+) h", words)
    if stated and stated[1] != "1":
        raise ValueError(
            f"{array.name} states totals of {stated[1]} hours (cell_methods {words!r}), and"
            " six-hour totals are summed from hourly ones; give the hourly variable"
        )


def _check_there(needed: np.ndarray, there: np.ndarray, what: str) -> None:
    missing = np.setdiff1d(needed, there)
    if missing.size:
        named = ", ".join(str(time.astype("datetime64[m]")) for time in missing[:3])
        raise ValueError(
            f"a six-hour total may not miss anything, and {missing.size} {what} are not in the"
            f" data: {named}{', ...' if missing.size > 3 else ''}; get them, or leave those times"
            " out"
        )


def _in_metres(array: xr.DataArray) -> xr.DataArray:
    stated = str(array.attrs.get("units", ""))
    if conversion(stated, VARIABLES[SIX_HOURLY].units) is None:
        raise ValueError(
            f"precipitation is a height of water (m, mm, kg m-2), and {array.name} states"
            f" {stated or 'no unit'}; correct its attribute 'units'"
        )
    return in_catalogue_units(array, SIX_HOURLY)


def _at(array: xr.DataArray, times: np.ndarray, labels: np.ndarray) -> xr.DataArray:
    """The array at ``times`` in float64, labelled as if at ``labels``."""
    return array.sel(time=times).assign_coords(time=labels).astype(np.float64)


def _without_falls(differences: np.ndarray) -> np.ndarray:
    if differences.size and np.nanmin(differences, initial=0.0) < -LARGEST_FALL:
        raise ValueError(
            "a total since the start of a forecast never falls, and this one falls by"
            f" {-np.nanmin(differences):g} m in six hours; it is counted anew on the way (hourly"
            " totals, or several forecasts in one)"
        )
    return differences


def _finished(total: xr.DataArray, source: xr.DataArray, note: str) -> xr.DataArray:
    provenance = joined(source.attrs.get("provenance"), note)
    attrs = {**source.attrs, **VARIABLES[SIX_HOURLY].attributes, "provenance": provenance}
    return total.astype(np.float32).assign_attrs(attrs).rename(SIX_HOURLY)
