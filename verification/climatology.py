"""The climatological mean at given times, for anomalies."""

import numpy as np
import pandas as pd
import xarray as xr

from data.wording import listed

SEASONAL = {"dayofyear": "day_of_year", "hour": "hour"}  # dimensions, and pandas's words for them


def places_at(climatology: xr.DataArray, valid_time: np.datetime64) -> tuple[int, ...]:
    """Where the climatology of a valid time stands along `SEASONAL`, those that it has.

    Args:
        climatology: constant in time, or with the dimension `dayofyear` (1 to 366), or with that
            and `hour` (UTC).
        valid_time: UTC.
    """
    time = pd.Timestamp(valid_time)
    return tuple(
        int(np.flatnonzero(climatology[dim].values == getattr(time, word))[0])
        for dim, word in SEASONAL.items()
        if dim in climatology.dims
    )


def check_seasons(climatology: xr.Dataset, valid_times: np.ndarray) -> None:
    """Refuse a climatology that lacks the day or hour of a valid time.

    Raises:
        ValueError: a `time` dimension, or a day or hour that the climatology does not have.
    """
    times = pd.DatetimeIndex(np.unique(valid_times))
    for name, array in climatology.data_vars.items():
        if "time" in array.dims:
            raise ValueError(
                "a climatology has no time dimension but dayofyear, and hour if need be, or "
                f"neither; {name} has {array.dims}"
            )
        for dim, word in SEASONAL.items():
            if dim in array.dims:
                lacking = sorted({*getattr(times, word)} - {*array[dim].values.tolist()})
                if lacking:
                    raise ValueError(
                        f"the climatology of {name} lacks {dim} [{listed(lacking)}]; score "
                        "without it or at times it has"
                    )
