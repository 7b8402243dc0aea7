"""Canonical inputs of a small task, as smooth as a zonal mean."""

import numpy as np
import xarray as xr

from data.standard_atmosphere import standard_geopotential
from data.task import STEP, Task

INIT = np.datetime64("2022-01-01T06", "ns")

CLOCKS = ("day_progress_sin", "toa_incident_solar_radiation", "year_progress_cos")

PREDICTED = (
    "2m_temperature",
    "geopotential",
    "mean_sea_level_pressure",
    "specific_humidity",
    "temperature",
    "total_precipitation_6hr",
    "vertical_velocity",
)

STATIC = ("geopotential_at_surface", "land_sea_mask")

LEVELS = (50, 300, 500, 850, 1000)

TASK = Task("small", PREDICTED + CLOCKS + STATIC, PREDICTED, CLOCKS, LEVELS)


def weather(times: int = 2, step: np.timedelta64 = STEP) -> xr.Dataset:
    """Canonical inputs of TASK, as smooth as a zonal mean: the last two times are at INIT."""
    latitude = np.linspace(-90, 90, 13)
    longitude = np.arange(24) * 15.0
    level = np.array(LEVELS, dtype=np.int32)
    cos = np.cos(np.deg2rad(latitude))[:, None] * np.ones(24)
    mountains = 4e4 * np.exp(-(((latitude[:, None] - 30) / 15) ** 2 + ((longitude - 90) / 20) ** 2))
    aloft = np.array([standard_geopotential(p) for p in LEVELS])[:, None, None]
    flat = {
        "2m_temperature": 245 + 55 * cos,
        "mean_sea_level_pressure": 1.0e5 + 2e3 * cos,
        "total_precipitation_6hr": 1e-3 * cos,
        "geopotential": aloft + 3e3 * cos - 2e3,
        "temperature": np.array([205, 230, 255, 280, 290])[:, None, None] + 5 * cos,
        "specific_humidity": np.array([3e-6, 1e-4, 1e-3, 6e-3, 1e-2])[:, None, None] * cos,
        "vertical_velocity": 0.1 * np.sin(np.deg2rad(longitude)) * np.ones((5, 13, 1)),
    }
    dims = ("level", "latitude", "longitude")
    frame = xr.Dataset(
        {n: (dims[3 - np.ndim(v) :], np.float32(v)) for n, v in flat.items()},
        coords={"level": level, "latitude": latitude, "longitude": longitude},
    )
    time = INIT - step * np.arange(times)[::-1]
    statics = {"geopotential_at_surface": mountains, "land_sea_mask": np.float32(mountains > 1e3)}
    frame = frame.expand_dims(time=time)
    return frame.assign({n: (dims[1:], np.float32(v)) for n, v in statics.items()}).copy(deep=True)


def changed(name: str, function) -> xr.Dataset:
    return weather().assign({name: function(weather()[name]).assign_attrs({})})


def task_of(dataset: xr.Dataset, *names: str) -> Task:
    levels = tuple(dataset["level"].values.tolist()) if "level" in dataset.dims else ()
    statics = tuple(n for n in STATIC if n in dataset)
    return Task("as the file is", names + statics + CLOCKS, names, CLOCKS, levels)
