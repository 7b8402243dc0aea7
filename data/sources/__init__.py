"""Readers of other people's files: one module for each format.

``open_inputs`` is the front door: it finds the format, reads, and returns canonical Datasets
(`data.canonical`). A reader is a function from a path or URL to a lazy Dataset with the file's
own names; a new one is a module here and a line in ``SOURCES``. ``deepmind`` is no format but a
layout, the one that DeepMind's example files have. ``series`` is the front door to long series:
public archives, services and folders of files, read a few times at a time.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from data.canonical import conventions
from data.sources.files import deepmind, grib, netcdf, zarr

Reader = Callable[[str], xr.Dataset]

SOURCES: dict[str, Reader] = {"grib": grib.read, "netcdf": netcdf.read, "zarr": zarr.read}

_SUFFIXES = {
    "grib": (".grib", ".grib1", ".grib2", ".grb", ".grb1", ".grb2", ".gb2"),
    "netcdf": (".nc", ".nc3", ".nc4", ".cdf", ".h5", ".netcdf"),
    "zarr": (".zarr", ".zarr3"),
}
_MAGIC = {b"GRIB": "grib", b"CDF\x01": "netcdf", b"CDF\x02": "netcdf", b"CDF\x05": "netcdf"} | {
    b"\x89HDF": "netcdf"
}
_ZARR_FILES = ("zarr.json", ".zgroup", ".zmetadata", ".zattrs")
_REMOTE_EXTRA = "pip install 'graphcast[remote]'"


def open_inputs(
    path_or_url: str | Path, *, init_time: np.datetime64 | None = None
) -> list[xr.Dataset]:
    """Canonical Datasets of a file, a Zarr store or a URL; one per batch entry or member.

    Args:
        path_or_url: a GRIB or netCDF file, a Zarr store, or the URL of one (http, s3, gs).
        init_time: what relative times count from, in files that do not say it themselves.

    Raises:
        FileNotFoundError: there is nothing at the path.
        ValueError: the file is of no known format, is damaged, or cannot be made canonical.
    """
    where = str(path_or_url)
    return _canonical(where, open_raw(where), init_time)


def open_truth(path_or_url: str | Path, *, init_time: np.datetime64 | None) -> list[xr.Dataset]:
    """As ``open_inputs``, for what followed ``init_time``: relative times count from just there."""
    where = str(path_or_url)
    dataset = open_raw(where)
    if init_time is not None and deepmind.is_undated(dataset):
        dataset = deepmind.counted_from(init_time, dataset)
    return _canonical(where, dataset, None)


def _canonical(
    where: str, dataset: xr.Dataset, init_time: np.datetime64 | None
) -> list[xr.Dataset]:
    try:
        split = deepmind.entries(dataset, init_time) if deepmind.is_example(dataset) else [dataset]
        return [
            conventions.canonical(member)
            for entry in split
            for member in conventions.members(entry)
        ]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def open_raw(where: str) -> xr.Dataset:
    """The lazy Dataset of a path or URL with the file's own names; errors as in ``open_inputs``."""
    remote = "://" in where
    source = _source_of_url(where) if remote else _source_of_path(Path(where))
    try:
        return SOURCES[source](_fetched(where) if remote and source != "zarr" else where)
    except ImportError as error:
        if not remote:
            raise
        raise ValueError(
            f"reading {where} needs packages that are not installed ({error}); {_REMOTE_EXTRA}"
        ) from error


def _source_of_path(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(f"an input file must exist, and there is none at {path}")
    if path.is_dir():
        if any((path / name).exists() for name in _ZARR_FILES):
            return "zarr"
        raise ValueError(
            f"a folder is read as a Zarr store, and {path} is none (no zarr.json, no .zgroup);"
            " name a file in it"
        )
    with path.open("rb") as file:
        start = file.read(8)
    for magic, source in _MAGIC.items():
        if start.startswith(magic):
            return source
    if start.startswith(b"PK"):
        raise ValueError(
            f"{path} is a ZIP archive, as the Climate Data Store sends several files in; unpack it"
        )
    if by_suffix := _by_suffix(path.name):
        if not start:
            raise ValueError(f"{path} is empty; fetch it again")
        if by_suffix == "grib":  # headers of the transport may stand before the first message
            return by_suffix
    raise ValueError(
        f"an input must be a GRIB or netCDF file or a Zarr store, and {path} begins with {start!r},"
        " which is none of them; fetch it again or convert it"
    )


def _source_of_url(url: str) -> str:
    """By suffix; a URL without a known one is a Zarr store, as the public archives' often are."""
    return _by_suffix(url.partition("?")[0].rstrip("/")) or "zarr"


def _by_suffix(name: str) -> str | None:
    for source, suffixes in _SUFFIXES.items():
        if name.casefold().endswith(suffixes):
            return source
    return None


def _fetched(url: str) -> str:
    """A local copy of a remote file, in a temporary folder: GRIB and netCDF read from disk only."""
    import fsspec  # noqa: PLC0415  only a remote file needs it

    try:
        return str(fsspec.open_local(f"simplecache::{url}"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"an input file must exist, and there is none at {url}") from error
    except OSError as error:
        raise OSError(f"{url} could not be fetched ({error}); try again later") from error
