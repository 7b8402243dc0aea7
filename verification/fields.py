"""Reads fields one time at a time, whole chunks at once, and keeps the chunks read last.

Memory is the size of the store of chunks, whatever the length of the forecast or the number of init
times. Threads share it.
"""

import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import xarray as xr

KEPT = 96e6  # bytes of chunks that are kept
BLOCK = 12e6  # bytes that one reading asks for, if the chunks are smaller


class Recent:
    """The arrays that were used last, up to a number of bytes; safe to share between threads."""

    def __init__(self, size: float = KEPT) -> None:
        self._size = size
        self._held = 0
        self._arrays: OrderedDict[object, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> np.ndarray | None:
        """The array of a key, if it is still there."""
        with self._lock:
            array = self._arrays.get(key)
            if array is not None:
                self._arrays.move_to_end(key)
            return array

    def put(self, key: object, array: np.ndarray) -> None:
        """Keep an array, and let go of those that were not used for longest."""
        with self._lock:
            if key in self._arrays:
                return
            self._arrays[key] = array
            self._held += array.nbytes
            while self._held > self._size and len(self._arrays) > 1:
                self._held -= self._arrays.popitem(last=False)[1].nbytes

    def __getstate__(self) -> float:
        """A worker process begins with an empty one."""
        return self._size

    def __setstate__(self, size: float) -> None:
        Recent.__init__(self, size)


class Series:
    """One variable along the axes that it is read by, such as init time and lead time."""

    _numbers = itertools.count()

    def __init__(self, array: xr.DataArray, along: Sequence[str], recent: Recent) -> None:
        rest = [d for d in ("number", "level", "latitude", "longitude") if d in array.dims]
        self._array = array.variable
        self._along = tuple(along)
        self._order = (*along, *rest)
        self._recent = recent
        self._number = next(self._numbers)
        self._steps = _steps(array, self._along)

    def at(self, *places: int) -> np.ndarray:
        """The field at one position of each axis: ([number,] [level,] latitude, longitude)."""
        if not self._along:
            places = ()
        block = tuple(place // step for place, step in zip(places, self._steps, strict=True))
        key = (self._number, block)
        chunk = self._recent.get(key)
        if chunk is None:
            chunk = self._read(block)
            self._recent.put(key, chunk)
        inside = tuple(place % step for place, step in zip(places, self._steps, strict=True))
        field: np.ndarray = chunk[inside]
        return field

    def _read(self, block: tuple[int, ...]) -> np.ndarray:
        where = {
            dim: slice(number * step, (number + 1) * step)
            for dim, number, step in zip(self._along, block, self._steps, strict=True)
        }
        part = self._array.isel(where)
        if part.chunks:  # a dask array: this thread reads it
            part = part.compute(scheduler="synchronous")
        return part.transpose(*self._order).values


def _steps(array: xr.DataArray, along: Sequence[str]) -> tuple[int, ...]:
    """How many positions of each axis are read at once: whole chunks, if they are not too large."""
    length = array.sizes
    one = array.nbytes / max(1, math.prod(length[dim] for dim in along))
    chunk = _chunk_lengths(array)
    steps = [min(chunk.get(dim, 1), length[dim]) for dim in along]
    for i in range(len(steps)):  # the first axis gives way first
        if one * math.prod(steps) > KEPT / 4:
            steps[i] = 1
    if steps:
        more = int(BLOCK // max(1, one * math.prod(steps)))
        steps[-1] = (
            min(length[along[-1]], steps[-1] * max(1, more)) if len(along) > 1 else steps[-1]
        )
    return tuple(max(1, step) for step in steps)


def _chunk_lengths(array: xr.DataArray) -> dict[str, int]:
    if array.chunks:
        return {str(d): max(c) for d, c in zip(array.dims, array.chunks, strict=True)}
    stated = array.encoding.get("preferred_chunks") or {}
    return {str(dim): int(length) for dim, length in stated.items()}
