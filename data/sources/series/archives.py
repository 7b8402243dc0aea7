"""Public archives of analyses as Zarr stores: ARCO-ERA5, WeatherBench 2, and any of their layout.

Read without an account, unless the environment names one (AWS_PROFILE, AWS_ACCESS_KEY_ID,
GOOGLE_APPLICATION_CREDENTIALS). Addresses as the projects' own documentation gives them:
github.com/google-research/arco-era5 and weatherbench2.readthedocs.io, data guide.
"""

import numpy as np
import xarray as xr

from data.sources.files import zarr
from data.sources.files.opening import as_weather
from data.sources.network import download
from data.sources.network import object_stores as stores
from data.sources.series.collection import Lazy
from data.stores.reading import MissingChunkError
from data.wording import reason

_ARCO = "gs://gcp-public-data-arco-era5/ar"
_WEATHERBENCH = "gs://weatherbench2/datasets"
STORES: dict[str, str] = {
    # hourly, 0.25°, 37 levels, since 1940; see `_within_valid_times`
    "arco-era5": f"{_ARCO}/full_37-1h-0p25deg-chunk-1.zarr-v3",
    # six-hourly, 13 levels
    "weatherbench2-era5": f"{_WEATHERBENCH}/era5/1959-2023_01_10-wb13-6h-1440x721_with_derived_variables.zarr",  # noqa: E501  an address
    "weatherbench2-era5-240x121": f"{_WEATHERBENCH}/era5/1959-2023_01_10-6h-240x121_equiangular_with_poles_conservative.zarr",  # noqa: E501  an address
    "weatherbench2-era5-64x32": f"{_WEATHERBENCH}/era5/1959-2023_01_10-6h-64x32_equiangular_conservative.zarr",  # noqa: E501  an address
    "weatherbench2-hres": f"{_WEATHERBENCH}/hres_t0/2016-2022-6h-1440x721.zarr",
    "weatherbench2-hres-240x121": f"{_WEATHERBENCH}/hres_t0/2016-2022-6h-240x121_equiangular_with_poles_conservative.zarr",  # noqa: E501  an address
}
_CREDITS = {  # by how the name begins
    "arco-era5": "ERA5 (Copernicus Climate Change Service, CC-BY-4.0) from ARCO-ERA5",
    "weatherbench2-era5": "ERA5 (Copernicus Climate Change Service, CC-BY-4.0), WeatherBench 2",
    "weatherbench2-hres": "HRES analyses (ECMWF, CC-BY-4.0), WeatherBench 2",
}


def open_archive(name: str, address: str | None) -> Lazy:
    """Open an archive of `STORES` by its name, or a store by its URL.

    Args:
        name: a name of `STORES`, or a URL.
        address: the URL of a mirror that is read in place of the archive.

    Raises:
        ValueError: no Zarr store can be read there, or a package for reading it is missing.
        OSError: the server does not answer.
    """
    url = address or STORES.get(name, name)
    credit = next((text for start, text in _CREDITS.items() if name.startswith(start)), url)
    raw = _within_valid_times(_opened(url))
    with as_weather(url):
        return Lazy(raw, remote="://" in url, credit=credit)


def _opened(url: str) -> xr.Dataset:
    def attempt() -> xr.Dataset:
        try:
            return zarr.opened(store, url)
        except Exception as error:  # every client has error classes of its own
            if stores.may_pass(error):
                raise ConnectionError(str(error) or type(error).__name__) from error
            raise

    try:
        store = stores.store(url)
        dataset = download.patiently(attempt, url, (ConnectionError,))
    except ImportError as error:
        raise download.missing_package(f"reading {url}", "remote", error) from error
    except MissingChunkError:
        raise
    except Exception as error:  # of zarr, at damaged metadata, it may be any
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            raise
        raise ValueError(
            f"no Zarr store could be read at {url} ({reason(error)}); check the address"
        ) from error
    if not dataset.data_vars:
        raise ValueError(f"a Zarr store must hold arrays, and none were found at {url}")
    return dataset


def _within_valid_times(raw: xr.Dataset) -> xr.Dataset:
    """The archive at the times that it has data for, if its attributes state them.

    The time axis of ARCO-ERA5 reaches years ahead. Chunks of times that are not written yet are
    missing; `valid_time_start` and `valid_time_stop` state the days that are complete.
    """
    start, stop = (raw.attrs.get(f"valid_time_{end}") for end in ("start", "stop"))
    if start is None or stop is None or "time" not in raw.dims:
        return raw
    end = np.datetime64(str(stop), "D") + np.timedelta64(1, "D")  # the last day is there whole
    first, past = np.searchsorted(raw["time"].values, [np.datetime64(str(start)), end])
    return raw.isel(time=slice(int(first), int(past)))
