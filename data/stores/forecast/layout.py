"""The layout of a forecast store on the disk: all its metadata, and no values.

**Zarr v2, not v3**: consolidated metadata is part of v2 (zarr-python warns that v3 has none), and
netCDF-C reads it (4.10.1 does, and refuses v3). **Byte shuffle + Zstd level 1** leaves half to
three quarters of upper air, at some hundreds of MB/s on one core: `benchmarks/RESULTS.md`, Codecs,
has the figures and what else was tried. A damaged chunk raises when it is read (Zstd's checksum).
A lost chunk reads as NaN, which verification refuses.
"""

import json
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from data.stores.cf import create_array
from data.stores.forecast.header import ForecastHeader

_CELL_DIMS = ("time", "number", "prediction_timedelta")


def lay_out(folder: Path, header: ForecastHeader) -> None:
    """Write a store without values into a folder; each field has one chunk per cell."""
    group = zarr.create_group(folder, zarr_format=2, attributes={**header.global_attrs()})
    coords = header.coordinates()
    for name, variable in coords.items():
        create_array(group, name, variable, variable.shape)[...] = variable.values
    sizes = {dim: size for v in coords.values() for dim, size in v.sizes.items()}
    for name in header.variables:
        dims = header.cell_dims + header.field_dims(name)
        shape = [sizes[dim] for dim in dims]
        chunks = tuple(1 if dim in _CELL_DIMS else sizes[dim] for dim in dims)
        empty = np.broadcast_to(np.float32(np.nan), shape)  # takes no memory
        field = xr.Variable(dims, empty, header.variable_attrs(name))
        create_array(group, name, field, chunks)
    zarr.consolidate_metadata(group.store)
    _sort_keys(folder / ".zmetadata")


def _sort_keys(path: Path) -> None:
    """Order the consolidated metadata: zarr lists arrays in the file system's order."""
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1, sort_keys=True))
