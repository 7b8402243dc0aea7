"""Skill scores, scores of means, and false discoveries."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from verification.significance import Estimate, adjusted, ar2_test, linearised, skill_interval


def test_adjusted_p_values_are_benjamini_and_hochbergs():
    p = np.random.default_rng(0).uniform(size=(30, 46)) ** 2
    np.testing.assert_allclose(adjusted(p).ravel(), false_discovery_control(p.ravel()))
    with_gap = np.append(p.ravel(), np.nan)
    np.testing.assert_array_equal(adjusted(with_gap)[:-1], adjusted(p).ravel())
    assert np.isnan(adjusted(with_gap)[-1])


def test_of_a_card_of_chance_almost_no_cell_is_discovered():
    chance = np.random.default_rng(0).uniform(size=1380)
    assert (chance <= 0.05).sum() > 40
    assert (adjusted(chance) <= 0.05).sum() == 0


def test_a_linearised_score_has_the_score_as_its_mean():
    squares = np.random.default_rng(0).gamma(4.0, size=(200, 3))
    squares[5, 1] = np.nan
    roots = linearised(squares, np.sqrt, lambda mean: 0.5 / np.sqrt(mean))
    np.testing.assert_allclose(np.nanmean(roots, axis=0), np.sqrt(np.nanmean(squares, axis=0)))
    assert np.isnan(roots[5, 1])


def test_a_skill_interval_is_the_extremes_of_both_intervals():
    def tested(low, high):
        parts = (np.array([x]) for x in ((low + high) / 2, low, high, 0.01))
        return Estimate(*parts, np.array([100]))

    low, high = skill_interval(tested(-4.0, -2.0), tested(8.0, 10.0))
    assert (low[0], high[0]) == (pytest.approx(-0.5), pytest.approx(-0.2))
    low, high = skill_interval(tested(-1.0, 2.0), tested(8.0, 10.0))
    assert (low[0], high[0]) == (pytest.approx(-0.125), pytest.approx(0.25))
    assert np.isnan(skill_interval(tested(-1.0, 2.0), tested(-1.0, 10.0))[0][0])


def test_a_skill_interval_covers_the_true_skill_at_least_as_often_as_its_level():
    rng = np.random.default_rng(0)
    reference = 10 + rng.normal(size=(100, 400))
    difference = -1 + rng.normal(size=(100, 400))
    level = (1 + 0.95) / 2
    low, high = skill_interval(ar2_test(difference, level=level), ar2_test(reference, level=level))
    assert ((low <= -0.1) & (high >= -0.1)).mean() >= 0.95
