"""Shared parts of the project's Zarr stores: CF conventions, epoch, axes, the codecs of Zarr v2."""

from collections.abc import Sequence
from typing import Any

import numcodecs  # type: ignore[import-untyped]  # has no stubs
import numpy as np
import xarray as xr
import zarr

from data.variables import VARIABLES

CONVENTIONS = "CF-1.11"
EPOCH = np.datetime64("1970-01-01T00", "h")
TIME_UNITS = "hours since 1970-01-01 00:00:00"
ZSTD_LEVEL = 1  # see `data.stores.forecast.layout`

TIME_ATTRS: dict[str, str] = {
    "standard_name": "time",
    "long_name": "time",
    "units": TIME_UNITS,
    "calendar": "proleptic_gregorian",
    "units_metadata": "leap_seconds: none",
    "axis": "T",
}
SPACE_ATTRS: dict[str, dict[str, str]] = {
    "level": {
        "standard_name": "air_pressure",
        "long_name": "pressure level",
        "units": "hPa",
        "positive": "down",
        "axis": "Z",
    },
    "latitude": {
        "standard_name": "latitude",
        "long_name": "latitude",
        "units": "degrees_north",
        "axis": "Y",
    },
    "longitude": {
        "standard_name": "longitude",
        "long_name": "longitude",
        "units": "degrees_east",
        "axis": "X",
    },
}


def space_coordinates(
    levels: Sequence[int], latitude: Sequence[float], longitude: Sequence[float]
) -> dict[str, xr.Variable]:
    """`level` (hPa; left out where there are none), `latitude` and `longitude` (degrees)."""
    columns = {
        "level": np.array(levels, np.int64),
        "latitude": np.array(latitude, np.float64),
        "longitude": np.array(longitude, np.float64),
    }
    return {
        name: xr.Variable((name,), values, SPACE_ATTRS[name])
        for name, values in columns.items()
        if values.size
    }


def field_dims(name: str) -> tuple[str, ...]:
    """Dimensions of a variable at one time.

    >>> field_dims("2m_temperature")
    ('latitude', 'longitude')
    """
    return ("level",) * VARIABLES[name].on_levels + ("latitude", "longitude")


def create_array(
    group: zarr.Group, name: str, variable: xr.Variable, chunks: tuple[int, ...]
) -> Any:
    """An array of Zarr v2 with the shape, type, dimensions and attributes of a variable.

    Nothing is written into it. A field without a chunk reads as NaN, never as zeros; coordinates
    have no fill value, as CF demands.
    """
    return group.create_array(
        name,
        shape=variable.shape,
        dtype=variable.dtype.newbyteorder("<"),
        chunks=chunks,
        filters=[shuffle(variable.dtype)],
        compressors=[compressor()],
        fill_value=np.nan if name in VARIABLES and variable.dtype.kind == "f" else None,
        attributes={**variable.attrs, "_ARRAY_DIMENSIONS": [str(dim) for dim in variable.dims]},
    )


def shuffle(dtype: np.dtype[Any]) -> Any:
    """The filter of Zarr v2 that puts bytes of equal significance together."""
    return numcodecs.Shuffle(dtype.itemsize)


def compressor() -> Any:
    """The compressor of Zarr v2; by its checksum a damaged chunk raises when it is read."""
    return numcodecs.Zstd(level=ZSTD_LEVEL, checksum=True)
