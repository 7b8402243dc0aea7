"""Forcings, which are known about the future without a model: the calendar and the Sun.

A new forcing is one function in `FORCINGS` and one row in `data/variables.py`. Each function takes
(time, latitude, longitude), UTC and degrees, and returns a float32 array whose axes are the last
ones of (latitude, longitude): none for the time of year, longitude for the time of day, both for
sunlight. The definitions are those of DeepMind's data_utils.py, with which published models were
trained.
"""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from jaxtyping import Float, Float32

from data.solar import toa_incident_solar_radiation
from data.variables import VARIABLES, check_names

TROPICAL_YEAR = 365.24219  # days

Latitude = Float[np.ndarray, " lat"]
Longitude = Float[np.ndarray, " lon"]


def year_progress(time: np.datetime64) -> Float32[np.ndarray, ""]:
    """Fraction of the tropical year since 1970-01-01 that has passed: in [0, 1)."""
    return np.asarray(_seconds(time) / 86400 / TROPICAL_YEAR % 1.0, dtype=np.float32)


def day_progress(time: np.datetime64, longitude: Longitude) -> Float32[np.ndarray, " lon"]:
    """Local mean solar time in days since midnight: in [0, 1)."""
    # to radians and back, as DeepMind does: float32 longitudes then give the same bits
    turns = np.deg2rad(longitude) / (2 * np.pi)
    greenwich = np.float64(_seconds(time) % 86400 / 86400)
    return np.asarray((greenwich + turns) % 1.0, dtype=np.float32)


def _seconds(time: np.datetime64) -> int:
    return int(time.astype("datetime64[s]").astype(np.int64))


# 2π times a float32 number stays float32, like the features that published models were trained on.
_TURN = np.float32(2 * np.pi)


def year_progress_sin(
    time: np.datetime64, latitude: Latitude, longitude: Longitude
) -> Float32[np.ndarray, ""]:
    """Sine of the time of year."""
    return np.asarray(np.sin(_TURN * year_progress(time)))


def year_progress_cos(
    time: np.datetime64, latitude: Latitude, longitude: Longitude
) -> Float32[np.ndarray, ""]:
    """Cosine of the time of year."""
    return np.asarray(np.cos(_TURN * year_progress(time)))


def day_progress_sin(
    time: np.datetime64, latitude: Latitude, longitude: Longitude
) -> Float32[np.ndarray, " lon"]:
    """Sine of the local time of day."""
    return np.sin(_TURN * day_progress(time, longitude))


def day_progress_cos(
    time: np.datetime64, latitude: Latitude, longitude: Longitude
) -> Float32[np.ndarray, " lon"]:
    """Cosine of the local time of day."""
    return np.cos(_TURN * day_progress(time, longitude))


Forcing = Callable[[np.datetime64, np.ndarray, np.ndarray], np.ndarray]

FORCINGS: dict[str, Forcing] = {
    "year_progress_sin": year_progress_sin,
    "year_progress_cos": year_progress_cos,
    "day_progress_sin": day_progress_sin,
    "day_progress_cos": day_progress_cos,
    "toa_incident_solar_radiation": toa_incident_solar_radiation,
}


def forcing_frame(
    names: Sequence[str],
    time: np.datetime64,
    latitude: Latitude,
    longitude: Longitude,
) -> xr.Dataset:
    """The forcings `names` at one time (UTC), each on the dimensions that it varies in.

    >>> noon = np.datetime64("2024-06-03T12")
    >>> frame = forcing_frame(["day_progress_cos"], noon, np.zeros(1), np.array([0.0, 180.0]))
    >>> frame["day_progress_cos"].values.round(3)
    array([-1.,  1.], dtype=float32)

    Raises:
        ValueError: no function computes a forcing, so that it has to come with the data.
    """
    check_names(names)
    unknown = [name for name in names if name not in FORCINGS]
    if unknown:
        raise ValueError(
            f"no function computes {', '.join(unknown)}; give them in the forcings file, "
            f"or choose among {', '.join(sorted(FORCINGS))}"
        )
    fields = {}
    for name in names:
        values = FORCINGS[name](time, latitude, longitude)
        dims = ("latitude", "longitude")[2 - values.ndim :]
        fields[name] = xr.DataArray(values, dims=dims, attrs=VARIABLES[name].attributes)
    nanoseconds = time.astype("datetime64[ns]")  # what canonical Datasets have
    coords = {"time": nanoseconds, "latitude": latitude, "longitude": longitude}
    return xr.Dataset(fields, coords=coords)
