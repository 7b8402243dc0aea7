"""Six-hour precipitation from hourly totals and from totals since a start."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from data.canonical.conventions import canonical
from data.canonical.precipitation import (
    hours_needed,
    totals_from_cumulative,
    totals_from_hourly,
    with_six_hour_precipitation,
)

HOUR = np.timedelta64(1, "h")
DIMS = ("time", "latitude", "longitude")
START = np.datetime64("2020-01-01T00", "ns")


def rain(hours, values=None, units="m", **attrs):
    """Precipitation at START + hours, on a tiny grid; random if not given."""
    hours = np.asarray(hours)
    if values is None:
        values = np.random.default_rng(1).gamma(0.3, 1e-3, (hours.size, 3, 4))
    return xr.DataArray(
        np.asarray(values, np.float32),
        dims=DIMS,
        coords={
            "time": START + hours * HOUR,
            "latitude": [-60.0, 0.0, 60.0],
            "longitude": [0.0, 90.0, 180.0, 270.0],
        },
        name="tp",
        attrs={"units": units, **attrs},
    )


def stamps(array):
    return [int((t - START) / HOUR) for t in array["time"].values]


def test_a_total_is_the_sum_of_the_six_hours_up_to_the_stamp():
    hourly = rain(range(30))
    total = totals_from_hourly(hourly)
    assert stamps(total) == [6, 12, 18, 24]
    for k, hour in enumerate(stamps(total)):
        expected = sum(hourly.values[hour - lag].astype(np.float64) for lag in range(6))
        # rtol 1e-7: one rounding to float32
        np.testing.assert_allclose(total.values[k], expected, rtol=1e-7)
    assert total.dtype == np.float32


def test_six_hourly_stamps_are_those_of_the_clock():
    assert stamps(totals_from_hourly(rain(range(1, 13)))) == [6, 12]
    assert stamps(totals_from_hourly(rain(range(2, 13)))) == [12]


def test_the_times_may_be_given():
    times = np.array([START + 9 * HOUR, START + 7 * HOUR])
    assert stamps(totals_from_hourly(rain(range(30)), times)) == [9, 7]
    assert [int((t - START) / HOUR) for t in hours_needed(times)] == list(range(2, 10))


def test_all_rain_falls_in_one_window():
    hourly = rain(range(1, 25))
    # rtol 1e-6: float32 sums of 24 numbers
    np.testing.assert_allclose(totals_from_hourly(hourly).sum(), hourly.sum(), rtol=1e-6)


def test_millimetres_become_metres():
    same = totals_from_hourly(rain(range(1, 7), np.full((6, 3, 4), 0.5), units="mm"))
    np.testing.assert_allclose(same, 0.003, rtol=1e-6)
    assert same.attrs["units"] == "m"


def test_the_window_is_stated_and_read_back_as_six_hours():
    for total in (
        totals_from_hourly(rain(range(1, 13))),
        totals_from_cumulative(rain([6, 12], np.zeros((2, 3, 4))), START),
    ):
        assert total.name == "total_precipitation_6hr"
        assert "over the 6 hours before" in total.attrs["cell_methods"]
        assert "total_precipitation_6hr" in canonical(total.rename("tp").to_dataset())


def test_a_missing_hour_is_named():
    gap = rain([*range(1, 9), *range(10, 13)])
    with pytest.raises(ValueError, match=r"miss anything, and 1 hours .* 2020-01-01T09:00; get"):
        totals_from_hourly(gap)
    with pytest.raises(
        ValueError, match=r"6 hours are not in the data: 2020-01-03T07:00, .*, ...;"
    ):
        totals_from_hourly(gap, np.array([START + 60 * HOUR]))
    with pytest.raises(ValueError, match="needs six hours up to 00, 06, 12 or 18 UTC"):
        totals_from_hourly(rain(range(2, 7)))


def test_a_nan_is_not_skipped():
    values = np.zeros((6, 3, 4))
    values[2, 1, 1] = np.nan
    total = totals_from_hourly(rain(range(1, 7), values))
    assert np.isnan(total.values[0, 1, 1])
    assert np.isnan(total.values).sum() == 1


def test_totals_of_other_periods_and_units_are_refused():
    six = {"cell_methods": "time: sum (interval: 1 hour comment: over the 6 hours before)"}
    with pytest.raises(
        ValueError, match=r"tp states totals of 6 hours .* give the hourly variable"
    ):
        totals_from_hourly(rain(range(12), **six))
    with pytest.raises(ValueError, match=r"height of water .* tp states no unit"):
        totals_from_hourly(rain(range(12), units=""))
    with pytest.raises(ValueError, match="tp states mm/h"):
        totals_from_hourly(rain(range(12), units="mm/h"))


def test_cumulative_totals_become_differences():
    each = np.random.default_rng(2).gamma(0.3, 1e-3, (4, 3, 4)).astype(np.float32)
    since = rain([6, 12, 18, 24], np.cumsum(each, axis=0))
    total = totals_from_cumulative(since, START)
    assert stamps(total) == [6, 12, 18, 24]
    # atol 1e-8: float32 totals of about 0.01
    np.testing.assert_allclose(total, each, atol=1e-8)
    with_zero = rain([0, 6, 12, 18, 24], np.concatenate([0 * each[:1], np.cumsum(each, axis=0)]))
    np.testing.assert_allclose(totals_from_cumulative(with_zero, START), total, atol=0)


def test_cumulative_and_hourly_totals_agree():
    hourly = rain(range(1, 25))
    since = hourly.copy(data=np.cumsum(hourly.values.astype(np.float64), axis=0))
    one, other = totals_from_hourly(hourly), totals_from_cumulative(since, START)
    assert stamps(one) == stamps(other)
    np.testing.assert_allclose(one, other, atol=1e-8)


def test_a_total_that_begins_anew_is_refused_when_computed():
    anew = rain([6, 12, 18], np.array([0.01, 0.02, 0.005])[:, None, None] * np.ones((1, 3, 4)))
    with pytest.raises(ValueError, match=r"never falls, and this one falls by 0.015 m"):
        totals_from_cumulative(anew, START)
    lazy = totals_from_cumulative(anew.chunk(time=1), START)
    with pytest.raises(ValueError, match="never falls"):
        lazy.compute()


def test_missing_cumulative_totals_and_early_times_are_refused():
    since = rain([6, 18], np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match=r"1 totals since the start .* 2020-01-01T12:00"):
        totals_from_cumulative(since, START)
    with pytest.raises(ValueError, match="needs six hours after the forecast's start"):
        totals_from_cumulative(since, START, np.array([START + 3 * HOUR]))


def test_a_dataset_of_hours_becomes_one_of_six_hours():
    hours = range(1, 25)
    warm = rain(hours, np.arange(24)[:, None, None] * np.ones((1, 3, 4))).rename("2m_temperature")
    mask = warm.isel(time=0, drop=True).rename("land_sea_mask")
    source = xr.merge([rain(hours), warm.drop_attrs(), mask.drop_attrs()])
    result = with_six_hour_precipitation(source)
    assert set(result.data_vars) == {"2m_temperature", "land_sea_mask", "total_precipitation_6hr"}
    assert result["2m_temperature"].values[:, 0, 0].tolist() == [5, 11, 17, 23]
    assert result["land_sea_mask"].dims == DIMS[1:]
    with pytest.raises(ValueError, match="summed from one of total_precipitation, tp, tp1h"):
        with_six_hour_precipitation(source.drop_vars("tp"))


def test_only_the_hours_that_are_wanted_are_made():
    computed = []

    def made(block_info=None):
        computed.append(block_info[None]["chunk-location"][0])
        return np.zeros((1, 3, 4), np.float32)

    lazy = da.map_blocks(made, chunks=((1,) * 600, (3,), (4,)), dtype=np.float32, meta=np.empty(0))
    total = totals_from_hourly(rain(range(600)).copy(data=lazy))
    assert computed == []
    total.sel(time=START + 300 * HOUR).load()
    assert sorted(computed) == list(range(295, 301))
