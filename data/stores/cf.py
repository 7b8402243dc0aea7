"""Shared parts of the project's Zarr stores: CF conventions, epoch, axes, arrays and codecs."""

from collections.abc import Sequence
from typing import Any

import numcodecs  # type: ignore[import-untyped]  # has no stubs
import numpy as np
import xarray as xr
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.storage import MemoryStore

from data.variables import VARIABLES

CONVENTIONS = "CF-1.11"
EPOCH = np.datetime64("1970-01-01T00", "h")
TIME_UNITS = "hours since 1970-01-01 00:00:00"
ZSTD_LEVEL = 1  # see `data.stores.forecast.layout`
BLOSC_BLOCK = 2**20  # bytes; in the smaller blocks that Blosc would choose, Zstd finds less

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
    """An array with the shape, type, dimensions and attributes of a variable.

    It has the Zarr format of the group. Nothing is written into it. A field without a chunk reads
    as NaN, never as zeros; coordinates have no fill value that readers would mask, as CF demands.
    """
    dtype = variable.dtype.newbyteorder("<")
    zarr_format = group.metadata.zarr_format
    common: dict[str, Any] = {"shape": variable.shape, "dtype": dtype, "chunks": chunks}
    common |= codecs_of(dtype, zarr_format)
    dims = [str(dim) for dim in variable.dims]
    is_float = dtype.kind == "f"
    if zarr_format == 2:
        return group.create_array(
            name,
            **common,
            fill_value=np.nan if name in VARIABLES and is_float else None,
            attributes={**variable.attrs, "_ARRAY_DIMENSIONS": dims},
        )
    return group.create_array(
        name,
        **common,
        fill_value=np.nan if is_float else 0,
        attributes=dict(variable.attrs),
        dimension_names=dims,
    )


def codecs_of(dtype: np.dtype[Any], zarr_format: int) -> dict[str, Any]:
    """The codecs of an array, and how its chunks are named, as zarr and xarray take them.

    Those of format 3 are in its specification, so every reader has them. By CRC-32C, and by Zstd's
    checksum in format 2, a damaged chunk raises when it is read.
    """
    if zarr_format == 2:
        return {
            "filters": [numcodecs.Shuffle(dtype.itemsize)],
            "compressors": [numcodecs.Zstd(level=ZSTD_LEVEL, checksum=True)],
        }
    blosc = BloscCodec(cname="zstd", clevel=ZSTD_LEVEL, shuffle="shuffle", blocksize=BLOSC_BLOCK)
    # A folder for each array, and none for each index.
    keys = {"name": "default", "separator": "."}
    return {"compressors": [blosc, Crc32cCodec()], "chunk_key_encoding": keys}


def encoded(values: np.ndarray) -> bytes:
    """One chunk of format 3 as `create_array` has zarr write it."""
    contents: dict[str, Any] = {}
    dims = [f"axis_{i}" for i in range(values.ndim)]
    group = zarr.create_group(MemoryStore(contents), zarr_format=3)
    array = create_array(group, "field", xr.Variable(dims, values), values.shape)
    array[...] = values
    return bytes(contents[f"field/{chunk_key((0,) * values.ndim)}"].to_bytes())


def chunk_key(position: Sequence[int], zarr_format: int = 3) -> str:
    """The name of a chunk's file in the folder of its array.

    >>> chunk_key((3, 0, 0)), chunk_key((3, 0, 0), zarr_format=2)
    ('c.3.0.0', '3.0.0')
    """
    return ".".join(map(str, (*["c"] * (zarr_format == 3), *position)))
