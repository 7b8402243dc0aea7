"""Zarr stores, format 2 and 3, on disk or behind a URL; a chunk that is missing is an error."""

from pathlib import Path

import xarray as xr
from zarr.abc.store import Store

from data.sources.files import opening
from data.sources.files.consolidated import stale_arrays
from data.sources.network import object_stores
from data.stores.reading import MissingChunkError, whole
from data.unreadable import reading

_FILES = ("zarr.json", ".zgroup", ".zmetadata", ".zattrs")  # one of them is in every store's folder


def read(where: str | Store, name: str = "") -> xr.Dataset:
    """The store's variables, unread, with its own names, units and dimensions.

    Consolidated metadata are read if the store has them and they are not older than the arrays;
    otherwise the store is listed.

    Args:
        where: a folder, a URL, or an open store of zarr.
        name: the store's name in errors; by default, its place.

    Raises:
        ValueError: it is not a Zarr store, or its server does not list folders.
        MissingChunkError: a coordinate lacks a chunk. A field that lacks one raises when it is
            computed.
    """
    name = name or str(where)
    with reading(f"no Zarr store could be read at {name}", "check the address"):
        dataset = opened(where, name)
    if not dataset.variables:
        raise ValueError(
            f"a Zarr store must hold arrays, and none were found in {name}; if its server does not"
            " list folders, consolidate the store's metadata (zarr.consolidate_metadata)"
        )
    return dataset


def is_store(folder: Path) -> bool:
    """Whether a folder is a Zarr store."""
    return any((folder / name).exists() for name in _FILES)


def opened(where: str | Store, name: str) -> xr.Dataset:
    """As `read`, but the errors of zarr and of the store's client pass unchanged."""
    if not isinstance(where, Store) and "://" not in where and stale_arrays(where):
        return _open(where, name, consolidated=False)
    try:
        return _open(where, name, consolidated=True)
    except MissingChunkError:
        raise
    except Exception as error:  # of zarr, at metadata that are not there or damaged, it may be any
        refused = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
        if refused or object_stores.may_pass(error):
            raise
    return _open(where, name, consolidated=False)


def _open(where: str | Store, name: str, *, consolidated: bool) -> xr.Dataset:
    return opening.opened(whole(where, name), name, engine="zarr", consolidated=consolidated)
