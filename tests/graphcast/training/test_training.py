"""The optimiser's published parts, and a loop that learns and resumes."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from graphcast.training import AdamW, Phase, Recipe, read_state, train, write_state
from graphcast.training.optimiser import is_weight_matrix
from graphcast.training.step import next_state

from .small import training_of

TWO_PHASES = Recipe(
    (
        Phase("one step", 3, peak=3e-3, warm_up=1),
        Phase("two steps", 3, peak=1e-3, end=1e-3, lead_steps=2),
    ),
    batch=2,
    average_decay=0.8,
)


def assert_same_bytes(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for leaf, twin in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert leaf.dtype == twin.dtype
        assert np.asarray(leaf).tobytes() == np.asarray(twin).tobytes()


def test_training_lowers_the_loss_and_repeats_itself(world):
    constant = Phase("constant", 25, peak=3e-3, end=3e-3)
    recipe = replace(TWO_PHASES, phases=(constant,))
    losses, again = [], []
    first = train(*training_of(world, recipe), recipe, report=lambda p: losses.append(p.loss))
    assert losses[-1] < 0.5 * losses[0]
    second = train(*training_of(world, recipe), recipe, report=lambda p: again.append(p.loss))
    assert again == losses
    assert_same_bytes(first, second)


@pytest.mark.parametrize("stops", [(1,), (2, 4), (3,)])
def test_stopping_saving_and_going_on_gives_the_bytes_of_training_at_once(world, tmp_path, stops):
    state, problem, batches = training_of(world, TWO_PHASES)
    at_once, reports = [], []
    whole = train(state, problem, batches, TWO_PHASES, report=at_once.append)
    path = tmp_path / "state.safetensors"
    for until in (*stops, TWO_PHASES.updates):
        state = train(state, problem, batches, TWO_PHASES, until=until, report=reports.append)
        write_state(state, path, {})
        state = read_state(path, whole, {})
    assert_same_bytes(state, whole)
    assert reports == at_once


def test_updates_are_reported_in_order_with_what_held(world):
    reports = []
    train(*training_of(world, TWO_PHASES), TWO_PHASES, report=reports.append)
    assert [progress.update for progress in reports] == [1, 2, 3, 4, 5, 6]
    assert [p.conditions for p in reports] == [TWO_PHASES.at(update) for update in range(6)]


def test_one_program_is_compiled_for_each_number_of_autoregressive_steps(world):
    before = next_state._cache_size()
    train(*training_of(world, TWO_PHASES), TWO_PHASES)
    compiled = next_state._cache_size()
    assert compiled - before <= 2  # fewer where an earlier test has compiled them
    slower = replace(TWO_PHASES.phases[0], peak=1e-4, updates=1)
    other = replace(TWO_PHASES, seed=9, phases=(slower, TWO_PHASES.phases[1]))
    state, problem, batches = training_of(world, other)
    for until in (1, 2, 4):
        state = train(state, problem, batches, other, until=until)
    assert next_state._cache_size() == compiled


def test_the_average_decays_towards_the_weights(world):
    state, problem, batches = training_of(world, TWO_PHASES)
    expected = state.average
    for until in (1, 2, 3):
        state = train(state, problem, batches, TWO_PHASES, until=until)
        expected = jax.tree.map(lambda a, m: 0.8 * a + 0.2 * m, expected, state.model)
        for leaf, due in zip(
            jax.tree.leaves(state.average), jax.tree.leaves(expected), strict=True
        ):
            # float32: another order of the same products, on weights of order 1
            np.testing.assert_allclose(leaf, due, rtol=1e-5, atol=1e-6)


def test_only_weight_matrices_decay(world):
    mask = is_weight_matrix(world.model)
    assert all(jax.tree.leaves(mask.encoder.embed_grid.weights))
    assert not any(jax.tree.leaves(mask.encoder.embed_grid.biases))
    assert mask.processor.update_edges.scale is False
    optimiser = AdamW().transformation()
    zero = jax.tree.map(jnp.zeros_like, world.model)
    direction, _ = optimiser.update(zero, optimiser.init(world.model), world.model)
    np.testing.assert_allclose(
        direction.decoder.read_out.weights[0],
        0.1 * world.model.decoder.read_out.weights[0],
        rtol=1e-5,  # float32
    )
    assert not direction.decoder.update_grid.scale.any()


@pytest.mark.parametrize(("size", "norm"), [(1e3, 32.0), (1e-3, None)])
def test_a_gradient_is_clipped_to_a_norm_of_32_and_not_below(world, size, norm):
    gradient = jax.tree.map(lambda x: jnp.full_like(x, size), world.model)
    whole = np.sqrt(sum(float(jnp.square(x).sum()) for x in jax.tree.leaves(gradient)))
    optimiser = AdamW().transformation()
    _, (_, adam, _) = optimiser.update(gradient, optimiser.init(world.model), world.model)
    # After one update Adam remembers (1 - β₁) times the gradient.
    remembered = np.sqrt(sum(float(jnp.square(x / 0.1).sum()) for x in jax.tree.leaves(adam.mu)))
    np.testing.assert_allclose(remembered, norm or whole, rtol=1e-4)  # float32 sums


def test_more_updates_than_the_recipe_has_are_refused(world):
    with pytest.raises(ValueError, match="the recipe has 6 updates, not 7"):
        train(*training_of(world, TWO_PHASES), TWO_PHASES, until=7)


def test_batches_of_another_recipe_are_refused(world):
    words = "batches have 4 examples, and update 0 was given 2"
    with pytest.raises(ValueError, match=words):
        train(*training_of(world, TWO_PHASES), replace(TWO_PHASES, batch=4))


def test_a_loss_that_is_not_finite_ends_training_with_the_update(world):
    recipe = replace(TWO_PHASES, phases=(Phase("too fast", 5, peak=1e30, end=1e30),))
    with pytest.raises(ValueError, match=r"the loss of update \d is (nan|inf); lower the learning"):
        train(*training_of(world, recipe), recipe)
