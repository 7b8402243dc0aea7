"""Zarr stores behind a URL, through clients whose own retries are switched off.

Retries happen in `download.patiently` alone. The clients of object stores would retry each request
six times within each of our attempts, and a host that does not answer would take minutes to be
reported. With one try and `TIMEOUT` for each request, giving up takes `ATTEMPTS` times that and the
pauses between: 67 s for a host that stays silent, 7 s for one that refuses.

gcsfs and s3fs have no setting for this. Where the code below reaches into their private parts, it
says so, and the tests of private parts fail when a new version moves them.
"""

import atexit
import errno
import inspect
import logging
import os
from typing import Any

from data.sources.network import download

TIMEOUT = 15.0  # seconds to connect to an object store, and without a byte from it
# Packages whose errors are failures of the network. What does not exist or is not allowed is an
# OSError of its own kind (`FileNotFoundError`, `PermissionError`).
_CLIENTS = ("aiohttp", "botocore", "gcsfs", "requests")
_PASSING = (errno.EBUSY, errno.EIO, getattr(errno, "EREMOTEIO", errno.EIO))  # s3fs: status 5xx


def store(url: str) -> Any:
    """A read-only zarr store for a URL, or `url` itself for a protocol without a client here.

    Raises:
        ImportError: a package for the protocol is missing.
    """
    protocol, _, path = url.partition("://")
    if protocol not in _FILESYSTEMS:
        return url
    filesystem = _FILESYSTEMS[protocol]()
    from zarr.storage import FsspecStore  # noqa: PLC0415  half a second, for remote stores only

    over_http = protocol in ("http", "https")
    return FsspecStore(filesystem, path=url if over_http else path.rstrip("/"), read_only=True)


def may_pass(error: Exception) -> bool:
    """Whether the network failed, so that another attempt may succeed."""
    if isinstance(error, FileNotFoundError | PermissionError):
        return False
    client = type(error).__module__.partition(".")[0]
    if isinstance(error, ConnectionError | TimeoutError) or client in _CLIENTS:
        return True
    return isinstance(error, OSError) and error.errno in _PASSING


def _time_limits() -> Any:
    from aiohttp import ClientTimeout  # noqa: PLC0415  an optional package

    wait = min(TIMEOUT, download.TIMEOUT)
    return ClientTimeout(None, sock_connect=wait, sock_read=wait)


def _over_http() -> Any:
    from fsspec.implementations.http import HTTPFileSystem  # noqa: PLC0415  needs aiohttp

    return HTTPFileSystem(asynchronous=True, client_kwargs={"timeout": _time_limits()})


def _google() -> Any:
    # not `gcsfs.GCSFileSystem`, which first asks for the bucket's kind, through another protocol
    from gcsfs import core  # noqa: PLC0415  an optional package

    # it logs a traceback of hundreds of lines for each attempt; we raise one sentence
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)
    has_account = "GOOGLE_APPLICATION_CREDENTIALS" in os.environ
    files = core.GCSFileSystem(
        asynchronous=True,
        requests_timeout=_time_limits(),
        **({} if has_account else {"token": "anon"}),
    )
    # private: the decorator of this method retries, a fixed number of times
    files._request = inspect.unwrap(core.GCSFileSystem._request).__get__(files)
    return files


def _amazon() -> Any:
    from s3fs import S3FileSystem  # noqa: PLC0415  an optional package

    wait = min(TIMEOUT, download.TIMEOUT)
    has_account = bool({"AWS_PROFILE", "AWS_ACCESS_KEY_ID"} & os.environ.keys())
    limits = {"connect_timeout": wait, "read_timeout": wait, "retries": {"total_max_attempts": 1}}
    files = S3FileSystem(
        asynchronous=True,
        anon=not has_account,
        # an argument, because fsspec caches filesystems by their arguments
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
        config_kwargs=limits,
    )
    files.retries = 1
    atexit.register(_close, files)
    return files


def _close(files: Any) -> None:
    """Close the session of an S3 filesystem, which lives in zarr's event loop until the end."""
    from zarr.core.sync import sync  # noqa: PLC0415  private: the loop that zarr reads in

    creator = getattr(files, "_s3creator", None)  # private: None until something was read
    if creator is not None:
        sync(creator.__aexit__(None, None, None))
        files._s3creator = None


_FILESYSTEMS = {
    "http": _over_http,
    "https": _over_http,
    "gs": _google,
    "gcs": _google,
    "s3": _amazon,
}
