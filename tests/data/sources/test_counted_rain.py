"""Rain that is counted on since midnight becomes the rain of each hour, in every format."""

import numpy as np
import pytest
import xarray as xr

from data.sources import open_series
from tests.data.sources.files_of_all_formats import consolidating, weather, written

pytestmark = consolidating
FORMATS = ["x.nc", "x.classic.nc", "x.v2.zarr", "x.v3.zarr"]
HOUR = np.timedelta64(1, "h")


def rain(*, counted: bool) -> xr.Dataset:
    rng = np.random.default_rng(3)
    hours = rng.gamma(0.3, 1e-3, (48, 7, 12)).astype(np.float32)
    if counted:
        hours = np.concatenate([np.cumsum(day, axis=0) for day in (hours[:24], hours[24:])])
    times = np.datetime64("2022-01-01T01", "ns") + HOUR * np.arange(48)
    space = {axis: weather()[axis] for axis in ("latitude", "longitude")}
    return xr.Dataset(
        {"tp": (("time", "latitude", "longitude"), hours, {"units": "m"})},
        coords={"time": times, **space},
    )


@pytest.mark.parametrize("name", FORMATS)
def test_rain_that_is_counted_on_becomes_the_rain_of_each_hour(tmp_path, name):
    series = open_series(str(written(rain(counted=True), tmp_path / name)))
    hourly = open_series(str(written(rain(counted=False), tmp_path / f"h{name}")))
    times = rain(counted=False)["time"].values[3:30]
    result, expected = (
        s.at(times, ["total_precipitation"], tmp_path)["total_precipitation"].compute()
        for s in (series, hourly)
    )
    # a count of some mm is kept to 1e-10 m by float32
    np.testing.assert_allclose(result, expected, atol=1e-8)
    assert "differences of totals counted on" in result.attrs["provenance"]
    assert "provenance" not in expected.attrs


def test_counted_rain_without_the_hour_before_is_refused(tmp_path):
    holes = rain(counted=True).isel(time=slice(None, None, 6))
    assert "total_precipitation" not in open_series(str(written(holes, tmp_path / "x.nc"))).names
    named = holes.rename(tp="total_precipitation")
    series = open_series(str(written(named, tmp_path / "y.nc")))
    with pytest.raises(ValueError, match="counted on since 00 UTC, so the total of an hour needs"):
        series.at(named["time"].values[1:3], ["total_precipitation"], tmp_path)
