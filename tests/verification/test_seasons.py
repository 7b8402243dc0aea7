"""Laws of climatologies by day of year and hour."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from data.stores.kind import kind_of
from data.time_range import time_range
from verification.seasons import Seasons, climatology_of

PERIOD = time_range("2019-01-01/2020-12-31")


def analyses(value=lambda index: index.day_of_year + index.hour * 1000.0, step="12h"):
    """Two years on a 45° grid, the same value at all points."""
    index = pd.date_range("2019-01-01", "2020-12-31T12", freq=step)
    fields = np.broadcast_to(np.asarray(value(index))[:, None, None], (len(index), 5, 8))
    coords = {
        "time": index.values,
        "latitude": np.linspace(-90, 90, 5),
        "longitude": np.arange(8) * 45.0,
    }
    rain = (("time", "latitude", "longitude"), fields.astype("f4"), {"units": "m"})
    return xr.Dataset({"total_precipitation_6hr": rain}, coords)


def made(data, tmp_path, seasons, **more):
    path = climatology_of(data, PERIOD, tmp_path / "c.zarr", seasons, **more)
    with xr.open_zarr(path) as climatology:
        return climatology.load()


def test_without_a_window_it_is_the_mean_of_the_years(tmp_path):
    data = analyses(lambda index: index.day_of_year + 10.0 * (index.year == 2020))
    climatology = made(data, tmp_path, Seasons(1))["total_precipitation_6hr"]
    one = climatology.sel(hour=12).isel(latitude=0, longitude=0)
    np.testing.assert_allclose(one[:365], np.arange(1, 366) + 5.0)
    assert one[365] == 376  # only 2020 has a day 366
    assert kind_of(tmp_path / "c.zarr") == "climatology"


def test_the_window_weighs_linearly_and_goes_round_the_year(tmp_path):
    """Of five days the ends have weight 0, the neighbours half of the middle."""
    climatology = made(analyses(), tmp_path, Seasons(5))["total_precipitation_6hr"]
    one = climatology.sel(hour=0).isel(latitude=2, longitude=3)
    assert float(one[100]) == pytest.approx(101.0)
    # 1 January: day 1 twice with weight 1, day 2 twice and day 366 once with weight 1/2
    assert float(one[0]) == pytest.approx((2 * 1 + 0.5 * 2 * 2 + 0.5 * 366) / 3.5)


def test_quantiles_and_categories_are_of_the_days_in_the_window(tmp_path):
    wet = lambda index: np.where(index.day_of_year % 2 == 0, 0.0, index.day_of_year * 1e-3)  # noqa: E731
    climatology = made(analyses(wet), tmp_path, Seasons(5, (0.5,)))
    at = {"hour": 0, "dayofyear": 100}
    name = "total_precipitation_6hr"
    # days 99, 100 and 101 of two years: 0 on day 100, 0.099 and 0.101 on the others
    fraction = climatology[f"{name}_seeps_dry_fraction"].sel(at)
    np.testing.assert_allclose(fraction, 0.5)  # by weight
    np.testing.assert_allclose(climatology[f"{name}_seeps_threshold"].sel(at), 0.101, rtol=1e-6)
    np.testing.assert_allclose(climatology[f"{name}_quantile_0.5"].sel(at), 0.099, rtol=1e-6)


class Killed(BaseException):
    pass


def test_a_killed_run_goes_on_and_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("verification.seasons.MEMORY", 8 * 731 * 4.0)  # a row at a time
    straight = made(analyses(step="24h"), tmp_path, Seasons(3))
    (tmp_path / "c.zarr").rename(tmp_path / "straight")

    def killed(done, total):
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        made(analyses(step="24h"), tmp_path, Seasons(3), progress=killed)
    reports = []
    resumed = made(
        analyses(step="24h"),
        tmp_path,
        Seasons(3),
        progress=lambda done, total: reports.append(done),
    )
    xr.testing.assert_identical(resumed, straight)
    assert reports == [2, 3, 4, 5]


def test_what_cannot_be_a_climatology_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`window` is an odd number of days below 366, and 4 is"):
        Seasons(4)
    with pytest.raises(ValueError, match="`quantiles` lie between 0 and 1, and 98 does not"):
        Seasons(5, (98.0,))
    data = analyses()
    with pytest.raises(ValueError, match="has none of the analyses, which go from 2019-01-01T00"):
        climatology_of(data, time_range("1999-01-01/1999-12-31"), tmp_path / "c", Seasons())
    summer = time_range("2019-06-01/2019-08-31")
    with pytest.raises(ValueError, match="at 00 UTC 216 days have none, the first of them day 1;"):
        climatology_of(data, summer, tmp_path / "c", Seasons())
    with pytest.raises(ValueError, match="`variables` has rain, which the analyses lack"):
        climatology_of(data, PERIOD, tmp_path / "c", Seasons(), variables=["rain"])
    data["total_precipitation_6hr"][5, 0, 0] = np.nan
    with pytest.raises(ValueError, match="total_precipitation_6hr has some that are missing"):
        climatology_of(data, PERIOD, tmp_path / "c", Seasons(1))
