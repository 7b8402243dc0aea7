"""`Sample`: a forecast and its truth, which statistics compare."""

from typing import NamedTuple

import xarray as xr


class Sample(NamedTuple):
    """Forecast and truth from one init time, all variables, at the lead times with a truth.

    Each Dataset has the dimensions (prediction_timedelta, [level,] latitude, longitude) with the
    same labels; a forecast of several members also has `number`. `climatology` is the
    climatological mean at the valid times, or None.
    """

    forecast: xr.Dataset
    truth: xr.Dataset
    climatology: xr.Dataset | None = None
