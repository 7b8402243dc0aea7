"""Fetching over a network: bounded retries, time limits, and files that appear whole or not at all.

The constants are looked up at each call, so that a test can shorten the waits.
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
from data.wording import reason

ATTEMPTS = 4
FIRST_PAUSE = 1.0  # seconds before the second attempt; twice as long before each further one
TIMEOUT = 60.0  # seconds without a byte

_Result = TypeVar("_Result")


class _PassingError(Exception):
    """A failure that may be gone at the next attempt."""


def patiently(
    work: Callable[[], _Result],
    subject: str,
    passing: tuple[type[Exception], ...],
    *,
    lasting: tuple[type[Exception], ...] = (),
) -> _Result:
    """The result of `work`, which is tried again while it fails in a way that may pass.

    Args:
        work: one attempt.
        subject: name of the thing to be read, with which the error begins.
        passing: errors after which `work` is tried again, up to `ATTEMPTS` times in all.
        lasting: errors among them that another attempt would meet again; they are raised.

    Raises:
        OSError: the last attempt failed, too.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except lasting:
            raise
        except passing as error:
            if attempt == ATTEMPTS:
                raise OSError(
                    f"{subject} could not be read in {ATTEMPTS} attempts ({reason(error)}); try"
                    " again later: what was finished is kept"
                ) from error
        time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
    raise AssertionError


def fetch(url: str, *, start: int | None = None, end: int | None = None) -> bytes:
    """The bytes of a URL over http(s), or its bytes from `start` up to `end` (not included).

    Raises:
        FileNotFoundError: nothing is there.
        OSError: the server refuses, or the last attempt failed, too.
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
                # object stores answer "forbidden" for a file that does not exist
                raise FileNotFoundError(
                    f"{request.full_url} is not there ({error.code}); it may not be published yet,"
                    " or no longer"
                ) from error
            if error.code < http.client.INTERNAL_SERVER_ERROR and error.code not in (408, 429):
                raise OSError(f"{request.full_url} is refused: {error}") from error
            raise _PassingError(str(error)) from error
    except (OSError, http.client.HTTPException) as error:  # time-outs, broken and short bodies
        raise _PassingError(str(error) or type(error).__name__) from error
    if start is not None and not ranged:  # a server without byte ranges sends everything
        body = body[start:end]
    if start is not None and end is not None and len(body) != end - start:
        raise _PassingError(f"{len(body)} of {end - start} bytes came")
    return body


def kept(path: Path, make: Callable[[Path], None]) -> Path:
    """The file `path`, which one process makes by `make(temporary)` unless it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with written_whole(path) as temporary:
                make(temporary)
    return path


def forget(folder: Path, before: str) -> None:
    """Remove the files of dates (YYYYMMDD, how their names begin) earlier than `before`."""
    for path in folder.glob("*"):
        if re.match(r"\.?\d{8}", path.name) and path.name.lstrip(".")[:8] < before:
            path.unlink(missing_ok=True)


def missing_package(subject: str, extra: str, error: ImportError) -> ValueError:
    """The error that names the extra of an optional package that is not installed.

    Args:
        subject: the thing that needs the package, with which the sentence begins.
        extra: the extra of this project that brings the package.
        error: the failed import.
    """
    return ValueError(
        f"{subject} needs a package that is not installed ({error});"
        f" pip install 'graphcast[{extra}]'"
    )
