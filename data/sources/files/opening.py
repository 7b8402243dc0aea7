"""Opening a file or store with xarray: within limits, in silence, with errors in one sentence.

Whatever a library raises while a file is opened, or later while one of its fields is read, becomes
a `UnreadableError`. What a file declares is compared with its size and with `LONGEST_AXIS` and
`LARGEST_CHUNK` before a coordinate is loaded, so that a header that lies costs no memory.
"""

from contextlib import AbstractContextManager
from math import prod
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from data.sources.files.fills import with_true_fills
from data.unreadable import reading, understanding

# Coordinates are loaded whole. Hourly times of a thousand years have 8.8 million entries.
LONGEST_AXIS = 10_000_000
# A chunk is read whole. All levels of a field of 0.25° in float64 take 0.3 GB, and the widespread
# codecs cannot hold 2 GiB.
LARGEST_CHUNK = 2**30


def as_weather(where: str) -> AbstractContextManager[None]:
    """The boundary at which a file is made canonical: its errors name the file."""
    return understanding(
        where, "cannot be read as weather", "look at its variables and coordinates"
    )


def opened(source: Any, where: str, *, size: int | None = None, **options: Any) -> xr.Dataset:
    """The variables of a file or store, unread, decoded by the CF conventions.

    Errors while it is opened pass unchanged, for the caller to name; those of a field that is read
    later are `UnreadableError`.

    Args:
        source: what the engine opens.
        where: its name in errors.
        size: bytes of the file; None for a store.
        options: of `xarray.open_dataset`.

    Raises:
        ValueError: it declares sizes that nobody can read.
    """
    raw = xr.open_dataset(
        source, decode_cf=False, create_default_indexes=False, cache=False, **options
    )
    try:
        for name, variable in raw.variables.items():
            _check_size(str(name), variable, size)
        decoded = xr.decode_cf(with_true_fills(raw, options["engine"]), decode_timedelta=True)
    except BaseException:
        raw.close()
        raise
    return guarded(decoded, where)


def guarded(dataset: xr.Dataset, where: str) -> xr.Dataset:
    """The Dataset with lazy fields that raise `UnreadableError` where they cannot be read."""
    indexed = dataset.xindexes
    fields = {
        name: variable
        for name, variable in dataset.variables.items()
        if name not in indexed and variable.chunks is None and variable.ndim
    }
    return dataset.assign(
        {name: _guarded(v, f"{name} of {where} could not be read") for name, v in fields.items()}
    )


def _guarded(variable: xr.Variable, rule: str) -> xr.Variable:
    lazy = indexing.LazilyIndexedArray(_Guarded(variable, rule))
    return xr.Variable(variable.dims, lazy, variable.attrs, variable.encoding, fastpath=True)


class _Guarded(BackendArray):
    """A lazy variable whose errors, when it is read, are one sentence."""

    def __init__(self, variable: xr.Variable, rule: str) -> None:
        self.variable = variable
        self.rule = rule
        self.shape = variable.shape
        self.dtype = variable.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        support = indexing.IndexingSupport.OUTER
        values: np.ndarray = indexing.explicit_indexing_adapter(
            key, self.shape, support, self._read
        )
        return values

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        with reading(self.rule, "fetch or make it again"):
            return np.asarray(self.variable[key].values)


def _check_size(name: str, variable: xr.Variable, size: int | None) -> None:
    """Refuse a coordinate, a chunk or an unchunked variable that is too large to be true."""
    if variable.dims == (name,) and variable.size > LONGEST_AXIS:
        raise ValueError(
            f"a coordinate has at most {LONGEST_AXIS:,} entries, and {name} declares"
            f" {variable.size:,}"
        )
    stored = np.dtype(variable.encoding.get("dtype") or variable.dtype).itemsize
    chunk = variable.encoding.get("chunks") or variable.encoding.get("chunksizes")
    if chunk and prod(chunk) * stored > LARGEST_CHUNK:
        raise ValueError(
            f"a chunk has at most {LARGEST_CHUNK / 2**30:g} GiB, and those of {name} declare"
            f" {prod(chunk) * stored / 2**30:.3g}"
        )
    if size is not None and not chunk and prod(variable.shape) * stored > max(size, stored):
        raise ValueError(
            f"{name} declares {prod(variable.shape) * stored:,} bytes, and the file has {size:,}"
        )
