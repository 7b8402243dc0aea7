"""`Sample`: what a statistic sees of one forecast and of what came."""

from typing import NamedTuple

import xarray as xr


class Sample(NamedTuple):
    """Forecast and truth from one init time, all variables, at the lead times with a truth.

    Each Dataset has the dimensions (prediction_timedelta, [level,] latitude, longitude) with the
    same labels; a forecast of several members has `number` besides. `climatology` is the
    climatological mean at the valid times, None where none is given.
    """

    forecast: xr.Dataset
    truth: xr.Dataset
    climatology: xr.Dataset | None = None
