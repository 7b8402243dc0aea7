"""The same small weather in files of every format."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

INIT = np.datetime64("2022-01-01T06", "ns")

HOUR = np.timedelta64(1, "h")


def weather(times: int = 3) -> xr.Dataset:
    rng = np.random.default_rng(1)
    shape = (times, 2, 7, 12)
    t = rng.normal(260, 10, shape).astype(np.float32)
    return xr.Dataset(
        {
            "temperature": (("time", "level", "latitude", "longitude"), t, {"units": "K"}),
            "2m_temperature": (("time", "latitude", "longitude"), t[:, 0] + 20, {"units": "K"}),
            "land_sea_mask": (("latitude", "longitude"), rng.random(shape[2:], np.float32)),
        },
        coords={
            "time": np.datetime64("2022-01-01", "ns") + 6 * HOUR * np.arange(times),
            "level": ("level", [500, 850], {"units": "hPa"}),
            "latitude": np.linspace(90, -90, 7),
            "longitude": np.arange(12) * 30.0,
        },
    )


def written(dataset: xr.Dataset, path: Path) -> Path:
    """Write a file in the format of its name: "x.v2.zarr", "x.v3plain.zarr", "x.classic.nc", ..."""
    if path.suffix == ".zarr":
        version = 2 if ".v2" in path.name else 3
        dataset.to_zarr(path, zarr_format=version, consolidated="plain" not in path.name)
    else:
        kind = "NETCDF3_64BIT" if "classic" in path.name else "NETCDF4"
        dataset.to_netcdf(path, format=kind)
    return path


# zarr says that consolidated metadata are not part of its format 3, each time that it writes them.
consolidating = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")


FORMATS = ["x.nc", "x.classic.nc", "x.v2.zarr", "x.v2plain.zarr", "x.v3.zarr", "x.v3plain.zarr"]
