"""Files of training states: bytes come back, and what belongs elsewhere is refused by name."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from graphcast.checkpoints import write_checkpoint
from graphcast.network import model_template
from graphcast.training import Phase, Recipe, initial_state, read_state, write_state

RECIPE = Recipe((Phase("one", 3, peak=1e-3),), batch=2, average_decay=0.99)
TRAINING = {"recipe": json.loads(RECIPE.to_json()), "data": "era5.zarr"}


@pytest.fixture
def state(world):
    """A state with other numbers in each leaf, some of them as odd as float32 has."""
    rng = np.random.default_rng(0)

    def odd(leaf):
        if leaf.dtype != np.float32:
            return leaf + 7
        numbers = rng.standard_normal(leaf.shape, np.float32)
        numbers.flat[: min(2, numbers.size)] = [-0.0, 1e-45][: numbers.size]
        return numbers

    return jax.tree.map(odd, initial_state(world.model, RECIPE))


@pytest.fixture
def path(state, tmp_path):
    path = tmp_path / "state.safetensors"
    write_state(state, path, TRAINING)
    return path


def test_a_state_comes_back_byte_for_byte(world, state, path):
    template = initial_state(model_template(world.checkpoint.spec, world.checkpoint.task), RECIPE)
    restored = read_state(path, template, TRAINING)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    for leaf, twin in zip(jax.tree.leaves(restored), jax.tree.leaves(state), strict=True):
        assert leaf.dtype == twin.dtype
        assert np.asarray(leaf).tobytes() == np.asarray(twin).tobytes()


def test_equal_states_give_equal_files(state, path, tmp_path):
    write_state(state, tmp_path / "again.safetensors", TRAINING)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_another_training_is_refused_with_every_difference(state, path):
    recipe = replace(RECIPE, seed=1, phases=(Phase("one", 3, peak=2e-3),))
    training = {"recipe": json.loads(recipe.to_json()), "data": "other.zarr"}
    with pytest.raises(ValueError, match="comes from another training") as error:
        read_state(path, state, training)
    assert "its data is 'era5.zarr', and 'other.zarr' is asked for" in str(error.value)
    assert "its recipe.seed is 0, and 1 is asked for" in str(error.value)
    assert "its recipe.phases is [{" in str(error.value)
    assert "recipe.batch" not in str(error.value)


def test_a_state_without_an_average_does_not_fit_a_recipe_with_one(world, tmp_path):
    plain = initial_state(world.model, replace(RECIPE, average_decay=None))
    write_state(plain, tmp_path / "plain.safetensors", {})
    with pytest.raises(ValueError, match=r"missing: average\.decoder\.embed_edges\.biases\.0"):
        read_state(tmp_path / "plain.safetensors", initial_state(world.model, RECIPE), {})


def test_a_checkpoint_is_no_training_state(world, state, tmp_path):
    write_checkpoint(world.checkpoint, tmp_path / "weights.safetensors")
    words = "its format is 'graphcast-checkpoint/1', not 'graphcast-training/1'"
    with pytest.raises(ValueError, match=words):
        read_state(tmp_path / "weights.safetensors", state, {})


def test_a_damaged_state_is_refused(state, path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 0x01
    path.write_bytes(content)
    with pytest.raises(ValueError, match="does not have the recorded SHA-256"):
        read_state(path, state, TRAINING)
