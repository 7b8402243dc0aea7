"""Settings of the C library's allocator that keep memory small; only glibc has them."""

import ctypes
from functools import cache
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h


@cache
def share_arena() -> None:
    """Limit glibc to one malloc arena; threads that start later share it.

    With one arena per thread, memory that one thread frees cannot be reused by another: preparing
    0.5° fields took 0.5 GiB for ten times and 0.8 GiB for two hundred, and was no faster.
    """
    if (set_option := _function("mallopt")) is not None:
        set_option(_ARENA_MAX, 1)


def give_back() -> None:
    """Return freed memory to the system, which malloc would keep for later allocations."""
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


def _function(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None)
