"""The optimiser's published parts, and a loop that learns."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from graphcast.forecaster import forecaster
from graphcast.precision import FLOAT32
from graphcast.training.loop import Problem, train
from graphcast.training.optimiser import is_weight_matrix, published_optimiser, warm_up_and_cosine


@pytest.fixture(scope="module")
def problem_and_sample(world):
    ready = forecaster(world.checkpoint, world.grid)
    problem = Problem(
        ready.channels.input_order,
        ready.alone.layout,
        ready.normaliser,
        ready.alone.packing.statics(world.window),
        ready.alone.packing.loss_weights,
    )
    example = ready.alone.packing.example(world.window, world.analyses.isel(time=slice(2, 3)))
    return problem, example


def losses_and_model(world, problem_and_sample, updates, seed):
    problem, sample = problem_and_sample
    optimiser = published_optimiser(optax.constant_schedule(3e-3))
    key = jax.random.key(seed)
    steps = train(
        world.model, problem, [sample], optimiser, FLOAT32, updates=updates, batch_size=2, key=key
    )
    models, losses = zip(*steps, strict=True)
    return losses, models[-1]


def test_training_lowers_the_loss_and_repeats_itself(world, problem_and_sample):
    losses, model = losses_and_model(world, problem_and_sample, 25, seed=0)
    assert losses[-1] < 0.5 * losses[0]
    again, same = losses_and_model(world, problem_and_sample, 25, seed=0)
    assert again == losses
    for one, other in zip(jax.tree.leaves(model), jax.tree.leaves(same), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_weight_matrices_decay(world):
    mask = is_weight_matrix(world.model)
    assert all(jax.tree.leaves(mask.encoder.embed_grid.weights))
    assert not any(jax.tree.leaves(mask.encoder.embed_grid.biases))
    assert mask.processor.update_edges.scale is False
    decayed = published_optimiser(optax.constant_schedule(0.1))
    zero = jax.tree.map(jnp.zeros_like, world.model)
    change, _ = decayed.update(zero, decayed.init(world.model), world.model)
    np.testing.assert_allclose(
        change.decoder.read_out.weights[0],
        -0.1 * 0.1 * world.model.decoder.read_out.weights[0],
        rtol=1e-5,
    )
    assert not change.decoder.update_grid.scale.any()


def test_gradient_norm_is_clipped_at_32(world):
    optimiser = optax.chain(*[published_optimiser(optax.constant_schedule(1.0))])
    huge = jax.tree.map(lambda x: jnp.full_like(x, 1e3), world.model)
    small = jax.tree.map(lambda x: jnp.full_like(x, 1e-3), world.model)
    state = optimiser.init(world.model)
    # Adam's first step does not depend on the gradient's size, its memory of it does
    _, after_huge = optimiser.update(huge, state, world.model)
    _, after_small = optimiser.update(small, state, world.model)
    first = [x for x in jax.tree.leaves(eqx.filter(after_huge, eqx.is_array)) if x.ndim]
    norm = np.sqrt(sum(float(jnp.square(x / 0.1).sum()) for x in first[: len(first) // 2]))
    np.testing.assert_allclose(norm, 32.0, rtol=1e-3)
    assert len(jax.tree.leaves(after_small)) == len(jax.tree.leaves(after_huge))


def test_learning_rate_rises_and_falls():
    rate = warm_up_and_cosine(1e-3, 1000, 300_000)
    np.testing.assert_allclose([rate(0), rate(500), rate(1000)], [0, 5e-4, 1e-3], atol=1e-9)
    np.testing.assert_allclose(rate(150_500), 5e-4, rtol=1e-3)
    np.testing.assert_allclose(rate(300_000), 0, atol=1e-9)
