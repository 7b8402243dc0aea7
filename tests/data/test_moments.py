"""Means and standard deviations."""

import tracemalloc
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.channels import Channel, Channels
from data.forcings import forcing_frame
from data.moments import (
    FILES,
    column,
    from_arrays,
    read_moments,
    to_arrays,
    write_moments,
)
from data.statistics import moments_from, moments_of
from data.tallies import NOTHING, Sums, merge, sums_of, tally
from data.task import TASKS, Task

STATISTICS = Path(__file__).parents[2] / "../shared/parity/stats"
TASK = Task(
    name="small",
    inputs=("temperature", "2m_temperature", "land_sea_mask", "year_progress_sin"),
    targets=("temperature", "2m_temperature"),
    forcings=("year_progress_sin", "day_progress_cos", "toa_incident_solar_radiation"),
    levels=(500, 850),
)
LATITUDE, LONGITUDE = np.linspace(-60, 60, 4), np.arange(0.0, 360.0, 60.0)


def weather(times, seed=0, levels=(300, 500, 850)):
    """Random frames; level 300 is not in the task."""
    rng = np.random.default_rng(seed)
    grid = (LATITUDE.size, LONGITUDE.size)
    upper = 250 + 10 * rng.standard_normal((len(times), len(levels), *grid))
    surface = 280 + 20 * rng.standard_normal((len(times), *grid))
    return xr.Dataset(
        {
            "temperature": (("time", "level", "latitude", "longitude"), upper.astype(np.float32)),
            "2m_temperature": (("time", "latitude", "longitude"), surface.astype(np.float32)),
            "land_sea_mask": (("latitude", "longitude"), rng.random(grid).astype(np.float32)),
        },
        coords={
            "time": np.array(times, dtype="datetime64[ns]"),
            "level": list(levels),
            "latitude": LATITUDE,
            "longitude": LONGITUDE,
        },
    )


def six_hourly(start, number):
    return np.datetime64(start, "ns") + np.arange(number) * np.timedelta64(6, "h")


blocks = arrays(
    np.float64, st.tuples(st.just(2), st.integers(1, 5)), elements=st.floats(-1e3, 1e3)
).map(tally)


def assert_same(one, other):
    assert one.size == other.size
    # float64 rounding of sums of a few numbers up to 1e3, and of their squares
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-10)
    np.testing.assert_allclose(one.squares, other.squares, atol=1e-6, rtol=1e-10)


@settings(deadline=None)  # the first example also pays for imports
@given(blocks, blocks, blocks)
def test_merging_tallies_is_associative_and_commutative(a, b, c):
    assert_same(merge(merge(a, b), c), merge(a, merge(b, c)))
    assert_same(merge(a, b), merge(b, a))


@settings(deadline=None)  # the first example also pays for imports
@given(blocks)
def test_nothing_is_neutral(a):
    assert merge(a, NOTHING) is a
    assert merge(NOTHING, a) is a


@settings(deadline=None)  # the first example also pays for imports
@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1), min_size=1))
def test_merged_tallies_are_the_tally_of_all(parts):
    merged = reduce(merge, (tally(np.array(part)) for part in parts), NOTHING)
    together = np.concatenate(parts)
    assert merged.size == together.size
    np.testing.assert_allclose(merged.mean, together.mean(), atol=1e-10)
    # atol 1e-6: the root of the rounding of squares of 1e3
    np.testing.assert_allclose(merged.stddev, together.std(), atol=1e-6)


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


def test_every_channel_of_a_task_has_its_moments():
    moments = moments_of(weather(six_hourly("2020-01-01", 3)), TASK)
    channels = Channels(TASK)
    everything = channels.targets + channels.forcings + channels.statics
    for statistic in (moments.mean, moments.stddev):
        assert column(statistic, everything).shape == (len(everything),)
    assert (column(moments.diffs_stddev, channels.targets) > 0).all()


def test_hourly_frames_are_compared_six_hours_apart():
    hours = np.datetime64("2020-01-01", "ns") + np.arange(20) * np.timedelta64(1, "h")
    data = weather(hours)
    t = data["2m_temperature"].values.astype(np.float64)
    expected = (t[6:] - t[:-6]).std()
    # rtol 1e-12: as above
    np.testing.assert_allclose(
        moments_of(data, TASK).diffs_stddev["2m_temperature"], expected, rtol=1e-12
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
    if not STATISTICS.is_dir():
        pytest.skip(f"no statistics at {STATISTICS}")
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


def test_statistics_on_different_levels_are_refused(tmp_path):
    moments = moments_of(weather(six_hourly("2020-01-01", 3)), TASK)
    write_moments(moments._replace(mean=moments.mean.isel(level=[0])), tmp_path)
    with pytest.raises(ValueError, match="the same levels"):
        read_moments(tmp_path)


@pytest.mark.parametrize("chunk", [1, 4, 100])
@pytest.mark.parametrize("cut", [1, 3, 4, 9])
def test_a_pass_that_was_cut_off_goes_on_to_the_same_sums(cut, chunk):
    """Two Datasets of 4 and 9 hourly-and-six-hourly frames; ``cut`` may fall between them."""
    hours = np.datetime64("2021-01-01", "ns") + np.arange(9) * np.timedelta64(2, "h")
    parts = [weather(six_hourly("2020-01-01", 4)), weather(hours, seed=1)]
    parts = [part.chunk(time=chunk) for part in parts]
    whole = list(sums_of(parts, TASK))
    assert [sums.frames for sums in whole] == list(range(1, 14))
    kept = Sums.from_arrays(whole[cut - 1].to_arrays())
    rest = list(sums_of(parts, TASK, kept))
    assert len(rest) == 13 - cut
    one, other = moments_from(whole[-1], TASK), moments_from(rest[-1], TASK)
    for a, b in zip(one, other, strict=True):
        xr.testing.assert_identical(a, b)
    assert rest[-1].sha256 == whole[-1].sha256


def test_a_large_mean_does_not_drown_a_small_spread():
    """Geopotential at 1 hPa: a mean of 470,000 with a spread of less than one part in 10⁵."""
    numbers = 470e3 + np.random.default_rng(0).standard_normal((1, 50_000))
    parts = reduce(merge, (tally(part) for part in np.split(numbers, 100, axis=1)), NOTHING)
    # rtol 1e-10: squares of deviations of 1, from means known to 1e-10
    np.testing.assert_allclose(parts.stddev, numbers.std(axis=1), rtol=1e-9)


def test_memory_of_a_pass_does_not_grow_with_the_record():
    def peak(count):
        data = weather(six_hourly("2020-01-01", 2)).isel(longitude=[*range(6)] * 500)
        data = data.assign_coords(longitude=np.arange(3000) * 0.12).isel(time=[0, 1] * (count // 2))
        data = data.assign_coords(time=six_hourly("2020-01-01", count)).chunk(time=1) + 1
        tracemalloc.start()
        for _ in sums_of([data], TASK):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)  # imports
    few, many = peak(4), peak(14)
    frame = 4 * LATITUDE.size * 3000 * 4  # bytes of four fields
    # dask's own graph grows with the times, by far less than a frame for each
    assert many - few < 10 * frame / 4
