"""Running sums: they merge without loss, resume, and stay small."""

import tracemalloc
from functools import reduce

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.statistics import moments_from
from data.tallies import NOTHING, Sums, merge, sums_of, tally
from tests.data.record import LATITUDE, TASK, six_hourly, weather

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


def test_a_large_mean_does_not_drown_a_small_spread():
    """Geopotential at 1 hPa: a mean of 470,000 with a spread of less than one part in 10⁵."""
    numbers = 470e3 + np.random.default_rng(0).standard_normal((1, 50_000))
    parts = reduce(merge, (tally(part) for part in np.split(numbers, 100, axis=1)), NOTHING)
    # rtol 1e-10: squares of deviations of 1, from means known to 1e-10
    np.testing.assert_allclose(parts.stddev, numbers.std(axis=1), rtol=1e-9)


@pytest.mark.parametrize("chunk", [1, 4, 100])
@pytest.mark.parametrize("cut", [1, 3, 4, 9])
def test_a_pass_that_was_cut_off_goes_on_to_the_same_sums(cut, chunk):
    """Two Datasets of 4 and 9 hourly-and-six-hourly frames; `cut` may fall between them."""
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
