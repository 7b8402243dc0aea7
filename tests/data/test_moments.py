"""The bundle of statistics: its files, its arrays, and columns of channels."""

import numpy as np
import pytest
import xarray as xr

from data.channels import Channel, Channels
from data.moments import FILES, column, from_arrays, read_moments, to_arrays, write_moments
from data.statistics import moments_of
from data.task import TASKS
from tests.data.record import TASK, six_hourly, weather
from tests.reference import STATISTICS


def test_files_and_arrays_give_the_same_moments_back(tmp_path):
    moments = moments_of(weather(six_hourly("2020-01-01", 3)), TASK)
    write_moments(moments, tmp_path / "statistics")
    for again in (read_moments(tmp_path / "statistics"), from_arrays(to_arrays(moments))):
        for one, other in zip(moments, again, strict=True):
            xr.testing.assert_identical(one, other)


def test_arrays_are_named_by_statistic_and_variable():
    arrays_ = to_arrays(moments_of(weather(six_hourly("2020-01-01", 3)), TASK))
    assert arrays_["mean/temperature"].shape == (2,)
    assert arrays_["stddev/land_sea_mask"].shape == ()
    assert "diffs_stddev/land_sea_mask" not in arrays_
    np.testing.assert_array_equal(arrays_["level"], [500, 850])
    with pytest.raises(ValueError, match="an array 'level'"):
        from_arrays({"mean/temperature": np.zeros(2)})


def test_deepminds_files_serve_every_published_task():
    moments = read_moments(STATISTICS)
    for task in TASKS.values():
        channels = Channels(task)
        everything = channels.targets + channels.forcings + channels.statics
        assert column(moments.mean, everything).shape == (len(everything),)
        assert (column(moments.stddev, everything) > 0).all()
        assert (column(moments.diffs_stddev, channels.targets) > 0).all()
    # matched by label: 13 of the file's 37 levels
    at_500 = moments.mean["geopotential"].sel(level=500)
    assert column(moments.mean, (Channel("geopotential", 500),)) == np.float32(at_500)


def test_every_channel_of_a_task_has_its_moments():
    moments = moments_of(weather(six_hourly("2020-01-01", 3)), TASK)
    channels = Channels(TASK)
    everything = channels.targets + channels.forcings + channels.statics
    for statistic in (moments.mean, moments.stddev):
        assert column(statistic, everything).shape == (len(everything),)
    assert (column(moments.diffs_stddev, channels.targets) > 0).all()


def test_every_missing_channel_is_named_with_its_statistic():
    moments = moments_of(weather(six_hourly("2020-01-01", 3)), TASK)
    channels = (Channel("temperature", 500), Channel("temperature", 300), Channel("sea_ice_cover"))
    with pytest.raises(ValueError, match=r"stddev .* has no temperature 300 hPa, sea_ice_cover$"):
        column(moments.stddev, channels)
    with pytest.raises(ValueError, match=r"diffs_stddev .* has no land_sea_mask"):
        column(moments.diffs_stddev, (Channel("land_sea_mask"),))


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_what_cannot_be_divided_by_is_refused(bad):
    moments = moments_of(weather(six_hourly("2020-01-01", 3)), TASK)
    stddev = moments.stddev.assign(land_sea_mask=bad)
    with pytest.raises(ValueError, match=rf"positive.*not so land_sea_mask \({bad}\)"):
        column(stddev, (Channel("temperature", 500), Channel("land_sea_mask")))


def test_an_incomplete_folder_is_named(tmp_path):
    (tmp_path / FILES["mean"]).touch()
    words = r"has no stddev_by_level\.nc and no diffs_stddev_by_level\.nc"
    with pytest.raises(FileNotFoundError, match=words):
        read_moments(tmp_path)


def test_a_damaged_file_is_named_with_its_fault(tmp_path):
    moments = moments_of(weather(six_hourly("2020-01-01", 3)), TASK)
    write_moments(moments, tmp_path)
    mean = tmp_path / FILES["mean"]
    moments.mean.expand_dims(time=2).to_netcdf(mean)
    with pytest.raises(ValueError, match=r"one number .* has \w+ as float64 along time"):
        read_moments(tmp_path)
    moments.mean.drop_vars("level").to_netcdf(mean)
    with pytest.raises(ValueError, match=r"say which levels they stand on, and .*mean_by_level"):
        read_moments(tmp_path)
    mean.write_text("weather")
    with pytest.raises(ValueError, match=r"netCDF files, and .*mean_by_level\.nc cannot be read"):
        read_moments(tmp_path)


def test_statistics_on_different_levels_are_refused(tmp_path):
    moments = moments_of(weather(six_hourly("2020-01-01", 3)), TASK)
    write_moments(moments._replace(mean=moments.mean.isel(level=[0])), tmp_path)
    with pytest.raises(ValueError, match="the same levels"):
        read_moments(tmp_path)
