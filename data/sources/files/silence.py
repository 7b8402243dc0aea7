"""Keeping ecCodes from printing: what it cannot read it raises as well, and one sentence is due."""

import ctypes
from functools import cache
from typing import Any

_Log = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)


@cache
def silence_eccodes() -> Any:
    """Give ecCodes a log that says nothing, once in a process; the cache keeps it alive.

    The Python interface has no name for this call, so the library is asked for it.
    """
    from gribapi import bindings  # noqa: PLC0415  loading ecCodes takes a second

    log = _Log(lambda context, level, text: None)
    library = ctypes.CDLL(bindings.library_path)
    library.grib_context_set_logging_proc(None, log)
    return log
