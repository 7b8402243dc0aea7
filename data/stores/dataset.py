"""A Dataset as an ordinary Zarr store with our codecs, whatever it was read from."""

import shutil
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import dask
import xarray as xr

from data.stores.cf import codecs_of
from data.stores.files import flush
from data.stores.metadata import put_in_order


def write_dataset(
    dataset: xr.Dataset,
    folder: Path,
    *,
    zarr_format: Literal[2, 3] = 3,
    apart: Collection[str] = (),
) -> None:
    """Write a Dataset into a folder under construction, whose contents it replaces.

    What it was read from leaves no trace: chunks, codecs and units of times are those that this
    function and xarray choose. Equal Datasets give equal bytes.

    Args:
        dataset: lazy, or in memory.
        folder: is made, or emptied.
        zarr_format: 3, or 2.
        apart: dimensions of which each index has its own chunk; along all others there is one.
    """
    fields = {
        name: field.chunk({dim: 1 if dim in apart else -1 for dim in field.dims})
        for name, field in dataset.data_vars.items()
    }
    dataset = dataset.assign(fields).drop_encoding()
    dataset = dataset.assign_coords({name: dataset[name].compute() for name in dataset.coords})
    # Strings of a fixed length have no specification in Zarr 3; those of any length do.
    dataset = dataset.assign_coords(
        {n: c.astype(object) for n, c in dataset.coords.items() if c.dtype.kind == "U"}
    )
    encoding = {
        str(name): _encoding(variable, zarr_format, apart if name in fields else ())
        for name, variable in dataset.variables.items()
        if variable.ndim and variable.dtype.kind in "iufbMm"
    }
    shutil.rmtree(folder, ignore_errors=True)
    with warnings.catch_warnings(), dask.config.set(scheduler="synchronous"):
        warnings.filterwarnings("ignore", "Consolidated metadata is currently not part")
        dataset.to_zarr(folder, mode="w-", zarr_format=zarr_format, encoding=encoding)
    put_in_order(folder)
    for path in folder.rglob("*"):
        flush(path)


def _encoding(
    variable: xr.Variable, zarr_format: Literal[2, 3], apart: Collection[str]
) -> dict[str, Any]:
    chunks = tuple(1 if dim in apart else size for dim, size in variable.sizes.items())
    return {"chunks": chunks, **codecs_of(variable.dtype, zarr_format)}
