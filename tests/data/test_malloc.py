"""Freed memory goes back to the system when it is asked for."""

import sys
from pathlib import Path

import numpy as np
import pytest

from data import malloc

MIB = 2**20


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has these settings")
def test_what_was_freed_is_given_back():
    small = [np.ones(8192) for _ in range(3000)]  # 64 KiB each: from the heap
    full = resident()
    del small[:-1]  # the last one stays, at the top
    malloc.give_back()
    assert resident() < full - 100 * MIB
    assert small[-1].sum() == 8192


def test_another_c_library_is_left_alone(monkeypatch):
    asked = []
    monkeypatch.setattr(malloc, "_function", asked.append)  # which has none
    malloc.give_back()
    malloc.share_arena.__wrapped__()
    assert asked == ["malloc_trim", "mallopt"]
