"""The tests of significance: sizes, invariances, published formulas, and their words."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import ttest_1samp

from verification.significance import (
    TESTS,
    ar2_test,
    block_length,
    bootstrap_test,
    check_tests,
    hac_test,
    inflation,
    long_run_variance,
)

each_test = pytest.mark.parametrize("name", ["ar2", "hac", "bootstrap"])


def process(coefficients, n, trials, seed=0):
    noise = np.random.default_rng(seed).normal(size=(n + 200, trials))
    return lfilter([1.0], [1.0, *(-c for c in coefficients)], noise, axis=0)[200:]


def size(test, series):
    return float((test(series).p <= 0.05).mean())


def test_the_t_test_of_white_noise_has_its_size_within_one_percent():
    trials = process((), 365, 2000)  # the standard error of the share is 0.5 %
    assert size(ar2_test, trials) == pytest.approx(0.05, abs=0.01)
    assert size(hac_test, trials) == pytest.approx(0.05, abs=0.01)
    assert size(bootstrap_test, trials[:, :1000]) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("coefficients", [(0.6,), (0.5, 0.2)])
def test_correlated_differences_are_rejected_about_as_often_as_they_should_be(coefficients):
    trials = process(coefficients, 365, 500)  # the standard error of the share is 1 %
    naive = float((ttest_1samp(trials, 0).pvalue <= 0.05).mean())
    assert naive > 0.1
    for name in ("ar2", "hac", "bootstrap"):
        # 10 %: known excess of these tests at this length, below half of the naive one's
        assert 0.02 < size(TESTS[name], trials) < min(0.1, naive)


def test_inflation_is_that_of_an_ar1_process():
    long = process((0.6,), 200_000, 1)
    # k² = (1 + ρ)/(1 - ρ) = 4; the estimate's standard error is below 1 % at this length
    assert inflation(long)[0] ** 2 == pytest.approx(4.0, rel=0.03)


def test_inflation_of_white_noise_is_one_and_is_held_there_unless_asked():
    white = process((), 400, 300)
    held, free = inflation(white), inflation(white, least=0.0)
    assert (held >= 1).all()
    assert (free < 1).any()
    np.testing.assert_array_equal(held, np.maximum(free, 1.0))
    assert np.median(free) == pytest.approx(1.0, abs=0.02)


def test_inflation_is_geers_formula_on_the_autocorrelations():
    x = process((0.5, 0.2), 300, 1)[:, 0]
    z = x - x.mean()
    one, two = ((z[lag:] * z[:-lag]).sum() / (z * z).sum() for lag in (1, 2))
    first, second = one * (1 - two) / (1 - one**2), (two - one**2) / (1 - one**2)
    square = (1 - one * first - two * second) / (1 - first - second) ** 2
    assert inflation(x[:, None])[0] == pytest.approx(np.sqrt(square))


def test_with_no_inflation_it_is_the_paired_t_test():
    x = process((), 50, 20) + 0.2
    alternating = np.abs(x) * np.where(np.arange(50) % 2, 1.0, -1.0)[:, None] + 0.1  # k below 1
    alternating = alternating[:, inflation(alternating) == 1]
    ours, theirs = ar2_test(alternating), ttest_1samp(alternating, 0)
    interval = theirs.confidence_interval(0.95)
    np.testing.assert_allclose(ours.p, theirs.pvalue)
    np.testing.assert_allclose(ours.low, interval.low)
    np.testing.assert_allclose(ours.high, interval.high)


def test_long_run_variance_is_that_of_the_process():
    several = long_run_variance(process((0.6,), 4000, 40))
    # 1/(1 - φ)² = 6.25; 40 times 0.41 · 4000^(2/3) = 103 cosines: an error of √(2/4120) = 2.2 %,
    # and a bias of up to (π · 103/4000)² · φ/(1 - φ)² = 2.5 % from frequencies that are not 0
    assert several.mean() == pytest.approx(6.25, rel=0.1)


@pytest.mark.parametrize(
    ("coefficients", "seed", "expected"),
    [((), 0, 1.66074999), ((), 1, 1.4951418), ((), 2, 1.31634793), ((0.8,), 1, 24.25164365)],
)
def test_block_lengths_are_those_of_another_implementation(coefficients, seed, expected):
    # arch 8.0.0, optimal_block_length(x)["stationary"], of series where both read the same lag: it
    # takes the first small autocorrelation, Politis and White the last large one before it.
    assert block_length(process(coefficients, 400, 1, seed))[0] == pytest.approx(expected, rel=1e-8)


@each_test
def test_the_interval_holds_zero_exactly_where_p_is_large(name):
    shifts = np.linspace(-0.5, 0.5, 60)
    tested = TESTS[name](process((0.4,), 120, 60) + shifts)
    holds = (tested.low <= 0) & (tested.high >= 0)
    clear = np.abs(tested.p - 0.05) > 2e-3  # a bootstrap's p and interval are rounded to 1/2000
    np.testing.assert_array_equal(holds[clear], (tested.p > 0.05)[clear])
    np.testing.assert_allclose((tested.low + tested.high) / 2, tested.mean, atol=1e-12)


@each_test
def test_a_cell_does_not_depend_on_its_neighbours_and_keeps_its_place(name):
    card = process((0.5,), 80, 12).reshape(80, 3, 4) + 0.1
    whole = TESTS[name](card)
    alone = TESTS[name](card[:, 1, 2])
    for together, single in zip(whole, alone, strict=True):
        assert together.shape == (3, 4)
        assert together[1, 2] == pytest.approx(float(single), rel=1e-9)


@each_test
def test_units_change_the_numbers_and_not_p(name):
    card = process((0.5,), 90, 5) + 0.2
    tested, scaled = TESTS[name](card), TESTS[name](-1000 * card)
    np.testing.assert_allclose(scaled.p, tested.p)
    np.testing.assert_allclose(scaled.low, -1000 * tested.high)


@each_test
def test_gaps_are_not_counted_and_a_missing_end_is_a_shorter_series(name):
    card = process((0.5,), 100, 4)
    cut = card.copy()
    cut[90:, 2] = np.nan
    cut[40:44, 3] = np.nan
    tested = TESTS[name](cut)
    assert tested.n.tolist() == [100, 100, 90, 96]
    assert tested.mean[3] == pytest.approx(np.nanmean(cut[:, 3]))
    assert np.isfinite(tested.p).all()
    shorter = TESTS[name](card[:90, 2:3])
    # 30 %: the cosines of the whole length are not orthogonal on a part of it
    assert tested.high[2] - tested.low[2] == pytest.approx(
        float(shorter.high[0] - shorter.low[0]), rel=0.3
    )


@each_test
def test_too_few_init_times_give_the_mean_and_no_verdict(name):
    tested = TESTS[name](np.array([[1.0, np.nan], [2.0, np.nan], [4.0, np.nan]]))
    assert tested.n.tolist() == [3, 0]
    assert tested.mean[0] == pytest.approx(7 / 3)
    assert np.isnan(tested.mean[1])
    assert np.isnan([*tested.p, *tested.low, *tested.high]).all()


@each_test
def test_a_difference_that_never_changes_is_certain_and_none_at_all_is_chance(name):
    tested = TESTS[name](np.array([[0.1, 0.0]] * 30))
    assert tested.p[0] < 0.001
    assert tested.p[1] == 1.0
    assert tested.low[0] == pytest.approx(0.1)


def test_the_same_seed_draws_the_same_series():
    card = process((0.3,), 60, 3)
    first, again, other = (bootstrap_test(card, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.p, again.p)
    assert (first.low != other.low).any()


def test_infinite_differences_are_refused_in_words():
    with pytest.raises(ValueError, match="must be finite, or NaN where one of them was not scored"):
        ar2_test(np.array([[np.inf], [1.0]]))


def test_an_unknown_test_is_refused_with_the_names_of_those_there_are():
    with pytest.raises(ValueError, match=r"unknown test.* 'welch'; there are ar2, hac, bootstrap"):
        check_tests(["ar2", "welch"])
