"""Untrained weights: where training starts, and what the examples forecast with."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import xarray as xr
from jaxtyping import PRNGKeyArray

from data.channels import Channels
from data.statistics import moments_of, task_served
from data.task import Task
from graphcast.checkpoints.checkpoint import Checkpoint
from graphcast.network.model import GraphCast, ModelSpec, random_model
from mesh.graphs import MeshSpec

SMALL = ModelSpec(MeshSpec(splits=1), latent_size=16, processor_steps=2)


def untrained(
    analyses: Sequence[xr.Dataset],
    task: Task | None = None,
    spec: ModelSpec = SMALL,
    *,
    seed: int = 0,
) -> Checkpoint:
    """Weights that forecast persistence, with the statistics of some analyses.

    Args:
        analyses: canonical Datasets, three times or more in each.
        task: what to predict from what; None: the first of DeepMind's that the analyses serve, or
            else everything in them.
        spec: the size of the network; a toy if not given.
        seed: of the random weights before the last layer.

    Raises:
        ValueError: the analyses lack something of the task.
    """
    task = task_served(analyses[0]) if task is None else task
    return Checkpoint(
        spec,
        task,
        persistent_model(spec, Channels(task), key=jax.random.key(seed)),
        moments_of(analyses, task),
        "untrained weights, which forecast persistence",
        "none",
    )


def persistent_model(spec: ModelSpec, channels: Channels, *, key: PRNGKeyArray) -> GraphCast:
    """A random model whose last layer is zero, so that training starts from persistence."""
    model = random_model(spec, channels.input_width, len(channels.targets), key=key)
    persistent: GraphCast = eqx.tree_at(
        lambda m: m.decoder.read_out.weights[-1], model, replace_fn=jnp.zeros_like
    )
    return persistent
