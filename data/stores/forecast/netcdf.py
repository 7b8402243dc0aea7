"""A forecast store as one CF netCDF file."""

from pathlib import Path
from typing import Any

import dask
import xarray as xr
import zarr

from data.stores.files import written_whole
from data.wording import listed, one_line


def write_netcdf(source: Path, target: Path) -> None:
    """Copy a forecast store to a netCDF file, with its CF attributes.

    Raises:
        ValueError: the file's name does not end in .nc, or the store is damaged.
    """
    if target.suffix != ".nc":
        raise ValueError(f"a forecast is converted to a netCDF file, named *.nc, not to {target}")
    _check_chunks(source)
    with (
        # In one thread: equal forecasts give equal bytes, and after an error nobody writes on.
        dask.config.set(scheduler="synchronous"),
        xr.open_zarr(source) as forecast,
        written_whole(target) as temporary,
    ):
        # CF allows no fill value on coordinates, and xarray adds one unless told not to.
        encoding = {str(name): {"_FillValue": None} for name in forecast.coords}
        try:
            forecast.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        except RuntimeError as error:  # of the codecs
            raise ValueError(
                f"some values of {source} cannot be read ({one_line(error)}); the store is damaged:"
                " make it again"
            ) from error


def _check_chunks(source: Path) -> None:
    """Refuse a store with lost chunks, which would read as NaN."""
    arrays: dict[str, Any] = dict(zarr.open_group(source, mode="r").arrays())
    lossy = [name for name, array in arrays.items() if array.nchunks_initialized < array.nchunks]
    if lossy:
        raise ValueError(
            f"{source} has lost chunks of {listed(sorted(lossy))}; the store is damaged: make it"
            " again"
        )
