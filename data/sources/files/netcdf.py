"""netCDF files, classic and HDF5, through the netCDF4 library."""

from pathlib import Path

import xarray as xr

from data.sources.files.opening import opened
from data.unreadable import reading

_CLASSIC = (b"CDF\x01", b"CDF\x02")


def read(path: str) -> xr.Dataset:
    """The file's variables, unread, with its own names, units and dimensions.

    Raises:
        ValueError: the file is damaged or cut short.
    """
    with reading(f"a netCDF file must be whole and decodable, and {path} is not", "fetch it again"):
        _check_whole(path)
        return opened(path, path, size=Path(path).stat().st_size, engine="netcdf4")


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
