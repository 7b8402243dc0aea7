"""Fetching over a network: bounded retries, time limits, and files that appear whole or not at all.

Names in here are looked up at each call, so that a test can shorten the waits.
"""

import fcntl
import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from data.stores.files import written_whole

ATTEMPTS = 4
FIRST_PAUSE = 1.0  # seconds before the second attempt; twice as long before each further one
TIMEOUT = 60.0  # seconds without a byte

_Result = TypeVar("_Result")


class _PassingError(Exception):
    """A failure that may pass."""


def patiently(
    work: Callable[[], _Result], what: str, passing: tuple[type[Exception], ...]
) -> _Result:
    """The result of ``work``, tried up to ``ATTEMPTS`` times when it fails with one of ``passing``.

    Raises OSError in one sentence when the last attempt fails, too.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except passing as error:
            if attempt == ATTEMPTS:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise OSError(
                    f"{what} could not be read in {ATTEMPTS} attempts ({reason}); try again later:"
                    " what was finished is kept"
                ) from error
        time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
    raise AssertionError


def fetch(url: str, *, start: int | None = None, end: int | None = None) -> bytes:
    """The bytes of a URL over http(s), or those from ``start`` up to ``end`` (not included).

    Raises FileNotFoundError where there is nothing, OSError after the last attempt.
    """
    request = urllib.request.Request(url)
    if start is not None:
        request.add_header("Range", f"bytes={start}-{'' if end is None else end - 1}")
    return patiently(lambda: _once(request, start, end), url, (_PassingError,))


def _once(request: urllib.request.Request, start: int | None, end: int | None) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            body: bytes = reply.read()
            ranged = reply.status == http.client.PARTIAL_CONTENT
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (http.client.NOT_FOUND, http.client.FORBIDDEN, http.client.GONE):
                # object stores say "forbidden" of what is not there
                raise FileNotFoundError(
                    f"{request.full_url} is not there ({error.code}); it may not be published yet,"
                    " or no longer"
                ) from error
            if error.code < http.client.INTERNAL_SERVER_ERROR and error.code not in (408, 429):
                raise OSError(f"{request.full_url} is refused: {error}") from error
            raise _PassingError(str(error)) from error
    except (OSError, http.client.HTTPException) as error:  # time-outs, broken and short bodies
        raise _PassingError(str(error) or type(error).__name__) from error
    if start is not None and not ranged:  # a server that does not know ranges sends everything
        body = body[start:end]
    if start is not None and end is not None and len(body) != end - start:
        raise _PassingError(f"{len(body)} of {end - start} bytes came")
    return body


def kept(path: Path, make: Callable[[Path], None]) -> Path:
    """``path``, made by ``make(temporary)`` unless it is there; by one process at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with written_whole(path) as temporary:
                make(temporary)
    return path


def forget(folder: Path, before: str) -> None:
    """Remove what was kept for dates (YYYYMMDD) earlier than ``before``."""
    for path in folder.glob("*"):
        if re.match(r"\.?\d{8}", path.name) and path.name.lstrip(".")[:8] < before:
            path.unlink(missing_ok=True)


def missing_package(what: str, extra: str, error: ImportError) -> ValueError:
    """What to tell somebody who lacks an optional package."""
    return ValueError(
        f"{what} needs a package that is not installed ({error}); pip install 'graphcast[{extra}]'"
    )
