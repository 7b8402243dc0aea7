"""Ranges of times, as people type them."""

import numpy as np
import pytest
import xarray as xr

from data.time_range import TimeRange, asked_init_times, time_range


def stamps(text):
    return [str(t.astype("datetime64[h]")) for t in time_range(text).times]


def test_both_ends_are_included():
    assert stamps("2018-01-01/2018-01-01T18/6h") == [f"2018-01-01T{h:02}" for h in (0, 6, 12, 18)]
    assert len(time_range("2018-01-01/2018-12-31T18/6h")) == 365 * 4


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("2018-01-01/2018-01-02", "2018-01-02T18"),
        ("2018-01/2018-02", "2018-02-28T18"),
        ("2018/2019", "2019-12-31T18"),
        ("2018-01-01/2018-01-02T00", "2018-01-02T00"),
        ("2018-01-01/2018-01-02T00:00Z", "2018-01-02T00"),
        ("2018-01-01T00/2018-01-01T05/1h", "2018-01-01T05"),
        ("2018-01-01/2018-01-31/1d", "2018-01-31T00"),
        ("2018-01-01 12:00/2018-01-02 13:00", "2018-01-02T12"),
    ],
)
def test_an_end_without_an_hour_is_meant_to_its_end(text, last):
    assert stamps(text)[-1] == last
    assert len(stamps(text)) == len(time_range(text))


@pytest.mark.parametrize("text", ["2018-01-01/2018-12-31T18/6h", "2018/2018/5h", "2020-02-29/2020"])
def test_what_a_range_says_of_itself_reads_back(text):
    period = time_range(text)
    again = time_range(str(period))
    np.testing.assert_array_equal(period.times, again.times)
    assert str(again) == str(period)


def test_minutes_are_said_where_they_matter():
    assert str(time_range("2018-01-01T00:30/2018-01-01T02")).startswith("2018-01-01T00:30:00/")


def test_overlaps_are_symmetric_and_count_the_ends():
    year, next_year = time_range("2018/2018"), time_range("2019/2019")
    both = time_range("2018-12-31T18/2019-01-01T00")
    assert not year.overlaps(next_year)
    assert not next_year.overlaps(year)
    assert both.overlaps(year)
    assert next_year.overlaps(both)


def series(start, count, hours=6):
    times = np.datetime64(start, "ns") + np.arange(count) * np.timedelta64(hours, "h")
    return xr.Dataset({"x": ("time", np.arange(count))}, coords={"time": times})


def test_selection_takes_exactly_the_times():
    daily = time_range("2020-01-02/2020-01-04/1d").select(series("2020-01-01", 40))
    assert daily["x"].values.tolist() == [4, 8, 12]
    one = time_range("2020-01-02/2020-01-02T00").select(series("2020-01-01", 40))
    assert one["x"].values.tolist() == [4]


def test_selection_from_uneven_times():
    uneven = series("2020-01-01", 40).isel(time=[0, 1, 2, 4, 5, 6, 8, 10, 12, 13, 14, 16])
    picked = time_range("2020-01-01/2020-01-05T00/1d").select(uneven)
    assert picked["x"].values.tolist() == [0, 4, 8, 12, 16]


def test_missing_times_are_counted_and_the_first_is_named():
    words = r"lack 2 of 4, the first at 2020-01-01T06 \(they go from 2020-01-01T00 to 2020-01-02T00"
    with pytest.raises(ValueError, match=words):
        time_range("2020-01-01/2020-01-01").select(series("2020-01-01", 3, hours=12))
    with pytest.raises(ValueError, match="the data have no times"):
        time_range("2020/2020").select(xr.Dataset())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2018", "reads START/END or START/END/STEP"),
        ("2018/2019/6h/1", "reads START/END or START/END/STEP"),
        ("2018-13-01/2019", "not '2018-13-01'"),
        ("2018/never", "not 'NEVER'|not 'never'"),
        ("/2019", "not ''"),
        ("2019/2018", "ends after it starts.*2019-01-01T00 to 2018-12-31T23:59:59; turn them"),
        ("2018/2019/6", "hours or days, as 6h or 1d, not '6'"),
        ("2018/2019/0h", "not '0h'"),
    ],
)
def test_what_is_no_range_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        time_range(text)


def test_a_step_goes_forward():
    start = np.datetime64("2020-01-01", "ns")
    with pytest.raises(ValueError, match="step of a time range is positive"):
        TimeRange(start, start, np.timedelta64(-6, "h"))


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("2024-06-03T18", ["2024-06-03T18"]),
        ("2024060318", ["2024-06-03T18"]),
        ("20240603", ["2024-06-03"]),
        ("2024-06-03T18, 2024-06-03T06Z", ["2024-06-03T06", "2024-06-03T18"]),
        ("2024-06-03/2024-06-03T12/6h", ["2024-06-03T00", "2024-06-03T06", "2024-06-03T12"]),
        ("2024-06-03/2024-06-03T12/12h,2024-06-03T12", ["2024-06-03T00", "2024-06-03T12"]),
    ],
)
def test_init_times_are_a_time_a_list_or_a_range(text, times):
    assert asked_init_times(text) == tuple(np.datetime64(time, "ns") for time in times)


def test_the_latest_init_time_is_asked_for_by_name():
    assert asked_init_times(" Latest ") == "latest"
    with pytest.raises(ValueError, match="reads a UTC time as 2024-06-03T18, not 'last'"):
        asked_init_times("last")
