"""Draws: pure, even, and the same however a batch is divided."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphcast.training.draw import Draw

SEEDS = st.integers(0, 2**64 - 1)
UPDATES = st.integers(0, 2**40)
SAMPLES = st.integers(1, 10**7)


@given(SEEDS, UPDATES, SAMPLES, st.integers(1, 40))
def test_indices_are_samples_and_the_same_whenever_asked(seed, update, samples, batch):
    indices = Draw(seed, samples, batch).indices(update)
    assert indices.shape == (batch,)
    assert indices.dtype.kind == "i"
    assert ((indices >= 0) & (indices < samples)).all()
    np.testing.assert_array_equal(Draw(seed, samples, batch).indices(update), indices)


@given(SEEDS, UPDATES, st.integers(1, 20), st.integers(1, 20))
def test_a_larger_batch_begins_with_the_smaller_ones_indices(seed, update, batch, more):
    small, large = Draw(seed, 1000, batch), Draw(seed, 1000, batch + more)
    np.testing.assert_array_equal(large.indices(update)[:batch], small.indices(update))


@given(SEEDS, UPDATES)
def test_updates_and_seeds_draw_differently(seed, update):
    # 16 words of 64 bits: equal by chance once in 2^1024 (a billion samples keep 30 bits of each)
    drawn = Draw(seed, 10**9, 16).indices(update)
    assert (Draw(seed, 10**9, 16).indices(update + 1) != drawn).any()
    assert (Draw(seed ^ 1, 10**9, 16).indices(update) != drawn).any()


def test_every_sample_is_as_likely_as_any_other():
    draw = Draw(seed=3, samples=7, batch=100)
    drawn = np.concatenate([draw.indices(update) for update in range(700)])
    counts = np.bincount(drawn, minlength=7)
    # chi-squared with 6 degrees of freedom: above 22.5 once in a thousand seeds, and this is one
    expected = len(drawn) / 7
    assert ((counts - expected) ** 2 / expected).sum() < 22.5


def test_samples_are_drawn_with_replacement():
    assert len(set(Draw(0, samples=3, batch=10).indices(0).tolist())) <= 3


def test_draws_never_change_from_release_to_release():
    assert Draw(0, 1000, 4).indices(7).tolist() == [189, 251, 308, 457]
    assert Draw(2**63, 10**6, 3).indices(300_000).tolist() == [811053, 622280, 47502]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((-1, 1, 1), r"a seed is a number from 0 below 2\^64, and this is -1"),
        ((2**64, 1, 1), r"below 2\^64"),
        ((0, 0, 1), "at least one sample, and there are 0"),
        ((0, 1, 0), "a batch has at least one sample, and this one has 0"),
    ],
)
def test_numbers_that_make_no_draw_are_refused(numbers, words):
    with pytest.raises(ValueError, match=words):
        Draw(*numbers)
