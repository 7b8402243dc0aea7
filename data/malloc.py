"""What the C library's heap is told, for the sake of memory; only glibc knows these words."""

import ctypes
from functools import cache
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX in glibc's malloc.h


@cache
def share_heaps() -> None:
    """Have threads that begin from now on share the heaps that are there, and make no others.

    Else each fills one of its own with what it freed, which no other thread can use: preparing
    0.5° fields took 0.5 GiB for ten times and 0.8 GiB for two hundred, and was no faster.
    """
    if (choose := _function("mallopt")) is not None:
        choose(_ARENA_MAX, 1)


def give_back() -> None:
    """Give freed memory back to the system, of which the heap keeps some for what comes next."""
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


def _function(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None)
