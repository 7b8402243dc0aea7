"""Which reader a file, folder or URL needs: by its first bytes, else by the end of its name.

A new format is a reader in this folder and a line in each of `READERS` and `_SUFFIXES`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import xarray as xr

from data.sources.files import grib, netcdf, zarr

Format = Literal["grib", "netcdf", "zarr"]
Reader = Callable[[str], xr.Dataset]

READERS: dict[Format, Reader] = {"grib": grib.read, "netcdf": netcdf.read, "zarr": zarr.read}
# GRIB alone has no dimensions of its own: its messages are placed by valid time, or by lead time.
FORECAST_READERS: dict[Format, Reader] = {**READERS, "grib": grib.read_forecast}

_SUFFIXES: dict[Format, tuple[str, ...]] = {
    "grib": (".grib", ".grib1", ".grib2", ".grb", ".grb1", ".grb2", ".gb2"),
    "netcdf": (".nc", ".nc3", ".nc4", ".cdf", ".h5", ".netcdf"),
    "zarr": (".zarr", ".zarr3"),
}
SUFFIXES = tuple(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)
_FIRST_BYTES: dict[bytes, Format] = {
    b"GRIB": "grib",
    b"CDF\x01": "netcdf",
    b"CDF\x02": "netcdf",
    b"CDF\x05": "netcdf",
    b"\x89HDF": "netcdf",
}


def open_raw(where: str) -> xr.Dataset:
    """The lazy Dataset of a path or URL, with the file's own names, units and orders.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: the format is unknown, the file is damaged, or reading a URL needs the extra
            `remote`.
        OSError: a remote file cannot be fetched.
    """
    return _read_by(READERS, where)


def open_raw_forecast(where: str) -> xr.Dataset:
    """As `open_raw`, with init times and lead times as dimensions wherever the file has both."""
    return _read_by(FORECAST_READERS, where)


def _read_by(readers: dict[Format, Reader], where: str) -> xr.Dataset:
    if "://" not in where:
        return readers[_format_of_path(Path(where))](where)
    source = _format_of_url(where)
    try:
        return readers[source](where if source == "zarr" else _fetched(where))
    except ImportError as error:
        raise ValueError(
            f"reading {where} needs packages that are not installed ({error});"
            " pip install 'graphcast[remote]'"
        ) from error


def _format_of_path(path: Path) -> Format:
    if not path.exists():
        raise FileNotFoundError(f"an input file must exist, and there is none at {path}")
    if path.is_dir():
        if zarr.is_store(path):
            return "zarr"
        raise ValueError(
            f"a folder is read as a Zarr store, and {path} is none (no zarr.json, no .zgroup);"
            " name a file in it"
        )
    with path.open("rb") as file:
        start = file.read(8)
    for first_bytes, source in _FIRST_BYTES.items():
        if start.startswith(first_bytes):
            return source
    if start.startswith(b"PK"):
        raise ValueError(
            f"{path} is a ZIP archive, as the Climate Data Store sends several files in; unpack it"
        )
    if by_suffix := _by_suffix(path.name):
        if not start:
            raise ValueError(f"{path} is empty; fetch it again")
        if by_suffix == "grib":  # transmission headers may precede the first message
            return by_suffix
    raise ValueError(
        f"an input must be a GRIB or netCDF file or a Zarr store, and {path} begins with {start!r},"
        " which is none of them; fetch it again or convert it"
    )


def _format_of_url(url: str) -> Format:
    """By suffix; a URL without a known one is a Zarr store, as public archives often are."""
    return _by_suffix(url.partition("?")[0].rstrip("/")) or "zarr"


def _by_suffix(name: str) -> Format | None:
    for source, suffixes in _SUFFIXES.items():
        if name.casefold().endswith(suffixes):
            return source
    return None


def _fetched(url: str) -> str:
    """Path of a local copy in a temporary folder: GRIB and netCDF are read from disk only."""
    import fsspec  # noqa: PLC0415  only remote files need it

    try:
        return str(fsspec.open_local(f"simplecache::{url}"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"an input file must exist, and there is none at {url}") from error
    except OSError as error:
        raise OSError(f"{url} could not be fetched ({error}); try again later") from error
