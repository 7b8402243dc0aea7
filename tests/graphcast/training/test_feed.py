"""Batches read from a store: those in memory, whatever was asked for before."""

import jax
import numpy as np
import pytest

from graphcast.blocks import Blocking
from graphcast.forecaster import forecaster
from graphcast.training import InMemory, Phase, ReadAhead, Recipe, StoredFrames, frames

from ..conftest import smooth_analyses

RECIPE = Recipe(
    (Phase("one", 3, peak=1e-3), Phase("two", 3, peak=1e-3, lead_steps=2)), batch=3, seed=1
)
ROWS = Blocking(3, 61)  # padded: 180 grid points
NO_MEMORY = 0


@pytest.fixture(scope="module")
def analyses(world, tmp_path_factory):
    """Nine times in a store, unread."""
    import xarray as xr  # noqa: PLC0415

    path = tmp_path_factory.mktemp("store") / "analyses.zarr"
    smooth_analyses(world.grid, frames=9).to_zarr(path, zarr_format=2)
    return xr.open_zarr(path, chunks=None)


def assert_equal(one, other):
    for leaf, twin in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(leaf, twin)


@pytest.mark.parametrize("memory", [NO_MEMORY, 2**20])
def test_batches_are_those_of_the_update_in_any_order(world, analyses, memory):
    ready = forecaster(world.checkpoint, world.grid)
    in_memory = InMemory(frames(ready, analyses), ROWS, RECIPE)
    stored = StoredFrames(analyses, ready.checkpoint.task, ROWS, memory=memory)
    with ReadAhead(stored, RECIPE, ahead=2) as batches:
        for update in (0, 1, 2, 3, 1, 5, 4):
            steps = RECIPE.at(update).lead_steps
            assert_equal(batches.at(update, steps), in_memory.at(update, steps))


def test_frames_that_fit_are_read_once_and_others_again(world, analyses):
    task = world.checkpoint.task
    roomy, small = (StoredFrames(analyses, task, ROWS, memory=m) for m in (2**20, NO_MEMORY))
    size = roomy.frame(0).bytes
    for kept in (roomy, small):
        for index in (0, 1, 8, 0, 1, 8):
            kept.frame(index)
    assert roomy.read_bytes == 9 * size  # all times, several at once
    assert small.read_bytes == 6 * size


def test_a_gap_is_named_with_its_time(world, analyses):
    broken = analyses.load().copy(deep=True)
    broken["temperature"][4, 0, 2, 3] = np.nan
    stored = StoredFrames(broken, world.checkpoint.task, ROWS, memory=NO_MEMORY)
    with (
        ReadAhead(stored, RECIPE) as batches,
        pytest.raises(ValueError, match="gaps in temperature 500 hPa at 2024-06-04T00; leave out"),
    ):
        for update in range(3):
            batches.at(update, 1)


def test_times_with_a_gap_between_them_are_refused(world, analyses):
    words = "6 h apart without a gap, as the task's steps; these are 6, 12 h apart"
    with pytest.raises(ValueError, match=words):
        StoredFrames(analyses.isel(time=[0, 1, 3]), world.checkpoint.task, ROWS, memory=NO_MEMORY)
