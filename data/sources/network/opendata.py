"""ECMWF's open data: the start of each IFS (HRES) forecast, through ECMWF's own client.

An analysis is step 0 of the forecast from its time. Precipitation up to a time is the first six
hours of the forecast that started six hours before. ECMWF's own server has the last days, its
mirrors have more: `opendata@aws`, `opendata@google`, `opendata@azure`.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from data.canonical import conventions
from data.canonical.precipitation import PERIODS, SIX_HOURLY
from data.sources.files import grib
from data.sources.network import download
from data.sources.series.collection import Series, joined_in_time
from data.task import LEVELS_13
from data.wording import HOUR

# the catalogue's name → ECMWF's
_ON_LEVELS = {
    "geopotential": "gh",
    "temperature": "t",
    "u_component_of_wind": "u",
    "v_component_of_wind": "v",
    "vertical_velocity": "w",
    "specific_humidity": "q",
}
_AT_THE_SURFACE = {
    "2m_temperature": "2t",
    "10m_u_component_of_wind": "10u",
    "10m_v_component_of_wind": "10v",
    "mean_sea_level_pressure": "msl",
    "geopotential_at_surface": "z",
    "land_sea_mask": "lsm",
}


def open_service(name: str, address: str | None) -> "OpenData":
    """Open the data on ECMWF's server, or on a mirror by its name or address."""
    return OpenData(address or "ecmwf")


class OpenData(Series):
    """IFS analyses in ECMWF's open data."""

    remote = True
    times = None
    names = None
    credit = "ECMWF open data, IFS (CC-BY-4.0)"

    def __init__(self, server: str, levels: Sequence[int] = LEVELS_13) -> None:
        self._server = server
        self._levels = tuple(levels)

    def on(self, levels: Sequence[int]) -> "OpenData":
        """The same series on other levels (hPa)."""
        return OpenData(self._server, levels)

    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """The Dataset of these times; see `Series.at`."""
        parts = [self._one_time(time, tuple(names), downloads) for time in times]
        return joined_in_time(parts)[[name for name in names if name in parts[0]]]

    def _one_time(self, time: np.datetime64, names: tuple[str, ...], downloads: Path) -> xr.Dataset:
        stamp = f"{time.astype('datetime64[h]').item():%Y%m%d%H}"
        on_levels = [_ON_LEVELS[name] for name in names if name in _ON_LEVELS]
        surface = [_AT_THE_SURFACE[name] for name in names if name in _AT_THE_SURFACE]
        asked = []
        if on_levels:
            levels = {"levtype": "pl", "levelist": list(self._levels), "param": on_levels}
            asked.append((f"{stamp}-levels", time, {"step": 0, **levels}))
        if surface:
            kind = "statics" if set(surface) <= {"z", "lsm"} else "surface"
            asked.append((f"{stamp}-{kind}", time, {"step": 0, "levtype": "sfc", "param": surface}))
        if SIX_HOURLY in names:
            first_hours = {"step": PERIODS[SIX_HOURLY], "levtype": "sfc", "param": ["tp"]}
            start = time - PERIODS[SIX_HOURLY] * HOUR
            asked.append((f"{stamp}-rain", start, first_hours))
        fields = {}
        for stem, start, request in asked:
            make = functools.partial(self._retrieve, start, request)
            path = download.kept(downloads / f"{stem}.grib2", make)
            fields[stem] = conventions.canonical(grib.read(str(path)).isel(number=0, drop=True))
        return xr.merge(fields.values(), join="exact", compat="override")

    def _retrieve(self, start: np.datetime64, request: dict[str, Any], target: Path) -> None:
        run = start.astype("datetime64[h]").item()
        date = {"date": f"{run:%Y-%m-%d}", "time": run.hour}
        subject = f"ECMWF open data of {run:%Y-%m-%dT%H} from {self._server}"
        client, passing = _client(self._server)

        def attempt() -> None:
            target.unlink(missing_ok=True)
            client.retrieve({**date, **request, "type": "fc", "stream": "oper"}, target=str(target))
            grib.read(str(target))  # raises where it is cut short

        try:
            download.patiently(attempt, subject, passing)
        except ValueError as error:
            raise ValueError(f"{subject}: {error}") from error


def _client(server: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """ECMWF's client with a time limit, and the errors that another attempt may not meet."""
    try:
        import requests  # noqa: PLC0415  an optional package
        from ecmwf.opendata import Client  # noqa: PLC0415
    except ImportError as error:
        raise download.missing_package("ECMWF's open data", "opendata", error) from error
    # Its default is 500 attempts, two minutes apart. It cannot know whether a mirror at an address
    # takes several byte ranges in one request; hardly any does.
    ranges: dict[str, Any] = {}
    if "://" in server:
        ranges = {"source_accept_ranges": True, "source_accept_multiple_ranges": False}
    client = Client(source=server, maximum_retries=1, retry_after=0, **ranges)
    session = client.session
    session.request = functools.partial(session.request, timeout=download.TIMEOUT)
    # AssertionError: how the client checks that a reply has the length that it asked for
    return client, (requests.RequestException, AssertionError)
