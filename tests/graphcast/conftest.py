"""A small world: 20° grid, mesh of one split, a task of two variables, a tiny random model."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from data.channels import Channels
from data.moments import Moments
from data.statistics import moments_of
from data.task import Task
from data.windows import Window, window
from graphcast.blocks import Layout, arrange
from graphcast.checkpoints import Checkpoint
from graphcast.network.model import GraphCast, ModelSpec, random_model
from mesh.graphs import Graphs, MeshSpec, build_graphs
from mesh.grid import LatLonGrid

SPEC = ModelSpec(MeshSpec(1), latent_size=8, processor_steps=2)
TASK = Task(
    name="small",
    inputs=("temperature", "2m_temperature", "day_progress_cos", "day_progress_sin"),
    targets=("temperature", "2m_temperature"),
    forcings=("day_progress_cos", "day_progress_sin"),
    levels=(500, 850),
)


class World(NamedTuple):
    grid: LatLonGrid
    graphs: Graphs
    layout: Layout
    model: GraphCast
    checkpoint: Checkpoint
    analyses: xr.Dataset
    window: Window


@pytest.fixture(scope="session")
def world() -> World:
    return make_world()


def make_world(spec: ModelSpec = SPEC) -> World:
    grid = LatLonGrid.regular(20.0)
    graphs = build_graphs(grid, spec.mesh)
    analyses = smooth_analyses(grid)
    moments: Moments = moments_of([analyses], TASK)
    channels = Channels(TASK)
    model = random_model(spec, channels.input_width, len(channels.targets), key=jax.random.key(0))
    checkpoint = Checkpoint(spec, TASK, model, moments, description="random weights")
    first = window(analyses, TASK, init_time=analyses["time"].values[1])
    # Blocks that do not divide the grid or the edges: padding is part of every test.
    layout = jax.tree.map(jnp.asarray, arrange(graphs, grid_block=70, edge_block=50))
    return World(grid, graphs, layout, model, checkpoint, analyses, first)


def smooth_analyses(grid: LatLonGrid, frames: int = 5) -> xr.Dataset:
    """Waves that travel east, in the canonical layout."""
    times = np.datetime64("2024-06-03T00", "ns") + np.arange(frames) * np.timedelta64(6, "h")
    latitude, longitude = np.array(grid.latitude), np.array(grid.longitude)
    phase = np.deg2rad(longitude)[None, :] * 2 - 0.3 * np.arange(frames)[:, None]
    wave = np.cos(np.deg2rad(latitude))[None, :, None] * np.sin(phase)[:, None, :]
    surface = (288 + 10 * wave).astype(np.float32)
    upper = np.stack([252 + 8 * wave, 280 + 9 * wave], axis=1).astype(np.float32)
    space = ("latitude", "longitude")
    return xr.Dataset(
        {
            "2m_temperature": (("time", *space), surface, {"units": "K"}),
            "temperature": (("time", "level", *space), upper, {"units": "K"}),
        },
        coords={
            "time": times,
            "level": np.array(TASK.levels),
            "latitude": latitude,
            "longitude": longitude,
        },
    )


@pytest.fixture
def without_moments(world: World) -> Checkpoint:
    return replace(world.checkpoint, moments=None)
