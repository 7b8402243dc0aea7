"""A forecast as one CF netCDF file, for cdo, ncview, Panoply and whatever else reads netCDF.

Such tools know fields of at most four dimensions, and take `time` for the valid time. A forecast
from one init time is therefore written along valid time: `time`, `level`, `latitude`, `longitude`,
with the init time (`forecast_reference_time`) as a single value and the lead time
(`forecast_period`) beside each time. Members are a dimension more, `number`. A forecast from
several init times keeps the layout of the store: `time` is the init time.
"""

from pathlib import Path
from typing import Any

import dask
import numpy as np
import xarray as xr

from data.canonical.precipitation import stated_hours
from data.stores.cf import TIME_UNITS
from data.stores.files import written_aside
from data.stores.forecast.header import CELL_DIMS, decoded_attrs
from data.stores.kind import kind_of
from data.variables import VARIABLES

COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": True}  # what every netCDF library reads
CHUNK_BYTES = 2**22  # levels share a chunk up to this size
BOUNDS = "time_bnds"
AT_A_MOMENT = "time: point"


def write_netcdf(forecast: xr.Dataset, target: Path) -> None:
    """Write a forecast in the layout of our stores to a netCDF file, whole.

    Args:
        forecast: lazy, or in memory.
        target: the file; another that stands there is replaced.
    """
    single = forecast.sizes["time"] == 1
    dataset = forecast.drop_encoding()
    dataset = along_valid_time(dataset) if single else dataset
    with (
        # In one thread: after an error nobody writes on.
        dask.config.set(scheduler="synchronous"),
        written_aside(target) as temporary,
    ):
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=_encoding(dataset))


def along_valid_time(forecast: xr.Dataset) -> xr.Dataset:
    """A forecast from one init time, in the layout of our stores, with `time` as valid time.

    Totals have the bounds of their period, all other fields are at a moment: their `cell_methods`
    say which.
    """
    start = forecast.isel(time=0).drop_vars(["time", "valid_time"])
    leads = forecast["prediction_timedelta"]
    valid = forecast["time"].values[0] + leads.values
    period = xr.Variable(("time",), leads.values, {**leads.attrs})
    if start.sizes.get("number") == 1:
        start = start.isel(number=0)
    dataset = start.drop_vars("prediction_timedelta").rename(prediction_timedelta="time")
    dataset = dataset.assign_coords(
        time=("time", valid, {**decoded_attrs("valid_time"), "axis": "T"}),
        forecast_period=period,
    )
    fields = {name: _with_methods(field) for name, field in dataset.data_vars.items()}
    dataset = dataset.assign(fields)
    periods = {stated_hours(field) for field in fields.values()} - {None}
    if len(periods) == 1:  # one axis has one set of bounds
        begin = valid - np.timedelta64(periods.pop() or 0, "h")
        dataset[BOUNDS] = (("time", "bounds"), np.stack([begin, valid], axis=1))
        dataset[BOUNDS].encoding["coordinates"] = None  # they are the time's, and have none
        dataset["time"].attrs["bounds"] = BOUNDS
    dims = [dim for dim in ("time", "number", "level") if dim in dataset.dims]
    return dataset.transpose(*dims, ...)


def along_lead_time(dataset: xr.Dataset) -> xr.Dataset:
    """What `along_valid_time` did, undone: for readers of forecasts. Any other comes back as it is.

    >>> along_lead_time(xr.Dataset(attrs={"title": "My thesis"})).attrs
    {'title': 'My thesis'}
    """
    if kind_of(dataset.attrs) != "forecast" or "forecast_period" not in dataset.coords:
        return dataset
    start, leads = dataset["forecast_reference_time"].values, dataset["forecast_period"].values
    valid = dataset["time"].values
    dataset = dataset.drop_vars([BOUNDS, "forecast_period", "time"], errors="ignore")
    fields = {name: _with_stored_methods(field) for name, field in dataset.data_vars.items()}
    dataset = dataset.assign(fields).rename(time="prediction_timedelta").expand_dims(time=[start])
    if "number" in dataset.coords and "number" not in dataset.dims:
        dataset = dataset.expand_dims("number")
    dims = [dim for dim in CELL_DIMS if dim in dataset.dims]
    return dataset.transpose(*dims, ...).assign_coords(
        time=("time", [start], decoded_attrs("time")),
        prediction_timedelta=(
            "prediction_timedelta",
            leads,
            decoded_attrs("prediction_timedelta"),
        ),
        forecast_reference_time=("time", [start], decoded_attrs("forecast_reference_time")),
        valid_time=(
            ("time", "prediction_timedelta"),
            valid[None],
            decoded_attrs("valid_time"),
        ),
    )


def _with_methods(field: xr.DataArray) -> xr.DataArray:
    stated = str(field.attrs.get("cell_methods", ""))
    methods = stated.replace("prediction_timedelta:", "time:") or AT_A_MOMENT
    return field.assign_attrs(cell_methods=methods)


def _with_stored_methods(field: xr.DataArray) -> xr.DataArray:
    attrs = dict(field.attrs)
    methods = str(attrs.pop("cell_methods", AT_A_MOMENT))
    if methods != AT_A_MOMENT:
        attrs["cell_methods"] = methods.replace("time:", "prediction_timedelta:")
    field = field.copy(deep=False)
    field.attrs = attrs
    return field


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    # CF allows no fill value on coordinates, and a forecast has a value everywhere.
    encoding: dict[str, dict[str, Any]] = {
        str(name): {"_FillValue": None} for name in dataset.variables
    }
    for name, variable in dataset.variables.items():
        own = encoding[str(name)]
        if variable.dtype.kind == "M":
            own |= {"units": TIME_UNITS, "calendar": "proleptic_gregorian", "dtype": "int32"}
        elif variable.dtype.kind == "m":
            own |= {"units": "hours", "dtype": "int32"}
        elif variable.dtype == np.int64:
            own |= {"dtype": "int32"}
        elif name in VARIABLES:
            own |= {**COMPRESSION, "chunksizes": _chunk(variable)}
    return encoding


def _chunk(variable: xr.Variable) -> tuple[int, ...]:
    space = ("level", "latitude", "longitude")
    shape = {str(dim): size if dim in space else 1 for dim, size in variable.sizes.items()}
    bytes_of_all = variable.dtype.itemsize * int(np.prod([*shape.values()]))
    if bytes_of_all > CHUNK_BYTES:
        shape["level"] = 1
    return tuple(shape[str(dim)] for dim in variable.dims)
