"""Laws of `Means`: they add, and metrics are functions of them."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from verification import (
    Error,
    MeanOf,
    MeanOfRoots,
    MeanOverMembers,
    Means,
    RootOfMean,
    SquaredError,
    by_init_time,
    evaluate,
)
from verification.means import Part, WeightedSum, samples, scored

values = st.lists(st.integers(-1000, 1000), min_size=3, max_size=3)
weights = st.lists(st.integers(0, 5), min_size=3, max_size=3)


def weighted(pair, first_lead=0):
    numbers, weight = pair
    leads = {"lead": np.arange(3) + first_lead}
    return WeightedSum.of(
        xr.DataArray(np.array(numbers, float), leads), xr.DataArray(np.array(weight, float), leads)
    )


@settings(deadline=None, max_examples=25)
@given(*[st.tuples(values, weights)] * 3)
def test_weighted_sums_add_in_any_order_and_grouping(a, b, c):
    # integers: their sums are exact in floating point, so equality is
    one = (weighted(a) + weighted(b)) + weighted(c)
    other = weighted(c) + (weighted(b) + weighted(a))
    xr.testing.assert_equal(one.mean, other.mean)
    weight = np.array([a[1], b[1], c[1]])
    numbers = np.array([a[0], b[0], c[0]])
    for i in range(3):
        if weight[:, i].sum():
            expected = np.average(numbers[:, i], weights=weight[:, i])
            np.testing.assert_allclose(one.mean[i], expected, atol=1e-9)
        else:
            assert np.isnan(one.mean[i])


@settings(deadline=None, max_examples=10)
@given(*[st.tuples(values, weights)] * 2)
def test_a_label_of_one_sum_alone_keeps_its_value(a, b):
    both = weighted(a) + weighted(b, first_lead=2)
    assert list(both.total["lead"].values) == [0, 1, 2, 3, 4]
    xr.testing.assert_equal(both.total[:2], weighted(a).total[:2])
    xr.testing.assert_equal(both.weight[3:], weighted(b, first_lead=2).weight[1:])


def test_a_value_without_weight_may_be_anything():
    nothing = weighted(([1, 2, 3], [0, 0, 0]))
    nothing = WeightedSum.of(nothing.total * np.nan, nothing.weight)
    something = weighted(([1, 2, 3], [1, 1, 1]))
    xr.testing.assert_equal((nothing + something).mean, something.mean)


def means(values_by_init, weight=1.0):
    """Means of the squared error at one lead time, NaN where an init time is not scored."""
    times = np.datetime64("2024-06-03", "ns") + np.arange(len(values_by_init)) * np.timedelta64(
        1, "D"
    )
    array = xr.DataArray(values_by_init, {"init_time": times})
    part = WeightedSum.of(array, xr.where(np.isnan(array), 0.0, weight))
    return Means({repr(SquaredError("t")): part})


def test_init_times_count_alike_whatever_their_weight():
    mse = MeanOf(SquaredError("t"))
    half = means([4.0, np.nan, 8.0], weight=0.5)
    assert evaluate(half, mse) == evaluate(means([4.0, 8.0]), mse) == 6.0
    assert list(by_init_time(half, mse).values[[0, 2]]) == [4.0, 8.0]
    assert np.isnan(by_init_time(half, mse)[1])


def test_a_metric_that_is_not_a_number_at_a_scored_init_time_shows():
    class Root(MeanOf):
        def value(self, means):
            return means[self.statistic] ** 0.5

    with np.errstate(invalid="ignore"):
        assert np.isnan(evaluate(means([4.0, -1.0]), Root(SquaredError("t"))))
    assert np.isnan(evaluate(means([np.nan, np.nan]), Root(SquaredError("t"))))


def test_joining_is_adding():
    leads = (np.timedelta64(6, "h"), np.timedelta64(12, "h"))
    one = Part((("prediction_timedelta", leads), ("region", ("r",))), np.ones((2, 1)), np.ones(2))
    shorter = Part(
        (("prediction_timedelta", leads[:1]), ("region", ("r",))), np.full((1, 1), 3.0), np.ones(1)
    )
    key = repr(SquaredError("t"))
    days = [np.datetime64("2024-06-03", "ns"), np.datetime64("2024-06-04", "ns")]
    joined = Means.joined({days[1]: {key: shorter}, days[0]: {key: one}})
    assert list(joined.init_times) == days
    added = Means.joined({days[0]: {key: one}}) + Means.joined({days[1]: {key: shorter}})
    xr.testing.assert_equal(joined.of(SquaredError("t")), added.of(SquaredError("t")))
    mean = evaluate(joined, MeanOf(SquaredError("t"))).sel(region="r")
    assert list(mean.values) == [2.0, 1.0]  # the second lead time has one init time


def test_samples_have_the_metric_as_their_mean():
    values = means([4.0, 9.0, 16.0])
    everywhere = scored(values, MeanOf(SquaredError("t")))
    for metric in (MeanOfRoots(SquaredError("t")), RootOfMean(SquaredError("t"))):
        numbers = samples(values, metric, everywhere)
        # 1e-8: a central difference with a step of 1e-4 of a parabola's size
        np.testing.assert_allclose(numbers.mean(), evaluate(values, metric), rtol=1e-8)
    # √m̄ + (m - m̄) / 2√m̄, the delta method by hand
    mean = 29 / 3
    expected = np.sqrt(mean) + (np.array([4, 9, 16]) - mean) / (2 * np.sqrt(mean))
    np.testing.assert_allclose(numbers, expected, rtol=1e-7)


def test_a_statistic_that_was_not_computed_is_named():
    with pytest.raises(ValueError, match=r"do not have Each\(inner=Error\(variable='t'\)\), only"):
        evaluate(means([1.0]), MeanOverMembers(MeanOf(Error("t"))))
