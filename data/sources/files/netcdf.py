"""netCDF files, classic and HDF5, through the netCDF4 library."""

import warnings
from pathlib import Path

import xarray as xr

from data.sources.files.fills import with_true_fills
from data.wording import reason

_CLASSIC = (b"CDF\x01", b"CDF\x02")


def read(path: str) -> xr.Dataset:
    """The file's variables, unread, with its own names, units and dimensions.

    Raises:
        ValueError: the file is damaged or cut short.
    """
    try:
        _check_whole(path)
        raw = xr.open_dataset(path, engine="netcdf4", decode_cf=False, cache=False)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*has multiple fill values")  # none of them a value
            return xr.decode_cf(with_true_fills(raw, "netcdf4"), decode_timedelta=True)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise ValueError(
            f"a netCDF file must be whole and decodable, and {path} is not ({reason(error)}); fetch"
            " it again"
        ) from error


def _check_whole(path: str) -> None:
    """Raise ValueError for a classic file that is shorter than its header says.

    The netCDF library silently reads the missing end as zeros. scipy maps every variable to memory
    when it opens a file, and fails if the file ends too soon. HDF5 checks this itself.
    """
    with Path(path).open("rb") as file:
        if file.read(4) not in _CLASSIC:
            return
    from scipy.io import netcdf_file  # noqa: PLC0415  classic files are rare, and SciPy is slow

    try:
        netcdf_file(path, mmap=True).close()
    except ValueError as error:
        raise ValueError("it is shorter than its header says") from error
