"""Statistics are NumPy's means and deviations, of the changes too."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from data.channels import Channel
from data.forcings import forcing_frame
from data.moments import column, read_moments
from data.statistics import moments_of, task_served, write_statistics
from data.task import TASKS
from data.time_range import time_range
from tests.data.record import LATITUDE, LONGITUDE, TASK, six_hourly, weather


def test_moments_are_numpys():
    data = weather(six_hourly("2020-01-01", 9))
    moments = moments_of(data, TASK)
    t = data["temperature"].sel(level=[500, 850]).values.astype(np.float64)
    # rtol 1e-12: float64 sums of 216 numbers in another order
    axes = (0, 2, 3)
    np.testing.assert_allclose(moments.mean["temperature"], t.mean(axes), rtol=1e-12)
    np.testing.assert_allclose(moments.stddev["temperature"], t.std(axes), rtol=1e-12)
    changes = np.diff(t, axis=0).std(axes)
    np.testing.assert_allclose(moments.diffs_stddev["temperature"], changes, rtol=1e-12)
    mask = data["land_sea_mask"].values.astype(np.float64)
    np.testing.assert_allclose(moments.stddev["land_sea_mask"], mask.std(), rtol=1e-12)


def test_forcings_are_computed_where_the_data_lack_them():
    times = six_hourly("2020-01-01", 6)
    moments = moments_of(weather(times), TASK)
    frames = [forcing_frame(TASK.forcings, time, LATITUDE, LONGITUDE) for time in times]
    for name in TASK.forcings:
        numbers = np.stack([frame[name].values for frame in frames]).astype(np.float64)
        # 1e-9: the time of year hardly moves in a day, so its mean square is nearly its square mean
        np.testing.assert_allclose(moments.mean[name], numbers.mean(), rtol=1e-9)
        np.testing.assert_allclose(moments.stddev[name], numbers.std(), rtol=1e-9)


def test_forcings_are_taken_from_the_data_where_they_are():
    data = weather(six_hourly("2020-01-01", 3))
    given_light = data["2m_temperature"].rename("toa_incident_solar_radiation")
    moments = moments_of(data.assign(toa_incident_solar_radiation=given_light), TASK)
    expected = moments.mean["2m_temperature"]
    assert moments.mean["toa_incident_solar_radiation"] == expected


def test_hourly_frames_are_compared_six_hours_apart():
    hours = np.datetime64("2020-01-01", "ns") + np.arange(20) * np.timedelta64(1, "h")
    data = weather(hours)
    t = data["2m_temperature"].values.astype(np.float64)
    expected = (t[6:] - t[:-6]).std()
    # rtol 1e-12: as above
    np.testing.assert_allclose(
        moments_of(data, TASK).diffs_stddev["2m_temperature"], expected, rtol=1e-12
    )


def test_changes_are_over_the_step_of_the_task():
    data = weather(six_hourly("2020-01-01", 9))
    t = data["2m_temperature"].values.astype(np.float64)
    moments = moments_of(data, replace(TASK, step_hours=12))
    # rtol 1e-12: as above
    np.testing.assert_allclose(
        moments.diffs_stddev["2m_temperature"], (t[2:] - t[:-2]).std(), rtol=1e-12
    )


def test_no_change_is_taken_across_a_gap():
    times = six_hourly("2020-01-01", 7)
    data = weather(times)
    t = data["2m_temperature"].values.astype(np.float64)
    gap = moments_of(data.isel(time=[0, 1, 2, 4, 5, 6]), TASK)
    expected = np.concatenate([np.diff(t[:3], axis=0), np.diff(t[4:], axis=0)]).std()
    np.testing.assert_allclose(gap.diffs_stddev["2m_temperature"], expected, rtol=1e-12)


def test_two_datasets_are_the_same_as_one_with_a_gap():
    data = weather(np.concatenate([six_hourly("2020-01-01", 3), six_hourly("2021-01-01", 4)]))
    whole = moments_of(data, TASK)
    parts = moments_of([data.isel(time=slice(3)), data.isel(time=slice(3, None))], TASK)
    for one, other in zip(whole, parts, strict=True):
        # rtol 1e-9: merging in another order
        xr.testing.assert_allclose(one, other, rtol=1e-9)


def test_lazy_and_loaded_data_agree():
    data = weather(six_hourly("2020-01-01", 4))
    lazy = moments_of(data.chunk(time=1), TASK)
    for one, other in zip(moments_of(data, TASK), lazy, strict=True):
        xr.testing.assert_identical(one, other)


def test_an_input_that_does_not_vary_is_normalised_to_zero():
    data = weather(six_hourly("2020-01-01", 3))
    data["land_sea_mask"] = xr.full_like(data["land_sea_mask"], 0.1)
    moments = moments_of(data, TASK)
    channel = (Channel("land_sea_mask"),)
    assert column(moments.stddev, channel) == 1.0
    np.testing.assert_array_equal(column(moments.mean, channel), np.float32(0.1))


def test_a_target_that_never_changes_is_refused():
    data = weather(six_hourly("2020-01-01", 3))
    data["2m_temperature"] = data["2m_temperature"].isel(time=[0, 0, 0]).drop_vars("time")
    with pytest.raises(ValueError, match="but 2m_temperature is the same everywhere or at all"):
        moments_of(data, TASK)


def test_data_without_two_frames_six_hours_apart_are_refused():
    times = np.array(["2020-01-01T00", "2020-01-01T12"], dtype="datetime64[ns]")
    with pytest.raises(ValueError, match="no two frames are exactly 6 h apart"):
        moments_of(weather(times), TASK)


def test_missing_variables_and_levels_are_named():
    data = weather(six_hourly("2020-01-01", 2))
    with pytest.raises(ValueError, match="'small' needs land_sea_mask, which the data lack"):
        moments_of(data.drop_vars("land_sea_mask"), TASK)
    with pytest.raises(ValueError, match=r"'small' needs the levels \[850\] hPa"):
        moments_of(data.sel(level=[300, 500]), TASK)


def test_gaps_are_refused_with_their_place():
    data = weather(six_hourly("2020-01-01", 2))
    data["2m_temperature"][1, 2, 3] = np.nan
    with pytest.raises(ValueError, match=r"2m_temperature at 2020-01-01T06.* has 1 others"):
        moments_of(data, TASK)


def test_a_task_is_found_that_the_data_serve():
    data = weather(six_hourly("2020-01-01", 2))
    everything = task_served(data)
    assert everything.name == "everything"
    assert everything.levels == (300, 500, 850)
    small = TASKS["graphcast_small"]
    names = [name for name in small.variables if name not in small.forcings]
    served = xr.Dataset(dict.fromkeys(names, data["temperature"])).reindex(level=small.levels)
    assert task_served(served) is small


def test_statistics_are_written_in_a_few_lines(tmp_path):
    """As a script does it: the period alone counts, and progress is reported."""
    data = weather(six_hourly("2020-01-01", 8)).chunk(time=1)
    reports = []
    sums = write_statistics(
        [data],
        time_range("2020-01-01/2020-01-01T18"),
        TASK,
        tmp_path,
        source="random numbers",
        force=True,
        report=lambda done, total: reports.append((done, total)),
    )
    assert reports == [(done, 4) for done in range(5)]
    moments = read_moments(tmp_path)
    assert moments.mean.attrs["source"] == "random numbers"
    assert moments.mean.attrs["data_sha256"] == sums.sha256
    expected = moments_of(data.isel(time=slice(4)), TASK)
    for one, other in zip(moments, expected, strict=True):
        xr.testing.assert_equal(one, other)
