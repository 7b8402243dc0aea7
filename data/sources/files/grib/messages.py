"""The messages of a GRIB file: an index of them, and their values as lazy arrays."""

import threading
from pathlib import Path
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from data.sources.files.grib.fields import KEYS, Message, headers
from data.sources.files.grib.grids import Layout
from data.sources.files.silence import silence_eccodes

# ecCodes keeps the state of multi-field messages (GFS: u and v in one) per process, so two threads
# that read at once get each other's fields; dask's lock is per array.
_ONE_MESSAGE_AT_A_TIME = threading.Lock()


class Place(NamedTuple):
    """A message, where its values lie, and their conversion to the unit of the array."""

    message: Message
    layout: Layout
    factor: float
    offset: float


class Messages:
    """Array-like view of a table of messages; a slice reads its messages and no others.

    `table` holds a `Place`, or None, for each combination of the outer coordinates.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, stream: Any, table: np.ndarray, shape: tuple[int, int]):
        self.stream = stream
        self.table = table
        self.shape = table.shape + shape
        self.ndim = len(self.shape)

    def __getitem__(self, item: tuple[Any, ...]) -> np.ndarray:
        """The fields at `item`: slices, or integers where dask fused two selections."""
        outer = tuple(slice(i, i + 1) if isinstance(i, int) else i for i in item[:-2])
        table = self.table[outer]
        values = np.full(table.shape + self.shape[-2:], np.nan, dtype=self.dtype)
        for where, place in np.ndenumerate(table):
            if place is not None:
                values[where] = self._values(place)
        kept = tuple(0 if isinstance(i, int) else slice(None) for i in item[:-2])
        return values[(*kept, *item[-2:])]

    def as_dask(self) -> da.Array:
        """One chunk for each message, read one at a time: ecCodes has global state."""
        chunks = (1,) * self.table.ndim + self.shape[-2:]
        array: da.Array = da.from_array(  # type: ignore[no-untyped-call]  # dask has no types here
            self, chunks=chunks, asarray=False, lock=True, name=False
        )
        return array

    def _values(self, place: Place) -> np.ndarray:
        field = place.layout.placed(values_of(self.stream, place.message, place.layout.shape))
        return (
            field if place.factor == 1 and not place.offset else field * place.factor + place.offset
        )


def values_of(stream: Any, message: Message, shape: tuple[int, int]) -> np.ndarray:
    """The values of a message in its own order, float64, missing ones NaN.

    Raises:
        ValueError: the message is damaged.
    """
    try:
        with _ONE_MESSAGE_AT_A_TIME:
            field = stream[message]
            values = np.asarray(field["values"], dtype=np.float64)
            missing = values == field["missingValue"]
    except Exception as error:
        raise damaged(stream.path) from error
    if values.size != shape[0] * shape[1]:
        raise damaged(stream.path)
    return np.where(missing, np.nan, values)


def index_of(path: str) -> Any:
    """The index of all messages, by cfgrib; nothing is written beside the file.

    Raises:
        ValueError: the file is empty, damaged or cut short.
    """
    # imported here: loading ecCodes takes a second, which other formats do not need
    from cfgrib import messages  # noqa: PLC0415

    if Path(path).stat().st_size == 0:
        raise ValueError(f"{path} is empty; fetch it again")
    silence_eccodes()
    try:
        index = messages.FileIndex.from_indexpath_or_filestream(
            messages.FileStream(path, errors="raise"), KEYS, indexpath="", computed_keys={}
        )
    except Exception as error:  # ecCodes has an exception class for each of its many codes
        raise damaged(path) from error
    _check_end(path, index)
    return index


def damaged(path: str) -> ValueError:
    """The error for a file that cannot be read to its end."""
    return ValueError(
        f"a GRIB file must be whole, and {path} is damaged or cut short; fetch it again"
    )


def _check_end(path: str, index: Any) -> None:
    """Raise ValueError if the file ends inside a message, which ecCodes skips silently."""
    end = 0
    for header, message in headers(index):
        offset = message[0] if isinstance(message, tuple) else message
        end = max(end, offset + int(header["totalLength"]))
    with Path(path).open("rb") as file:
        file.seek(end)
        tail = file.read()
    if b"GRIB" in tail or tail.endswith((b"G", b"GR", b"GRI")):
        raise damaged(path)
