"""Physical units, one step and many."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from graphcast.forecaster import forecaster
from graphcast.normaliser import Normaliser, Pool


@pytest.fixture(scope="module")
def ready(world):
    return forecaster(world.checkpoint, world.grid)


def with_model(ready, model):
    return replace(ready, checkpoint=replace(ready.checkpoint, model=model))


def persistent(ready):
    """The forecaster with a read-out that answers zero to everything."""
    model = eqx.tree_at(
        lambda m: (m.decoder.read_out.weights[-1], m.decoder.read_out.biases[-1]),
        ready.checkpoint.model,
        replace_fn=jnp.zeros_like,
    )
    return with_model(ready, model)


def test_zero_output_is_persistence(world, ready):
    for predicted in persistent(ready).forecast(world.window, 3):
        for name in predicted:
            last = world.window.frames[name].isel(time=-1)
            np.testing.assert_array_equal(predicted[name].values, last.values)


def test_forecast_has_one_frame_a_step_in_order(world, ready):
    frames = list(ready.forecast(world.window, 3))
    assert len(frames) == 3
    assert set(frames[0].data_vars) == {"temperature", "2m_temperature"}
    # a second run gives the same bits, and shorter forecasts are prefixes of longer ones
    again = list(ready.forecast(world.window, 2))
    for one, other in zip(frames, again, strict=False):
        assert one.equals(other)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_going_on_gives_the_same_bits(world, ready, first):
    whole = list(ready.forecast(world.window, 4))
    rest = ready.forecast(world.window, 4, first=first, done=whole[:first][-2:])
    for one, other in zip(whole[first:], rest, strict=True):
        assert one.equals(other)


def test_prediction_and_wanted_output_are_inverse():
    rng = np.random.default_rng(0)
    fed = np.array([True, False, True])
    numbers = [rng.uniform(1, 2, 3).astype(np.float32) for _ in range(3)]
    empty = np.zeros(0, np.float32)
    normaliser = Normaliser(*numbers[:2], empty, empty, empty, empty, fed, numbers[2])
    output = jnp.asarray(rng.normal(size=(5, 3)), jnp.float32)
    current = jnp.asarray(rng.normal(size=(5, 3)), jnp.float32)
    predicted = normaliser.prediction(output, current)
    np.testing.assert_allclose(normaliser.wanted_output(predicted, current), output, atol=1e-5)
    # a target that is no input is predicted from its mean, not from its last value
    elsewhere = normaliser.prediction(output, current + 1)
    np.testing.assert_array_equal(elsewhere[:, 1], predicted[:, 1])
    assert (elsewhere[:, 0] != predicted[:, 0]).all()


def test_an_assembled_pool_is_normalised():
    ones = np.ones(2, np.float32)
    normaliser = Normaliser(
        3 * ones, 2 * ones, ones, ones, 5 * ones, ones, np.array([True, True]), ones
    )
    rows = np.full((4, 2), 7, np.float32)
    pool = Pool(rows, rows, rows, rows, rows, rows)
    inputs = normaliser.assemble(pool, jnp.zeros((4, 3)))
    np.testing.assert_array_equal(inputs[0], [2, 2, 2, 2, 6, 6, 6, 6, 6, 6, 2, 2, 0, 0, 0])


def test_non_finite_forecast_is_refused_with_lead_and_channel(world, ready):
    model = eqx.tree_at(
        lambda m: m.decoder.read_out.biases[-1],
        world.model,
        replace_fn=lambda bias: bias.at[1].set(jnp.inf),
    )
    broken = with_model(ready, model)
    with pytest.raises(ValueError, match="not finite at lead 6 h, first in temperature 500 hPa"):
        list(broken.forecast(world.window, 2))


def test_missing_statistics_are_refused(world, without_moments):
    with pytest.raises(ValueError, match="no normalisation statistics; give `statistics`"):
        forecaster(without_moments, world.grid)


def test_missing_statistic_is_named(world):
    moments = world.checkpoint.moments
    lacking = moments._replace(diffs_stddev=moments.diffs_stddev.drop_vars("temperature"))
    with pytest.raises(ValueError, match="temperature"):
        forecaster(world.checkpoint.with_moments(lacking), world.grid)


def test_loss_of_a_perfect_forecast_is_zero(world, ready):
    targets = next(iter(ready.forecast(world.window, 1))).expand_dims("time")
    total, shares = ready.loss(world.window, targets)
    # y is compared before it is scaled and added to a field of about 280 K and back:
    # float32 rounding of 280 in units of a 6-hour change of about 2 K, squared
    assert total < (280 * 2.0**-23 / 1.0) ** 2
    assert set(shares) == {"temperature", "2m_temperature"}


def test_loss_of_persistence_is_the_mean_square_of_the_changes(world, ready):
    following = world.analyses.isel(time=slice(2, 3))
    total, _ = persistent(ready).loss(world.window, following)
    area = world.grid.row_areas()[:, None] / world.grid.shape[1]
    moments = world.checkpoint.moments
    expected = 0.0
    for name in ("temperature", "2m_temperature"):
        change = following[name].isel(time=0) - world.window.frames[name].isel(time=-1)
        square = np.square(change / moments.diffs_stddev[name])
        if "level" in square.dims:
            square = (square * square["level"] / square["level"].mean()).mean("level")
        expected += float((square * area).sum())
    np.testing.assert_allclose(total, expected, rtol=1e-5)


def test_loss_over_two_steps_is_the_mean_of_both(world, ready):
    targets = world.analyses.isel(time=slice(2, 4))
    frames = list(ready.forecast(world.window, 2))
    both, _ = ready.loss(world.window, targets)
    perfect_first = targets.copy()
    for name in frames[0]:
        perfect_first[name] = targets[name].copy()
        perfect_first[name][0] = frames[0][name].values
    second, _ = ready.loss(world.window, perfect_first)
    first, _ = ready.loss(world.window, targets.isel(time=slice(0, 1)))
    np.testing.assert_allclose(both, second + first / 2, rtol=1e-4)


def test_gradient_is_the_slope_of_the_loss(world, ready):
    targets = world.analyses.isel(time=slice(2, 4))
    gradient = ready.gradient(world.window, targets)
    slope = sum(float(jnp.square(leaf).sum()) for leaf in jax.tree.leaves(gradient))
    step = 1e-3 / slope**0.5

    def shifted(sign):
        model = jax.tree.map(lambda w, g: w + sign * step * g, world.model, gradient)
        return with_model(ready, model).loss(world.window, targets)[0]

    # central difference of a float32 loss: curvature and rounding both below 1 % at this step
    np.testing.assert_allclose((shifted(1) - shifted(-1)) / (2 * step), slope, rtol=0.01)
