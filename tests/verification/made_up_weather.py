"""Small canonical datasets for the tests of verification, and the real sample."""

import numpy as np
import xarray as xr

from data.samples import analyses
from data.sources import open_inputs
from verification import Protocol

HOUR = np.timedelta64(1, "h")
START = np.datetime64("2024-06-03T00", "ns")
GLOBAL = Protocol(regions=("global",))
UNITS = {"geopotential": "m2 s-2", "2m_temperature": "K"}


def truth(times: int = 9, *, seed: int = 0, levels=(500, 850)) -> xr.Dataset:
    """Noise every 6 h on a 30° grid with poles, two variables."""
    rng = np.random.default_rng(seed)
    coords = {
        "time": START + 6 * HOUR * np.arange(times),
        "level": list(levels),
        "latitude": np.linspace(-90.0, 90.0, 7),
        "longitude": np.arange(12) * 30.0,
    }
    dims = {
        "geopotential": ("time", "level", "latitude", "longitude"),
        "2m_temperature": ("time", "latitude", "longitude"),
    }
    return xr.Dataset(
        {
            name: (
                d,
                rng.normal(280, 10, [len(coords[i]) for i in d]).astype("f4"),
                {"units": UNITS[name], "long_name": name},
            )
            for name, d in dims.items()
        },
        coords,
    )


def forecast_of(obs: xr.Dataset, *, inits=(0,), leads=(6, 12, 18), error=0.0) -> xr.Dataset:
    """A forecast that is the truth plus `error`, a number or a function of an array's shape."""
    times = obs.time.values[list(inits)]
    hours = xr.DataArray([lead * HOUR for lead in leads], dims="prediction_timedelta").astype(
        "timedelta64[ns]"
    )
    valid = xr.DataArray(times, dims="time") + hours
    ds = obs.sel(time=valid).drop_vars("time")
    ds = ds.assign_coords(time=times, prediction_timedelta=hours.values)
    for name in ds.data_vars:
        delta = error(ds[name].shape) if callable(error) else error
        ds[name] = (ds[name] + np.float32(delta)).assign_attrs(obs[name].attrs)
    return ds.transpose("time", "prediction_timedelta", ...)


def real_analyses() -> xr.Dataset:
    """ECMWF analyses at 10°, eight times 6 h apart."""
    return open_inputs(analyses())[0]


def climatology_like(analyses):
    return analyses.isel(time=0, drop=True) * 0 + 275.0


def noise(seed):
    return lambda shape: np.random.default_rng(seed).normal(size=shape)
