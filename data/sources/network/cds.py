"""ERA5 from the Copernicus Climate Data Store, through its own client.

It needs an account: address and key are in ~/.cdsapirc, or in CDSAPI_URL and CDSAPI_KEY
(cds.climate.copernicus.eu, "How to use the API"). Requests wait in a queue, so each asks for a
whole day: one for the six-hourly analyses, one for the day's hourly precipitation.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from data.canonical import conventions
from data.canonical.precipitation import HOURLY
from data.sources.files import grib
from data.sources.network import download
from data.sources.series.collection import Series, joined_in_time
from data.task import LEVELS_13
from data.variables import VARIABLES
from data.wording import one_line

LEVELS_DATASET = "reanalysis-era5-pressure-levels"
SINGLE_DATASET = "reanalysis-era5-single-levels"
_ANALYSIS_HOURS = tuple(f"{hour:02d}:00" for hour in range(0, 24, 6))


def open_service(name: str, address: str | None) -> "ClimateDataStore":
    """Open the store that ~/.cdsapirc names, or the one at an address, with the same key."""
    return ClimateDataStore(address)


class ClimateDataStore(Series):
    """ERA5's analyses in the Climate Data Store."""

    remote = True
    times = None
    names = None
    hourly_precipitation = True
    credit = "ERA5, Copernicus Climate Change Service (CC-BY-4.0)"

    def __init__(self, address: str | None, levels: Sequence[int] = LEVELS_13) -> None:
        self._address = address
        self._levels = tuple(levels)

    def on(self, levels: Sequence[int]) -> "ClimateDataStore":
        """The same series on other levels (hPa)."""
        return ClimateDataStore(self._address, levels)

    def at(self, times: np.ndarray, names: Sequence[str], downloads: Path) -> xr.Dataset:
        """The Dataset of these times; see `Series.at`."""
        only_precipitation = tuple(names) == (HOURLY,)
        days = times.astype("datetime64[D]")
        parts = []
        for day in np.unique(days):
            times_of_day = times[days == day]
            part = (
                self._precipitation(day, downloads)
                if only_precipitation
                else self._analyses(day, times_of_day, tuple(names), downloads)
            )
            parts.append(part.sel(time=times_of_day))
        return joined_in_time(parts)[[name for name in names if name in parts[0]]]

    def _precipitation(self, day: np.datetime64, downloads: Path) -> xr.Dataset:
        hours = [f"{hour:02d}:00" for hour in range(24)]
        return self._file(day, "rain", SINGLE_DATASET, {"variable": [HOURLY]}, hours, downloads)

    def _analyses(
        self, day: np.datetime64, times: np.ndarray, names: Sequence[str], downloads: Path
    ) -> xr.Dataset:
        hours = sorted(
            {*_ANALYSIS_HOURS, *(f"{t.astype('datetime64[h]').item():%H}:00" for t in times)}
        )
        on_levels = [name for name in names if VARIABLES[name].on_levels]
        single = [_single_name(name) for name in names if not VARIABLES[name].on_levels]
        asked: dict[str, tuple[str, dict[str, Any]]] = {}
        if on_levels:
            levels = [str(level) for level in self._levels]
            request = {"variable": on_levels, "pressure_level": levels}
            asked["levels"] = (LEVELS_DATASET, request)
        if single:
            varying = any(VARIABLES[name].varies_in_time for name in names)
            kind = "surface" if varying else "statics"
            asked[kind] = (SINGLE_DATASET, {"variable": single})
        files = [
            self._file(day, kind, dataset, request, hours, downloads)
            for kind, (dataset, request) in asked.items()
        ]
        return xr.merge(files, join="exact", compat="override")

    def _file(
        self,
        day: np.datetime64,
        kind: str,
        dataset: str,
        request: dict[str, Any],
        hours: Sequence[str],
        downloads: Path,
    ) -> xr.Dataset:
        date = day.item()
        whole = {
            "product_type": ["reanalysis"],
            **request,
            "year": [f"{date:%Y}"],
            "month": [f"{date:%m}"],
            "day": [f"{date:%d}"],
            "time": list(hours),
            "data_format": "grib",
            "download_format": "unarchived",
        }
        make = functools.partial(self._retrieve, dataset, whole)
        path = download.kept(downloads / f"{date:%Y%m%d}-era5-{kind}-{len(hours)}.grib", make)
        return conventions.canonical(grib.read(str(path)).isel(number=0, drop=True))

    def _retrieve(self, dataset: str, request: dict[str, Any], target: Path) -> None:
        subject = f"{dataset} of {'-'.join(request[part][0] for part in ('year', 'month', 'day'))}"
        client, passing = _client(self._address)

        def attempt() -> None:
            target.unlink(missing_ok=True)
            client.retrieve(dataset, request, str(target))
            grib.read(str(target))  # raises where it is cut short

        try:
            download.patiently(attempt, subject, passing)
        except RuntimeError as error:  # raised by the client when the store refuses a request
            raise ValueError(
                f"the Climate Data Store refuses {subject}: {one_line(error)}"
            ) from error


def _single_name(name: str) -> str:
    """ERA5's name on a single level, where surface geopotential is called geopotential, too."""
    return "geopotential" if name == "geopotential_at_surface" else name


def _client(address: str | None) -> tuple[Any, tuple[type[Exception], ...]]:
    """The store's client with time limits, and the errors that another attempt may not meet."""
    try:
        import cdsapi  # noqa: PLC0415  an optional package
        import requests  # noqa: PLC0415
        from ecmwf.datastores.processing import DownloadError  # noqa: PLC0415
    except ImportError as error:
        raise download.missing_package("the Climate Data Store", "cds", error) from error
    try:
        cdsapi.api.get_url_key_verify(address, None, None)
    except Exception as error:  # the client raises plain Exception for a missing key
        raise ValueError(
            f"the Climate Data Store needs an account ({error}); put its address and your key into"
            " ~/.cdsapirc, as cds.climate.copernicus.eu says under 'How to use the API'"
        ) from error
    client = cdsapi.Client(
        url=address,
        quiet=True,
        progress=False,
        timeout=download.TIMEOUT,
        retry_max=1,  # its default is 500 attempts, two minutes apart
        sleep_max=download.TIMEOUT,
    )
    return client, (requests.RequestException, DownloadError)
