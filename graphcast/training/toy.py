"""The demonstration's toy model: a small network trained for a minute on the first four analyses.

Four analyses are all that the packaged sample has before the forecast starts. Each example is
turned around the Earth's axis by a drawn number of columns, the hour of the day with it. On a
planet without land this would be more data. The Earth has land, so the model is a toy, and its
description says so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float

from data.grids import grid_of
from data.task import Task
from data.windows import window
from data.wording import hour
from graphcast.blocks import Blocking
from graphcast.checkpoints import Checkpoint
from graphcast.forecaster import forecaster
from graphcast.loss import Example
from graphcast.machine.machine import Machine
from graphcast.network.model import ModelSpec
from graphcast.training.batches import Frames, batch_in_blocks, frames
from graphcast.training.loop import Progress, train
from graphcast.training.problem import plan_of_updates, training_problem
from graphcast.training.recipe import Phase, Recipe
from graphcast.training.state import initial_state
from graphcast.training.untrained import untrained
from mesh.graphs import MeshSpec

TOY_TASK = Task(
    name="toy",
    inputs=(
        *("geopotential", "specific_humidity", "temperature"),
        *("u_component_of_wind", "v_component_of_wind"),
        *("day_progress_cos", "day_progress_sin", "toa_incident_solar_radiation"),
    ),
    targets=(
        *("geopotential", "specific_humidity", "temperature"),
        *("u_component_of_wind", "v_component_of_wind"),
    ),
    forcings=("day_progress_cos", "day_progress_sin", "toa_incident_solar_radiation"),
    levels=(300, 400, 500, 700, 850, 1000),
)
TOY_SPEC = ModelSpec(MeshSpec(splits=2), latent_size=64, processor_steps=4, resolution=10.0)
TOY_RECIPE = Recipe(phases=(Phase("toy", updates=800, peak=1e-3, warm_up=80),), batch=1)


def train_toy(analyses: xr.Dataset, *, seed: int, report: Callable[[Progress], None]) -> Checkpoint:
    """A toy trained on `analyses` (canonical, 6 h apart) alone, statistics included.

    Args:
        analyses: three times or more.
        seed: of the first weights and of the draws.
        report: called after each update.
    """
    recipe = replace(TOY_RECIPE, seed=seed)
    grid = grid_of(analyses)
    start = untrained([analyses], TOY_TASK, TOY_SPEC, seed=seed)
    ready = forecaster(start, grid)
    plan = plan_of_updates(ready, recipe, Machine())
    first = window(analyses, TOY_TASK, init_time=analyses["time"].values[1])
    state = train(
        initial_state(start.model, recipe),
        training_problem(ready, plan, first),
        Turned(frames(ready, analyses), grid.shape, plan.layout.rows, recipe),
        recipe,
        report=report,
    )
    return _described(replace(start, model=state.model), recipe, analyses)


@dataclass(frozen=True)
class Turned:
    """Batches of frames in memory, each example turned by a drawn number of columns.

    Attributes:
        frames: the frames as they are.
        shape: rows and columns of the grid.
        rows: how grid points are cut into blocks, as in the training problem.
        recipe: gives the draws.
    """

    frames: Frames
    shape: tuple[int, int]
    rows: Blocking
    recipe: Recipe

    def at(self, update: int, lead_steps: int) -> Example:
        """The examples of an update."""
        _, columns = self.shape
        draw = self.recipe.draw(self.frames.samples(lead_steps) * columns)
        numbers = (divmod(int(number), columns) for number in draw.indices(update))
        examples = [self._turned(*number, lead_steps) for number in numbers]
        return batch_in_blocks(examples, self.rows)

    def _turned(self, sample: int, by: int, lead_steps: int) -> Example:
        def turned(
            field: Float[np.ndarray, "*times grid channels"],
        ) -> Float[np.ndarray, "*times grid channels"]:
            *times, _, channels = field.shape
            on_grid = field.reshape(*times, *self.shape, channels)
            return np.roll(on_grid, by, axis=-2).reshape(field.shape)

        example: Example = jax.tree.map(turned, self.frames.example(sample, lead_steps))
        return example


def _described(toy: Checkpoint, recipe: Recipe, analyses: xr.Dataset) -> Checkpoint:
    first, last = (hour(analyses["time"].values[i]) for i in (0, -1))
    return replace(
        toy,
        description=(
            f"TOY, for demonstration only: {recipe.updates} updates on the "
            f"{analyses.sizes['time']} ECMWF IFS analyses from {first} to {last} UTC at 10 "
            "degrees, at every longitude"
        ),
        license="Apache-2.0; trained on ECMWF data, CC-BY-4.0",
        provenance={
            "seed": str(recipe.seed),
            "updates": str(recipe.updates),
            "precision": recipe.precision,
        },
    )
