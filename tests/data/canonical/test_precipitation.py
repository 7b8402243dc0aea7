"""Precipitation's names and periods, and totals from hours."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from data.canonical.conventions import canonical
from data.canonical.precipitation import (
    HOURLY,
    PERIODS,
    SIX_HOURLY,
    hours_needed,
    name_by_period,
    stands_for_any_period,
    stated_hours,
    summed_over,
    total,
)
from data.variables import VARIABLES
from data.wording import HOUR

DIMS = ("time", "latitude", "longitude")
START = np.datetime64("2020-01-01T00", "ns")


def rain(hours, values=None, units="m", **attrs):
    """Precipitation at START + hours, on a tiny grid; random if no values come."""
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


def at(*hours: int) -> np.ndarray:
    return START + np.array(hours) * HOUR


@pytest.mark.parametrize("name", [name for name in PERIODS if name != HOURLY])
def test_a_total_is_the_sum_of_the_hours_up_to_its_time(name):
    hourly = rain(range(49))
    result = total(hourly, at(24, 48, 36), name)
    for value, end in zip(result, (24, 48, 36), strict=True):
        hours = hourly.values[end - PERIODS[name] + 1 : end + 1].astype(np.float64)
        # rtol 1e-7: one rounding to float32
        np.testing.assert_allclose(value, hours.sum(axis=0), rtol=1e-7)
    np.testing.assert_array_equal(result["time"], at(24, 48, 36))
    assert result.dtype == np.float32
    assert result.name == name


def test_the_hours_needed_are_those_that_end_in_the_period():
    np.testing.assert_array_equal(hours_needed(at(9, 7)), at(*range(2, 10)))
    assert hours_needed(at(24), "total_precipitation_24hr").size == 24


def test_all_rain_falls_in_one_window():
    hourly = rain(range(1, 25))
    # rtol 1e-6: float32 sums of 24 numbers
    np.testing.assert_allclose(total(hourly, at(6, 12, 18, 24)).sum(), hourly.sum(), rtol=1e-6)


def test_millimetres_become_metres():
    result = total(rain(range(1, 7), np.full((6, 3, 4), 0.5), units="mm"), at(6))
    np.testing.assert_allclose(result, 0.003, rtol=1e-6)  # six float32 numbers
    assert result.attrs["units"] == "m"


@pytest.mark.parametrize("name", [name for name in PERIODS if name != HOURLY])
def test_a_total_states_its_period_and_is_known_by_it(name):
    result = total(rain(range(49)), at(24), name)
    assert stated_hours(result) == PERIODS[name]
    assert name_by_period(result.rename("apcp")) == name
    assert name in canonical(result.rename("tp").to_dataset())
    assert "summed from" in result.attrs["provenance"]


def test_periods_are_those_that_the_catalogue_states():
    for name, hours in PERIODS.items():
        words = "hour" if hours == 1 else f"{hours} hours"
        assert f"over the {words} before" in (VARIABLES[name].cell_methods or "")
        assert stated_hours(xr.DataArray(0.0, attrs={"cell_methods": summed_over(hours)})) == hours


def test_an_unstated_period_keeps_its_name_and_an_hour_is_an_hour():
    assert all(map(stands_for_any_period, ("tp", "APCP", "precipitation", HOURLY)))
    assert not stands_for_any_period(SIX_HOURLY)
    assert name_by_period(rain([1])) is None
    assert name_by_period(rain([1], cell_methods=summed_over(1))) == HOURLY
    assert name_by_period(rain([1], cell_methods=summed_over(6)).rename("snow")) is None


def test_a_missing_hour_is_named():
    gap = rain([*range(1, 9), *range(10, 13)])
    with pytest.raises(ValueError, match=r"miss an hour, and 1 hours .* 2020-01-01T09; get"):
        total(gap, at(6, 12))
    with pytest.raises(ValueError, match=r"6 hours are not in the data: 2020-01-03T07, .*;"):
        total(gap, at(60))


def test_a_nan_is_not_skipped():
    values = np.zeros((6, 3, 4))
    values[2, 1, 1] = np.nan
    result = total(rain(range(1, 7), values), at(6))
    assert np.isnan(result.values[0, 1, 1])
    assert np.isnan(result.values).sum() == 1


def test_totals_of_other_periods_and_units_are_refused():
    six = {"cell_methods": "time: sum (interval: 1 hour comment: over the 6 hours before)"}
    with pytest.raises(
        ValueError, match=r"tp states totals of 6 hours .* give the hourly variable"
    ):
        total(rain(range(12), **six), at(6))
    with pytest.raises(ValueError, match=r"height of water .* tp states no unit"):
        total(rain(range(12), units=""), at(6))
    with pytest.raises(ValueError, match="tp states mm/h"):
        total(rain(range(12), units="mm/h"), at(6))


def test_only_the_hours_that_are_wanted_are_made():
    computed = []

    def made(block_info=None):
        computed.append(block_info[None]["chunk-location"][0])
        return np.zeros((1, 3, 4), np.float32)

    lazy = da.map_blocks(made, chunks=((1,) * 600, (3,), (4,)), dtype=np.float32, meta=np.empty(0))
    result = total(rain(range(600)).copy(data=lazy), at(300, 306))
    assert computed == []
    result.sel(time=at(300)).load()
    assert sorted(computed) == list(range(295, 301))
