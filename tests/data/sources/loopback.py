"""Small worlds to prepare, and servers on the loopback interface that can be made to fail."""

import http.server
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from data.task import Task

LATITUDE = np.linspace(-90, 90, 9)
LONGITUDE = np.arange(16) * 22.5
TASK = Task(
    "small",
    ("temperature", "geopotential", "2m_temperature", "land_sea_mask"),
    ("temperature", "geopotential", "2m_temperature"),
    (),
    (500, 850),
)


def weather(times: int, *, first: str = "2020-01-01", hours: int = 6) -> xr.Dataset:
    """Plausible random fields in the layout of WeatherBench 2: north to south, named as ERA5."""
    time = np.datetime64(first, "ns") + np.arange(times) * np.timedelta64(hours, "h")
    shape = (3, LATITUDE.size, LONGITUDE.size)
    rngs = [np.random.default_rng(int(t.astype("datetime64[h]").astype(int))) for t in time]
    noise = np.stack([rng.standard_normal(shape) for rng in rngs]).astype(np.float32)
    levels = np.array([500, 700, 850])
    mean_z = np.array([5.47e4, 2.96e4, 1.43e4], np.float32)[:, None, None]
    dims = ("time", "level", "latitude", "longitude")
    fields = {
        "temperature": (dims, 260 + 5 * noise),
        "geopotential": (dims, mean_z + 500 * noise),
        "2m_temperature": (("time", *dims[2:]), 285 + 5 * noise[:, 0]),
        "land_sea_mask": (dims[2:], np.random.default_rng(0).random(shape[1:]).astype(np.float32)),
    }
    coords = {"time": time, "level": levels, "latitude": LATITUDE[::-1], "longitude": LONGITUDE}
    return xr.Dataset(fields, coords=coords)


def archive(path: Path, dataset: xr.Dataset) -> Path:
    """As the public archives are: Zarr 2 with consolidated metadata, one time in a chunk."""
    dataset.chunk({"time": 1} if "time" in dataset.dims else {}).to_zarr(
        path, zarr_format=2, consolidated=True
    )
    return path


def tree(path: Path) -> dict[str, bytes]:
    files = (p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): p.read_bytes() for p in files}


Fault = Callable[[str, int], str | None]  # path, how often it was asked for → a kind of failure


class Loopback(http.server.ThreadingHTTPServer):
    """Serves a folder with byte ranges; `fault` says when to fail, and how."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.fault: Fault = lambda path, count: None
        self.asked: Counter[str] = Counter()
        self.replies: dict[tuple[str, str], Callable[[bytes], bytes]] = {}
        self.gate = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested here."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Loopback
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_POST(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.gate:
            self.server.asked[path] += 1
            fault = self.server.fault(path, self.server.asked[path])
        if fault == "500":
            self.send_error(500)
            return
        if fault == "hang":
            threading.Event().wait(1.5)
            self.close_connection = True
            return
        if fault == "gone":
            self.close_connection = True
            self.connection.close()
            return
        reply = self.server.replies.get((self.command, path))
        file = self.server.folder / path.lstrip("/")
        if reply is None and not file.is_file():
            self.send_error(404)
            return
        self._send(reply(sent) if reply else file.read_bytes(), with_body, short=fault == "short")

    def _send(self, body: bytes, with_body: bool, *, short: bool) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked:
            whole = len(body)
            start, end = int(asked[1]), int(asked[2] or whole - 1)
            body = body[start : end + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end}/{whole}")
        else:
            self.send_response(200)
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        is_json = body[:1] in b"{["
        self.send_header("Content-Type", "application/json" if is_json else "application/grib")
        self.end_headers()
        if with_body:
            self.wfile.write(body[: len(body) // 2] if short else body)
        if short:
            self.close_connection = True


@contextmanager
def serving(folder: Path) -> Iterator[Loopback]:
    server = Loopback(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
