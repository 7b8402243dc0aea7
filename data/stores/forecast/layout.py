"""The layout of a forecast store on the disk: all its metadata, and no values.

**Zarr 3, one chunk for a variable at a lead time, no shards.** A chunk is a file, and the unit of
writing. Shards were tried: `xr.open_zarr(forecast).sel(level=500).to_zarr(new)` is then refused,
because xarray (2026.9) gives the new array the shards of the old one. Format 2 is there on request,
for tools that read nothing else, such as netCDF-C.

**Blosc: Zstd after byte shuffle, then CRC-32C**: codecs of the specification, which every reader
has. `benchmarks/RESULTS.md`, Codecs, has the figures and what else was tried. A damaged chunk
raises when it is read. A lost chunk reads as NaN, which verification refuses.
"""

from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from data.stores.cf import create_array
from data.stores.forecast.header import CELL_DIMS, ForecastHeader
from data.stores.metadata import consolidate, put_in_order


def lay_out(folder: Path, header: ForecastHeader) -> None:
    """Write a store without values into a folder; each field has one chunk per cell."""
    attributes = {**header.global_attrs()}
    group = zarr.create_group(folder, zarr_format=header.zarr_format, attributes=attributes)
    coords = header.coordinates()
    for name, variable in coords.items():
        create_array(group, name, variable, variable.shape)[...] = variable.values
    sizes = {dim: size for v in coords.values() for dim, size in v.sizes.items()}
    for name in header.variables:
        dims = header.cell_dims + header.field_dims(name)
        shape = [sizes[dim] for dim in dims]
        chunks = tuple(1 if dim in CELL_DIMS else sizes[dim] for dim in dims)
        empty = np.broadcast_to(np.float32(np.nan), shape)  # takes no memory
        field = xr.Variable(dims, empty, header.variable_attrs(name))
        create_array(group, name, field, chunks)
    consolidate(group.store)
    put_in_order(folder)
