"""Precipitation: its names, the period that a file states, and totals summed from hours.

GraphCast reads and predicts precipitation as the total over one step. ERA5 stores the total of each
hour, a forecast often the total since its start, and both call it `tp`: the name does not tell the
period. A file states it in the CF attribute `cell_methods`; where it does not, the variable keeps
its name, so that an hour never passes for six. A sum needs every hour, so a missing one is refused.
"""

import re

import numpy as np
import xarray as xr

from data.canonical.units import conversion, in_catalogue_units
from data.provenance import noted
from data.variables import VARIABLES
from data.wording import HOUR, hour, listed

HOURLY = "total_precipitation"
SIX_HOURLY = "total_precipitation_6hr"
PERIODS = {  # catalogue name → hours up to the time that the total is labelled with
    HOURLY: 1,
    SIX_HOURLY: 6,
    "total_precipitation_12hr": 12,
    "total_precipitation_24hr": 24,
}
# Names that files use for totals over any period, and that the catalogue does not have. ECMWF uses
# the catalogue's `total_precipitation` in the same way.
NAMES_WITHOUT_PERIOD = ("tp", "apcp", "precipitation")
# For telling totals that are counted on from those of separate hours: a point is wet above this
# part of the largest total; packing moves values by less than this part of it; and this part of all
# changes is none.
_WET, _PACKING, _HARDLY_ANY = 0.01, 1e-4, 0.01


def stands_for_any_period(name: str) -> bool:
    """Whether files use this name for precipitation totals over different periods."""
    return name.casefold() in (*NAMES_WITHOUT_PERIOD, HOURLY)


def stated_hours(array: xr.DataArray) -> int | None:
    """The period in hours that `cell_methods` states, or None.

    Two forms are read: "over the 6 hours before", which our files and the GRIB reader write, and
    "time: sum (interval: 6 hours)".
    """
    words = str(array.attrs.get("cell_methods", "")).casefold()
    stated = re.search(r"over the (\d+) h", words) or re.search(r"sum \(interval: (\d+) h", words)
    return int(stated[1]) if stated else None


def summed_over(hours: int | float) -> str:
    """The `cell_methods` of totals over a period, as `stated_hours` reads them."""
    return f"time: sum (comment: over the {hours:g} hours before)"


def name_by_period(array: xr.DataArray) -> str | None:
    """The catalogue's name for totals over 1, 6, 12 or 24 hours whose file states the period.

    >>> rain = xr.DataArray(0.0, name="tp", attrs={"cell_methods": summed_over(6)})
    >>> name_by_period(rain)
    'total_precipitation_6hr'
    """
    if not stands_for_any_period(str(array.name)):
        return None
    stated = stated_hours(array)
    names = {period: name for name, period in PERIODS.items()}
    known = None if stated is None else names.get(stated)
    return None if known == array.name else known


def stating_an_hour(array: xr.DataArray) -> xr.DataArray:
    """Totals that state no period, at times an hour apart, as totals of an hour.

    ERA5's `tp` is one of these. Whether it is counted on from hour to hour, as in ERA5-Land, its
    numbers say: see `counts_on`.
    """
    if stands_for_any_period(str(array.name)) and stated_hours(array) is None:
        return array.assign_attrs(cell_methods=summed_over(1))
    return array


def counts_on(within_a_day: np.ndarray) -> bool:
    """Whether totals at three or more ascending times of one day are counted on since 00 UTC.

    Args:
        within_a_day: (time, …) fields, the first after 00 UTC.

    What is counted on never falls. Of what falls in separate hours, about half of the wet points
    have less in the next hour.
    """
    fields = within_a_day.astype(np.float64)
    rising = np.diff(fields, axis=0)
    wet = (fields.max(axis=0) > fields.max() * _WET)[np.newaxis] & np.ones_like(rising, bool)
    if fields.shape[0] < 3 or not fields.max() > 0 or not wet.any():
        return False
    falls = rising[wet] < -fields.max() * _PACKING
    return bool(falls.mean() < _HARDLY_ANY)


