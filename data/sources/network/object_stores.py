"""Zarr stores behind a URL, through clients that do not try again by themselves.

Who asks tries again (``download.patiently``). The clients of object stores would do so, too: six
times for each of several requests, pausing half a minute in all, within each of our attempts; a
host that does not answer would take minutes until it is said. With one try each, and ``TIMEOUT``
for each, it takes ``ATTEMPTS`` times that and the pauses: 67 s for a host that stays silent, 7 s
for one that refuses.
"""

import atexit
import errno
import inspect
import logging
import os
from typing import Any

from data.sources.network import download

TIMEOUT = 15.0  # seconds until an object store takes the call, and without a byte from it
# Packages whose errors are those of the network; what is not there, or not allowed, is an OSError
# of another kind.
_CLIENTS = ("aiohttp", "botocore", "gcsfs", "requests")
_PASSING = (errno.EBUSY, errno.EIO, getattr(errno, "EREMOTEIO", errno.EIO))  # as s3fs says 5xx


def store(url: str) -> Any:
    """What xarray opens as Zarr; ``url`` itself where its protocol has no store here.

    Raises ImportError where a package for the protocol is missing.
    """
    protocol, _, path = url.partition("://")
    if protocol not in _FILESYSTEMS:
        return url
    filesystem = _FILESYSTEMS[protocol]()
    from zarr.storage import FsspecStore  # noqa: PLC0415  half a second, for remote stores only

    whole = protocol in ("http", "https")
    return FsspecStore(filesystem, path=url if whole else path.rstrip("/"), read_only=True)


def may_pass(error: Exception) -> bool:
    """Whether a network failed, so that the next attempt may do better."""
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
    # ``gcsfs.GCSFileSystem`` asks first what kind the bucket is, by another protocol
    from gcsfs import core  # noqa: PLC0415  an optional package

    # it logs the traceback of every attempt, hundreds of lines, and raises what we say in one
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)
    known = "GOOGLE_APPLICATION_CREDENTIALS" in os.environ
    files = core.GCSFileSystem(
        asynchronous=True,
        requests_timeout=_time_limits(),
        **({} if known else {"token": "anon"}),
    )
    # its number of tries is fixed in a decorator of this method
    files._request = inspect.unwrap(core.GCSFileSystem._request).__get__(files)
    return files


def _amazon() -> Any:
    from s3fs import S3FileSystem  # noqa: PLC0415  an optional package

    wait = min(TIMEOUT, download.TIMEOUT)
    known = bool({"AWS_PROFILE", "AWS_ACCESS_KEY_ID"} & os.environ.keys())
    limits = {"connect_timeout": wait, "read_timeout": wait, "retries": {"total_max_attempts": 1}}
    files = S3FileSystem(
        asynchronous=True,
        anon=not known,
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),  # filesystems are kept by their arguments
        config_kwargs=limits,
    )
    files.retries = 1
    atexit.register(_close, files)
    return files


def _close(files: Any) -> None:
    """End the session of a filesystem, which is kept as long as the program runs."""
    from zarr.core.sync import sync  # noqa: PLC0415  in whose loop the session is

    if files._s3creator is not None:
        sync(files._s3creator.__aexit__(None, None, None))
        files._s3creator = None


_FILESYSTEMS = {
    "http": _over_http,
    "https": _over_http,
    "gs": _google,
    "gcs": _google,
    "s3": _amazon,
}
