"""Examples from frames in memory: those of the windows, in blocks, and turned for the toy."""

import jax
import numpy as np
import pytest

from data.windows import window
from graphcast.blocks import Blocking, out_of_blocks
from graphcast.forecaster import forecaster
from graphcast.training import InMemory, Phase, Recipe, frames
from graphcast.training.toy import Turned

RECIPE = Recipe((Phase("one", 3, peak=1e-3),), batch=4, seed=1)


@pytest.fixture(scope="module")
def ready(world):
    return forecaster(world.checkpoint, world.grid)


@pytest.mark.parametrize("lead_steps", [1, 2])
def test_a_batch_is_the_examples_of_the_windows_that_are_drawn(world, ready, lead_steps):
    packing = ready.alone.packing
    held = frames(ready, world.analyses)
    batch = InMemory(held, packing.rows, RECIPE).at(5, lead_steps)
    drawn = RECIPE.draw(held.samples(lead_steps)).indices(5)
    assert len(batch.current) == RECIPE.batch
    for number, sample in enumerate(drawn):
        init = world.analyses["time"].values[sample + 1]
        start = window(world.analyses, world.checkpoint.task, init_time=init)
        following = world.analyses.isel(time=slice(sample + 2, sample + 2 + lead_steps))
        due = packing.example(start, following)
        for leaf, twin in zip(jax.tree.leaves(batch), jax.tree.leaves(due), strict=True):
            np.testing.assert_array_equal(leaf[number], twin)


def test_a_turned_example_is_an_example_turned_back(world, ready):
    held = frames(ready, world.analyses)
    rows, columns = world.grid.shape
    one_block = Blocking(1, world.grid.size)
    turned = Turned(held, world.grid.shape, one_block, RECIPE).at(2, 1)
    numbers = RECIPE.draw(held.samples(1) * columns).indices(2)
    for number, (sample, by) in enumerate(divmod(int(n), columns) for n in numbers):
        whole = out_of_blocks(turned.targets[number, 0], world.grid.size)
        back = np.roll(whole.reshape(rows, columns, -1), -by, axis=1)
        np.testing.assert_array_equal(back.reshape(whole.shape), held.fields[sample + 2])


def test_too_few_frames_for_the_steps_are_refused(world, ready):
    few = frames(ready, world.analyses.isel(time=slice(0, 3)))
    assert few.samples(1) == 1
    words = r"an example of 2 step\(s\) takes 4 frames, and the training data have 3; add more"
    with pytest.raises(ValueError, match=words):
        few.samples(2)


def test_frames_with_a_gap_between_them_are_refused(world, ready):
    words = "6 h apart without a gap, as the task's steps; these are 6, 12 h apart"
    with pytest.raises(ValueError, match=words):
        frames(ready, world.analyses.isel(time=[0, 1, 3]))


def test_fields_with_gaps_are_refused_by_name(world, ready):
    analyses = world.analyses.copy(deep=True)
    analyses["temperature"][1, 0, 2, 3] = np.nan
    with pytest.raises(ValueError, match="these have gaps in temperature 500 hPa; leave out"):
        frames(ready, analyses)


def test_forcings_in_the_data_go_before_computed_ones(world, ready):
    analyses = world.analyses.assign(
        day_progress_sin=world.analyses["2m_temperature"].astype(np.float32)
    )
    held = frames(ready, analyses)
    plain = frames(ready, world.analyses)
    column = [str(c) for c in ready.channels.forcings].index("day_progress_sin")
    np.testing.assert_array_equal(
        held.forcings[..., column], analyses["2m_temperature"].values.reshape(5, -1)
    )
    np.testing.assert_array_equal(held.forcings[..., 1 - column], plain.forcings[..., 1 - column])
