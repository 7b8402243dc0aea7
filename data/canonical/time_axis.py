"""Converting any file's time axis to absolute, valid times.

Three layouts are read: analyses with a `time` axis; valid times of forecasts, as `valid_time` (the
Climate Data Store) or start `time` × `step` (cfgrib); and numbers since a date that xarray left
undecoded.
"""

import numpy as np
import xarray as xr

from data.canonical.lead_times import INIT_NAMES, LEAD_NAMES, lead_name, with_init_and_lead

TIME_NAMES = ("valid_time", "time", "time_index", "datetime", "date")


def with_absolute_time(dataset: xr.Dataset) -> xr.Dataset:
    """The Dataset with one dimension `time` of datetime64[ns], or without one if it has no times.

    A forecast (a dimension of lead times) is labelled with valid times. Where several starts reach
    the same valid time, the shortest lead is taken: an analysis before a forecast.

    Raises:
        ValueError: the times are relative or cannot be decoded.
    """
    dataset = _with_valid_time(dataset)
    name = next((n for n in TIME_NAMES if n in dataset.coords), None)
    if name is None:
        if undated := [n for n in TIME_NAMES if n in dataset.dims]:
            raise ValueError(
                f"every field needs an absolute time, and dimension {undated[0]!r} has no"
                " coordinate; add one of dates"
            )
        return dataset
    dataset = _decoded(dataset, name)
    if dataset[name].ndim > 1:
        raise ValueError(
            f"times must stand along one dimension, and {name!r} has {dataset[name].dims}"
        )
    dimension = dataset[name].dims[0] if dataset[name].ndim else None
    times = dataset[name].values.astype("datetime64[ns]")
    others = [n for n in TIME_NAMES if n in dataset.coords]
    dataset = dataset.drop_vars(others)
    if dimension is None:
        return dataset.expand_dims(time=[times])
    if dimension != "time":
        dataset = dataset.rename({dimension: "time"})
    return dataset.assign_coords(time=("time", times))


def _decoded(dataset: xr.Dataset, name: str) -> xr.Dataset:
    kind = dataset[name].dtype.kind
    if kind == "M":
        return dataset
    if kind == "m":
        raise ValueError(
            f"times must be absolute, and {name!r} holds time differences; give the file a"
            " datetime coordinate, or name the initial time that they count from"
        )
    unit = str(dataset[name].attrs.get("units") or dataset.attrs.get("time_units") or "")
    if kind not in "iuf" or " since " not in unit:
        raise ValueError(
            f"times must be dates, and {name!r} holds {dataset[name].dtype} values that do not say"
            " since when they count; give the coordinate units such as 'hours since 1900-01-01'"
        )
    # "hours since 1940-01-01 00:00 (proleptic_gregorian)": CF has an attribute for the calendar
    attrs = {"units": unit.partition("(")[0].strip(), "calendar": "proleptic_gregorian"}
    raw = xr.Dataset(coords={name: (dataset[name].dims, dataset[name].values, attrs)})
    return dataset.assign_coords({name: xr.decode_cf(raw)[name]})


def dated(dataset: xr.Dataset) -> xr.Dataset:
    """The Dataset with its init and valid times as dates, where a file counts them undecoded."""
    for name in (*TIME_NAMES, *INIT_NAMES):
        if name in dataset.coords and dataset[name].dtype.kind in "iuf":
            dataset = _decoded(dataset, name)
    return dataset


def _with_valid_time(dataset: xr.Dataset) -> xr.Dataset:
    """Init time and lead time as valid time."""
    if lead_name(dataset) is None:
        return dataset
    dataset = dated(dataset)
    if "valid_time" in dataset.dims:
        unused = [n for n in (*LEAD_NAMES, *INIT_NAMES, "time") if n in dataset.variables]
        return dataset.drop_vars(unused)
    return _flattened(with_init_and_lead(dataset))


def _flattened(dataset: xr.Dataset) -> xr.Dataset:
    starts, leads = dataset["time"].values, dataset["prediction_timedelta"].values
    shortest: dict[np.datetime64, tuple[int, int]] = {}
    for j in np.argsort(leads):
        for i, start in enumerate(starts):
            shortest.setdefault(start + leads[j], (i, int(j)))
    valid = sorted(shortest)
    at_start, at_lead = (
        xr.DataArray([shortest[time][axis] for time in valid], dims="time") for axis in (0, 1)
    )
    dataset = dataset.isel(time=at_start, prediction_timedelta=at_lead)
    dataset = dataset.drop_vars("prediction_timedelta", errors="ignore")
    return dataset.assign_coords(time=("time", np.asarray(valid)))
