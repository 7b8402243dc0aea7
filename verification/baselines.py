"""What a forecast must beat."""

import numpy as np
import xarray as xr


def persistence(
    truth: xr.DataArray, init_time: np.datetime64, prediction_timedelta: xr.DataArray
) -> xr.DataArray:
    """The truth at the initial time as the forecast for every lead time.

    Dimensions (prediction_timedelta, ...); nothing is copied.

    Raises:
        ValueError: the truth has no such time.
    """
    if init_time not in truth["time"].values:
        raise ValueError(
            f"persistence from {np.datetime_as_string(init_time, 'h')} needs the truth at that "
            "time, which is not there"
        )
    start = truth.sel(time=init_time, drop=True)
    return start.expand_dims(prediction_timedelta=prediction_timedelta.values)
