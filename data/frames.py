"""A frame, the weather at one time, from a Dataset into an array [grid, channels] and back.

Rows are grid nodes `ilat * nlon + ilon` in the Dataset's own order of latitudes and longitudes;
the tuple of `Channel` says what each column is.
"""

from itertools import groupby

import numpy as np
import xarray as xr
from jaxtyping import Float, Float32

from data.channels import Channel
from data.variables import VARIABLES

_SPACE = ("latitude", "longitude")


def pack(frame: xr.Dataset, channels: tuple[Channel, ...]) -> Float32[np.ndarray, "grid channels"]:
    """The columns `channels` of a canonical Dataset at one time.

    Variables without latitude or longitude (the clocks) are repeated along it; levels are selected
    by label.

    Raises:
        ValueError: names every variable or level that is missing, or a dimension too many.
    """
    _check_has(frame, channels)
    shape = (frame.sizes["latitude"], frame.sizes["longitude"])
    packed = np.empty((*shape, len(channels)), dtype=np.float32)
    start = 0
    for name, group in groupby(channels, key=lambda channel: channel.variable):
        columns = list(group)
        array = frame[name]
        if "level" in array.dims:
            array = array.sel(level=[channel.level for channel in columns])
        order = tuple(dim for dim in (*_SPACE, "level") if dim in array.dims)
        missing = tuple(axis for axis, dim in enumerate(_SPACE) if dim not in array.dims)
        values = np.expand_dims(array.transpose(*order).values, missing)
        if "level" not in array.dims:
            values = values[..., np.newaxis]
        packed[..., start : start + len(columns)] = values
        start += len(columns)
    return packed.reshape(shape[0] * shape[1], len(channels))


def _check_has(frame: xr.Dataset, channels: tuple[Channel, ...]) -> None:
    absent = [dim for dim in _SPACE if dim not in frame.sizes]
    if absent:
        lacks = " and ".join(absent)
        raise ValueError(f"a frame has latitude and longitude; this one lacks {lacks}")
    lacking = [str(channel) for channel in channels if not _has(frame, channel)]
    if lacking:
        raise ValueError(f"the frame does not have {', '.join(lacking)}")
    for name in dict.fromkeys(channel.variable for channel in channels):
        extra = [str(dim) for dim in frame[name].dims if dim not in (*_SPACE, "level")]
        if extra:
            raise ValueError(
                f"a frame is one time, but its {name} has the dimension(s) {', '.join(extra)}; "
                "select one, for example with .isel(time=0)"
            )


def _has(frame: xr.Dataset, channel: Channel) -> bool:
    if channel.variable not in frame:
        return False
    array = frame[channel.variable]
    if channel.level is None:
        return "level" not in array.dims
    return "level" in array.dims and bool((array["level"] == channel.level).any())


def unpack(
    array: Float[np.ndarray, "grid channels"],
    channels: tuple[Channel, ...],
    latitude: Float[np.ndarray, " lat"],
    longitude: Float[np.ndarray, " lon"],
) -> xr.Dataset:
    """The inverse of `pack`: variables on (level,) latitude, longitude, with CF attributes.

    The Dataset shares no memory with `array`.

    Raises:
        ValueError: the array does not fit the grid and channels, or two variables are on different
            levels, which one Dataset cannot hold without gaps.
    """
    shape = (latitude.size, longitude.size)
    if array.shape != (latitude.size * longitude.size, len(channels)):
        raise ValueError(
            f"{latitude.size} latitudes × {longitude.size} longitudes and {len(channels)} channels "
            f"need an array of shape {(latitude.size * longitude.size, len(channels))}; "
            f"this one is {array.shape}"
        )
    levels = _common_levels(channels)
    columns: dict[str, list[int]] = {}
    for column, channel in enumerate(channels):
        columns.setdefault(channel.variable, []).append(column)
    fields = {}
    for name, where in columns.items():
        values = np.ascontiguousarray(array[:, where].T)
        if channels[where[0]].level is None:
            fields[name] = xr.DataArray(values[0].reshape(shape), dims=_SPACE)
        else:
            fields[name] = xr.DataArray(values.reshape(len(where), *shape), dims=("level", *_SPACE))
        if name in VARIABLES:
            fields[name].attrs = VARIABLES[name].attributes
    coordinates: dict[str, np.ndarray] = {"latitude": latitude, "longitude": longitude}
    if levels:
        coordinates["level"] = np.array(levels, dtype=np.int32)
    return xr.Dataset(fields, coords=coordinates)


def _common_levels(channels: tuple[Channel, ...]) -> tuple[int, ...]:
    by_variable: dict[str, tuple[int, ...]] = {}
    for variable, level in channels:
        if level is not None:
            by_variable[variable] = (*by_variable.get(variable, ()), level)
    if len(set(by_variable.values())) > 1:
        raise ValueError(f"all variables of a frame stand on the same levels; these: {by_variable}")
    return next(iter(by_variable.values()), ())