def of_each_hour(counted: xr.DataArray, times: np.ndarray) -> xr.DataArray:
    """Totals of the hour up to `times` from totals that are counted on since 00 UTC; lazy.

    At 01 UTC the count is the hour's; at any other hour the count of the hour before is subtracted.

    Raises:
        ValueError: the hour before is missing.
    """
    first = times.astype("datetime64[h]").astype(np.int64) % 24 == 1
    earlier = times[~first] - HOUR
    lacking = np.setdiff1d(earlier, counted["time"].values.astype("datetime64[ns]"))
    if lacking.size:
        raise ValueError(
            f"{counted.name} is counted on since 00 UTC, so the total of an hour needs the hour"
            f" before, and {listed(map(hour, lacking))} is missing; give every hour"
        )
    now = counted.sel(time=times)
    before = counted.sel(time=np.where(first, times, times - HOUR)).assign_coords(time=times)
    since = xr.DataArray(np.where(first, 0.0, 1.0).astype(np.float32), dims="time")
    totals = (now - before * since).transpose(*now.dims).rename(counted.name)
    return noted(
        totals.assign_attrs(counted.attrs), "taken as differences of totals counted on since 00 UTC"
    )


def hours_needed(times: np.ndarray, name: str = SIX_HOURLY) -> np.ndarray:
    """The times of all hourly totals that `name` at `times` is summed from; ascending."""
    stamps = times.astype("datetime64[ns]")
    return np.unique(np.concatenate([stamps - lag * HOUR for lag in range(PERIODS[name])]))


def total(hourly: xr.DataArray, times: np.ndarray, name: str = SIX_HOURLY) -> xr.DataArray:
    """The total `name` at `times` (m, float32), summed from hourly totals; lazy.

    Args:
        hourly: totals of the hour up to each `time`, as ERA5 has them, with their `units`.
        times: when the periods end, in any order.
        name: a total of the catalogue, which says how many hours are summed.

    Raises:
        ValueError: an hour is missing, `hourly` states another period than an hour, or a unit
            that is not a height of water.
    """
    _check_hourly(hourly)
    _check_complete(hours_needed(times, name), hourly["time"].values.astype("datetime64[ns]"))
    wanted = times.astype("datetime64[ns]")
    in_metres = _in_metres(hourly)
    result = _labelled(in_metres, wanted, wanted)
    for lag in range(1, PERIODS[name]):
        result = result + _labelled(in_metres, wanted - lag * HOUR, wanted)
    attributes = {**hourly.attrs, **VARIABLES[name].attributes}
    result = result.astype(np.float32).assign_attrs(attributes).rename(name)
    return noted(result, f"summed from {_number(PERIODS[name])} hourly totals")


def _number(hours: int) -> str:
    return {6: "six", 12: "twelve"}.get(hours, str(hours))


def _check_hourly(array: xr.DataArray) -> None:
    stated = stated_hours(array)
    if stated not in (None, 1):
        raise ValueError(
            f"{array.name} states totals of {stated} hours (cell_methods"
            f" {array.attrs['cell_methods']!r}), and longer totals are summed from hourly ones;"
            " give the hourly variable"
        )


def _check_complete(needed: np.ndarray, present: np.ndarray) -> None:
    missing = np.setdiff1d(needed, present)
    if missing.size:
        raise ValueError(
            f"a total of precipitation may not miss an hour, and {missing.size} hours are not in"
            f" the data: {listed(map(hour, missing))}; get them, or leave those times out"
        )


def _in_metres(array: xr.DataArray) -> xr.DataArray:
    stated = str(array.attrs.get("units", ""))
    if conversion(stated, VARIABLES[HOURLY].units) is None:
        raise ValueError(
            f"precipitation is a height of water (m, mm, kg m-2), and {array.name} states"
            f" {stated or 'no unit'}; correct its attribute 'units'"
        )
    return in_catalogue_units(array, HOURLY)


def _labelled(array: xr.DataArray, times: np.ndarray, labels: np.ndarray) -> xr.DataArray:
    """The array at `times` in float64, labelled with `labels` so that lagged hours add up."""
    return array.sel(time=times).assign_coords(time=labels).astype(np.float64)
