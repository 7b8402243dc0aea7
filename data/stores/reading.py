"""Reading Zarr so that a missing chunk is an error.

Where a chunk is not in the store, Zarr returns the fill value without a warning: zeros or NaN in
place of a lost file. `whole` wraps a store so that reading such a chunk raises instead, now or
later in a lazy array, in this process or in a worker.

    xr.open_zarr(whole("forecast.zarr"))
"""

import json
import math
import os
import re

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore, LocalStore, WrapperStore

from data.unreadable import UnreadableError

# A chunk's key after its array's: c/0/1 or c.0.1 in format 3, 0.1 or 0/1 in format 2.
_CHUNK = re.compile(r"(?:(?P<array>.*?)/)??(?P<chunk>c(?:[/.]\d+)*|\d+(?:[/.]\d+)*)")
_METADATA = ("zarr.json", ".zarray")  # of an array, in formats 3 and 2


def is_damage(error: Exception) -> bool:
    """Whether an error is that of a codec, which met damaged bytes and does not know their file.

    >>> is_damage(ValueError("Stored and computed checksum do not match. Stored: b'..."))
    True
    """
    return isinstance(error, RuntimeError) or "computed checksum do not match" in str(error)


class MissingChunkError(UnreadableError):
    """A chunk within the shape of its array is not in the store."""


def whole(where: str | os.PathLike[str] | Store, name: str = "") -> "WholeStore":
    """A Zarr store for reading in which a missing chunk raises `MissingChunkError`.

    Args:
        where: a folder, the URL of one, or a store that is open already.
        name: the store's name in errors; by default, its place.
    """
    if isinstance(where, Store):
        return WholeStore(where, name or str(where))
    path = os.fspath(where)
    store = (
        FsspecStore.from_url(path, read_only=True)
        if "://" in path
        else LocalStore(path, read_only=True)
    )
    return WholeStore(store, name or path)


class WholeStore(WrapperStore[Store]):
    """A store that raises when a missing chunk is read.

    An array of one element may lack its only chunk: writers leave out chunks that hold nothing but
    the fill value, and a single 0 (a member's number, the first time) often is that.
    """

    def __init__(self, store: Store, name: str) -> None:
        super().__init__(store)
        self.name = name

    def __str__(self) -> str:
        return self.name

    def _with_store(self, store: Store) -> "WholeStore":
        return WholeStore(store, self.name)

    def with_read_only(self, read_only: bool = False) -> "WholeStore":
        """The same store, for reading alone or not."""
        return self._with_store(self._store.with_read_only(read_only))

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """The bytes of a key; None only for metadata that are not there."""
        value = await self._store.get(key, prototype, byte_range)
        if value is None and (match := _CHUNK.fullmatch(key)):
            array = match["array"] or ""
            if await self._elements(array, prototype) != 1:
                raise MissingChunkError(
                    f"every chunk of a Zarr store must be there, and {self.name} lacks chunk"
                    f" {match['chunk']} of {array or 'its array'}; copy or fetch the store again"
                    " (if its writer left out chunks without values, have it write all:"
                    " write_empty_chunks)"
                )
        return value

    async def _elements(self, array: str, prototype: BufferPrototype) -> int | None:
        """How many elements an array has, if its metadata can be read."""
        for file in _METADATA:
            value = await self._store.get(f"{array}/{file}".lstrip("/"), prototype)
            if value is not None:
                shape = json.loads(value.to_bytes()).get("shape")
                return None if shape is None else math.prod(shape)
        return None
