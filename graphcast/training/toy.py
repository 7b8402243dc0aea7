"""The demonstration's toy model: a small network trained for a minute on the first four analyses.

Three changes over six hours are all that the packaged sample has before the forecast starts. Each
sample is used at every longitude (turned around the Earth's axis, the hour of the day with it),
which holds on a planet without land, and ours has some: this is a toy, and says so.
"""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Shaped

from data.channels import Channels
from data.statistics import moments_of
from data.task import STEP, Task
from data.windows import window
from graphcast.blocks import in_blocks, out_of_blocks
from graphcast.checkpoints import Checkpoint
from graphcast.forecaster import Forecaster, forecaster
from graphcast.loss import Example
from graphcast.network.model import GraphCast, ModelSpec, random_model
from graphcast.precision import FLOAT32
from graphcast.training.loop import Problem, train
from graphcast.training.optimiser import published_optimiser, warm_up_and_cosine
from mesh.graphs import MeshSpec
from mesh.grid import LatLonGrid

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
UPDATES = 800
PEAK_LEARNING_RATE = 1e-3


def train_toy(analyses: xr.Dataset, *, seed: int) -> Iterator[tuple[int, float, Checkpoint | None]]:
    """Train on `analyses` (6-hourly, canonical) alone, statistics included.

    Yields update, loss, and None until the last update, which comes with the checkpoint.
    """
    grid = LatLonGrid.from_coordinates(analyses["latitude"].values, analyses["longitude"].values)
    start, draws = jax.random.split(jax.random.key(seed))
    untrained = Checkpoint(
        TOY_SPEC, TOY_TASK, _persistent_model(start), moments_of([analyses], TOY_TASK)
    )
    ready = forecaster(untrained, grid)
    first = window(analyses, TOY_TASK, init_time=analyses["time"].values[1])
    problem = Problem(
        ready.channels.input_order,
        ready.alone.layout,
        ready.normaliser,
        ready.alone.packing.statics(first),
        ready.alone.packing.loss_weights,
    )
    optimiser = published_optimiser(warm_up_and_cosine(PEAK_LEARNING_RATE, UPDATES // 10, UPDATES))
    updates = train(
        untrained.model,
        problem,
        turned_samples(ready, analyses),
        optimiser,
        FLOAT32,
        updates=UPDATES,
        key=draws,
    )
    for number, (model, loss) in enumerate(updates, start=1):
        yield (
            number,
            loss,
            _finished(untrained, model, analyses, seed) if number == UPDATES else None,
        )


def turned_samples(ready: Forecaster, analyses: xr.Dataset) -> list[Example]:
    """Every three consecutive frames as a sample, at every longitude."""
    times = analyses["time"].values
    samples = [
        ready.alone.packing.example(
            window(analyses, TOY_TASK, init_time=time), analyses.sel(time=[time + STEP])
        )
        for time in times[1:-1]
    ]
    nlat, nlon = ready.grid.shape

    def turned(
        blocks: Shaped[np.ndarray, "*frames blocks rows channels"], columns: int
    ) -> Shaped[np.ndarray, "*frames blocks rows channels"]:
        frames = blocks.reshape(-1, *blocks.shape[-3:])
        rows = np.stack([out_of_blocks(frame, ready.grid.size) for frame in frames])
        field = np.roll(rows.reshape(-1, nlat, nlon, rows.shape[-1]), columns, axis=-2)
        whole = [in_blocks(frame, ready.alone.layout.rows) for frame in field.reshape(rows.shape)]
        return np.stack(whole).reshape(blocks.shape)

    return [
        jax.tree.map(lambda leaf, by=by: turned(leaf, by), sample)
        for sample in samples
        for by in range(nlon)
    ]


def _persistent_model(key: jax.Array) -> GraphCast:
    """A random model whose last layer is zero, so that training starts from persistence."""
    channels = Channels(TOY_TASK)
    model = random_model(TOY_SPEC, channels.input_width, len(channels.targets), key=key)
    persistent: GraphCast = eqx.tree_at(
        lambda m: m.decoder.read_out.weights[-1], model, replace_fn=jnp.zeros_like
    )
    return persistent


def _finished(
    untrained: Checkpoint, model: GraphCast, analyses: xr.Dataset, seed: int
) -> Checkpoint:
    first, last = (str(analyses["time"].values[i])[:13] for i in (0, -1))
    return Checkpoint(
        spec=untrained.spec,
        task=untrained.task,
        model=model,
        moments=untrained.moments,
        description=(
            f"TOY, for demonstration only: {UPDATES} updates on the {analyses.sizes['time']} ECMWF "
            f"IFS analyses from {first} to {last} UTC at 10 degrees, at every longitude"
        ),
        license="Apache-2.0; trained on ECMWF data, CC-BY-4.0",
        provenance={"seed": str(seed), "updates": str(UPDATES), "precision": "float32"},
    )
