"""The climatological mean at given times, for anomalies."""

import xarray as xr

from data.wording import listed

SEASONAL = ("dayofyear", "hour")  # dimensions of WeatherBench 2's climatologies


def climatology_at(climatology: xr.DataArray, valid_time: xr.DataArray) -> xr.DataArray:
    """The climatology at valid times, one per lead time.

    Args:
        climatology: constant in time, or with the dimension `dayofyear` (1 to 366), or with that
            and `hour` (UTC).
        valid_time: (prediction_timedelta) times in UTC.

    Raises:
        ValueError: a `time` dimension, or a day or hour that the climatology does not have.
    """
    if "time" in climatology.dims:
        raise ValueError(
            "a climatology has no time dimension but dayofyear, and hour if need be, or neither; "
            f"{climatology.name} has {climatology.dims}"
        )
    wanted = {dim: getattr(valid_time.dt, dim) for dim in SEASONAL if dim in climatology.dims}
    for dim, values in wanted.items():
        lacking = sorted(set(values.values.tolist()) - set(climatology[dim].values.tolist()))
        if lacking:
            raise ValueError(
                f"the climatology of {climatology.name} lacks {dim} [{listed(lacking)}]; score "
                "without it or at times it has"
            )
    chosen = climatology.sel(wanted) if wanted else climatology
    return chosen.drop_vars(SEASONAL, errors="ignore")
