"""A small random record of weather, for tests of statistics."""

import numpy as np
import xarray as xr

from data.task import Task

TASK = Task(
    name="small",
    inputs=("temperature", "2m_temperature", "land_sea_mask", "year_progress_sin"),
    targets=("temperature", "2m_temperature"),
    forcings=("year_progress_sin", "day_progress_cos", "toa_incident_solar_radiation"),
    levels=(500, 850),
)
LATITUDE, LONGITUDE = np.linspace(-60, 60, 4), np.arange(0.0, 360.0, 60.0)


def weather(times, seed=0, levels=(300, 500, 850)):
    """Random frames; level 300 is not in the task."""
    rng = np.random.default_rng(seed)
    grid = (LATITUDE.size, LONGITUDE.size)
    upper = 250 + 10 * rng.standard_normal((len(times), len(levels), *grid))
    surface = 280 + 20 * rng.standard_normal((len(times), *grid))
    return xr.Dataset(
        {
            "temperature": (("time", "level", "latitude", "longitude"), upper.astype(np.float32)),
            "2m_temperature": (("time", "latitude", "longitude"), surface.astype(np.float32)),
            "land_sea_mask": (("latitude", "longitude"), rng.random(grid).astype(np.float32)),
        },
        coords={
            "time": np.array(times, dtype="datetime64[ns]"),
            "level": list(levels),
            "latitude": LATITUDE,
            "longitude": LONGITUDE,
        },
    )


def six_hourly(start, number):
    return np.datetime64(start, "ns") + np.arange(number) * np.timedelta64(6, "h")
