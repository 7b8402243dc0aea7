"""Weights for another task forecast as before what both have, until they are trained."""

from dataclasses import replace

import numpy as np
import pytest

from data.statistics import moments_of
from data.task import Task
from data.windows import window
from graphcast.checkpoints import Checkpoint
from graphcast.forecaster import forecaster
from graphcast.training.transfer import check_transfer, extended, transferred

MORE = Task(
    name="more",
    inputs=(
        *("geopotential", "temperature", "2m_temperature"),
        *("year_progress_sin", "day_progress_sin"),
    ),
    targets=("geopotential", "temperature", "2m_temperature"),
    forcings=("day_progress_sin", "year_progress_sin"),
    levels=(300, 500, 850),
)  # fmt: skip


@pytest.fixture(scope="module")
def more(world):
    """The world's analyses with another level, another variable, and statistics of both."""
    analyses = world.analyses.reindex(level=[300, 500, 850])
    analyses["temperature"] = analyses["temperature"].fillna(analyses["temperature"].mean() - 20)
    analyses["temperature"][{"level": 0}] += np.float32(0.1) * analyses["2m_temperature"]
    upper = (9.80665 * 290 * (300 - analyses["temperature"])).astype(np.float32)
    shift = {"level": [90_000.0, 54_000.0, 14_000.0]}
    upper = (
        upper
        - upper.mean(("time", "latitude", "longitude"))
        + np.array(shift["level"])[:, None, None].astype(np.float32)
    )
    return analyses.assign(geopotential=upper.astype(np.float32).assign_attrs(units="m2 s-2"))


def test_the_first_forecast_of_what_both_tasks_have_is_unchanged(world, more):
    old = replace(world.checkpoint, task=replace(world.checkpoint.task, name="old"))
    reads_less = {"day_progress_cos"}  # a dropped input: its weights are zero before, too
    rows = [getattr(label, "variable", "") in reads_less for label, _ in _labels(old.task)]
    import equinox as eqx  # noqa: PLC0415

    silent = eqx.tree_at(
        lambda m: m.encoder.embed_grid.weights[0],
        old.model,
        replace_fn=lambda w: w.at[np.array(rows)].set(0.0),
    )
    old = replace(old, model=silent)
    moments = extended(old.moments, moments_of([more], MORE))
    new = Checkpoint(old.spec, MORE, transferred(old, MORE), moments)
    init = more["time"].values[1]
    before, after = (
        next(iter(forecaster(c, world.grid).forecast(window(data, c.task, init_time=init), 1)))
        for c, data in ((old, world.analyses), (new, more))
    )
    for name, levels in (("temperature", {"level": [500, 850]}), ("2m_temperature", {})):
        # float32: the same products with zeros among them, summed in another order; in K
        np.testing.assert_allclose(after[name].sel(levels), before[name], rtol=0, atol=1e-3)
    start = more.isel(time=1)
    np.testing.assert_array_equal(after["geopotential"].values, start["geopotential"].values)


def _labels(task):
    from data.channels import Channels  # noqa: PLC0415

    return Channels(task).input_labels


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"step_hours": 12}, "these were trained for 6 h, not 12 h"),
        ({"inputs": ("temperature", "day_progress_cos")}, "2m_temperature is an input of one task"),
        (
            {"targets": ("geopotential",), "inputs": ("geopotential",)},
            "these predict temperature, 2m_temperature; train new ones",
        ),
    ],
)
def test_tasks_that_weights_cannot_be_brought_to_are_refused(world, change, words):
    with pytest.raises(ValueError, match=words):
        check_transfer(world.checkpoint.task, replace(world.checkpoint.task, **change))
