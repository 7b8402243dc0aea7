"""NOAA's GFS analyses: single GRIB messages of large files, located by the index of each file.

Each file has an index beside it, `.idx`, with one line for each field: number, first byte, start of
the forecast, name, level, and kind of value (wgrib2's short inventory; NOAA Climate Prediction
Center, "Fast Downloading of GRIB Files"). Precipitation up to a time is the first six hours of the
forecast that started six hours before.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from data.canonical import conventions
from data.canonical.precipitation import PERIODS, SIX_HOURLY
from data.sources.files import grib
from data.sources.network.download import fetch, kept
from data.sources.series.collection import Series, joined_in_time
from data.task import LEVELS_13
from data.wording import HOUR

BUCKET = "https://noaa-gfs-bdp-pds.s3.amazonaws.com"  # NOAA Open Data on AWS; since 2021
GRIDS = {"gfs": "0p25", "gfs-0p25": "0p25", "gfs-0p50": "0p50", "gfs-1p00": "1p00"}
CONNECTIONS = 8

# catalogue name → name in the index; on the surface, with the level's name in the index
_ON_LEVELS = {
    "geopotential": "HGT",
    "temperature": "TMP",
    "u_component_of_wind": "UGRD",
    "v_component_of_wind": "VGRD",
    "vertical_velocity": "VVEL",
    "specific_humidity": "SPFH",
}
_AT_THE_SURFACE = {
    "2m_temperature": ("TMP", "2 m above ground"),
    "10m_u_component_of_wind": ("UGRD", "10 m above ground"),
    "10m_v_component_of_wind": ("VGRD", "10 m above ground"),
    "mean_sea_level_pressure": ("PRMSL", "mean sea level"),
    "geopotential_at_surface": ("HGT", "surface"),
    "land_sea_mask": ("LAND", "surface"),
}
_SIX_HOURS = "0-6 hour acc fcst"


def open_service(name: str, address: str | None) -> "Gfs":
    """Open GFS on the grid that the name says, in NOAA's bucket or a mirror with its folders."""
    return Gfs(GRIDS[name], (address or BUCKET).rstrip("/"))


class Entry(NamedTuple):
    """A line of an index: a field, and the bytes of its message (`end` is None for the last)."""

    name: str
    level: str
    kind: str
    start: int
    end: int | None


class Gfs(Series):
    """GFS analyses."""

    remote = True
    times = None
    names = None
    credit = "NOAA GFS analyses (public domain)"

    def __init__(self, grid: str, address: str, levels: Sequence[int] = LEVELS_13) -> None:
        self._grid = grid
        self._address = address
        self._levels = tuple(levels)

    def on(self, levels: Sequence[int]) -> "Gfs":
        """The same series on other levels (hPa)."""
        return Gfs(self._grid, self._address, levels)

    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """The Dataset of these times; see `Series.at`."""
        parts = [self._one_time(time, tuple(names), downloads) for time in times]
        return joined_in_time(parts)[[name for name in names if name in parts[0]]]

    def _one_time(self, time: np.datetime64, names: tuple[str, ...], downloads: Path) -> xr.Dataset:
        hour = time.astype("datetime64[h]").item()
        if hour.hour % 6:
            raise ValueError(f"GFS has analyses at 00, 06, 12 and 18 UTC, not at {hour:%H} UTC")
        kind = "statics" if set(names) <= {"geopotential_at_surface", "land_sea_mask"} else "fields"
        stem = f"{hour:%Y%m%d%H}-gfs-{self._grid}-{kind}"

        def make(path: Path) -> None:
            messages = self._messages(time, 0, self._wanted(names), accumulated=False)
            if SIX_HOURLY in names:
                hours = PERIODS[SIX_HOURLY]
                precipitation = {("APCP", "surface")}
                messages += self._messages(
                    time - hours * HOUR, hours, precipitation, accumulated=True
                )
            path.write_bytes(b"".join(messages))

        path = kept(downloads / f"{stem}.grib2", make)
        return conventions.canonical(grib.read(str(path)).isel(number=0, drop=True))

    def _wanted(self, names: Sequence[str]) -> set[tuple[str, str]]:
        known = {*_ON_LEVELS, *_AT_THE_SURFACE, SIX_HOURLY}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} are not read from GFS; it has {sorted(known)}")
        on_levels = [_ON_LEVELS[name] for name in names if name in _ON_LEVELS]
        return {
            *(_AT_THE_SURFACE[name] for name in names if name in _AT_THE_SURFACE),
            *((name, f"{level} mb") for name in on_levels for level in self._levels),
        }

    def _messages(
        self, start: np.datetime64, step: int, wanted: set[tuple[str, str]], *, accumulated: bool
    ) -> list[bytes]:
        run = start.astype("datetime64[h]").item()
        url = (
            f"{self._address}/gfs.{run:%Y%m%d}/{run:%H}/atmos/"
            f"gfs.t{run:%H}z.pgrb2.{self._grid}.f{step:03d}"
        )
        entries = read_index(fetch(f"{url}.idx").decode(), f"{url}.idx")
        selected = {
            (e.name, e.level): e
            for e in entries
            if (e.name, e.level) in wanted and (e.kind == _SIX_HOURS or not accumulated)
        }
        missing = sorted(f"{name} at {level}" for name, level in wanted - selected.keys())
        if missing:
            raise ValueError(f"{url} lacks {', '.join(missing)}; ask for others")
        # u and v may share a message, which is fetched once
        places = sorted({(e.start, e.end) for e in selected.values()}, key=lambda place: place[0])
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return list(pool.map(lambda place: _message(url, *place), places))


def read_index(text: str, where: str) -> list[Entry]:
    """The entries of an index.

    A line reads `7:1234:d=2022010100:HGT:500 mb:anl:`; a field that shares its message has a number
    such as 7.2.

    Raises:
        ValueError: a line has another form.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    fields = [line.split(":") for line in lines]
    if not lines or any(len(f) < 6 or not re.fullmatch(r"\d+", f[1]) for f in fields):
        raise ValueError(
            f"an index has lines as 7:1234:d=2022010100:HGT:500 mb:anl:, and {where} has not"
        )
    starts = [int(f[1]) for f in fields]
    following = sorted(set(starts))
    ends = dict(zip(following, [*following[1:], None], strict=True))
    return [
        Entry(f[3], f[4], f[5], start, ends[start]) for f, start in zip(fields, starts, strict=True)
    ]


def _message(url: str, start: int, end: int | None) -> bytes:
    """One whole GRIB2 message; its length is in its bytes 8 to 15."""
    message = fetch(url, start=start, end=end)
    if message[:4] != b"GRIB" or int.from_bytes(message[8:16], "big") != len(message):
        raise ValueError(
            f"{url} has no whole GRIB message at byte {start}, where its index says so; the file"
            " may be being written: try again later, or use a mirror (gfs@ADDRESS)"
        )
    return message
