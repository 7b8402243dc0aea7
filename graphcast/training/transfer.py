"""Weights for another task: variables and levels that it adds or drops.

The network reads and predicts labelled columns, so its first and last weights have a row or a
column for each label. Those of labels that both tasks have are kept. A new input gets weights of
zero and a new target an output of zero, so that training starts from the forecast that the weights
made before, and from persistence for what is new. What a dropped input told the network is lost.
"""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from data.channels import Channels
from data.moments import Moments
from data.task import Task
from data.wording import listed
from graphcast.checkpoints import Checkpoint
from graphcast.network.model import GraphCast


def transferred(checkpoint: Checkpoint, task: Task) -> GraphCast:
    """The weights of a checkpoint, for another task.

    Raises:
        ValueError: the tasks have other steps or no target in common, or a target is fed back in
            one of them alone.
    """
    check_transfer(checkpoint.task, task)
    before, after = Channels(checkpoint.task), Channels(task)
    rows = _places(before.input_labels, after.input_labels)
    columns = _places(before.targets, after.targets)

    def first(weights: tuple[Array, ...]) -> tuple[Array, ...]:
        return (_taken(weights[0], rows), *weights[1:])

    def last(weights: tuple[Array, ...]) -> tuple[Array, ...]:
        return (*weights[:-1], _taken(weights[-1].T, columns).T)

    def last_biases(biases: tuple[Array, ...]) -> tuple[Array, ...]:
        return (*biases[:-1], _taken(biases[-1][:, None], columns)[:, 0])

    model = checkpoint.model
    for where, change in (
        (lambda m: m.encoder.embed_grid.weights, first),
        (lambda m: m.encoder.embed_mesh.weights, first),
        (lambda m: m.decoder.read_out.weights, last),
        (lambda m: m.decoder.read_out.biases, last_biases),
    ):
        model = eqx.tree_at(where, model, replace_fn=change)
    return model


def check_transfer(before: Task, after: Task) -> None:
    """Refuse a task that the weights of another cannot be brought to.

    Raises:
        ValueError: the tasks have other steps or no target in common, or a target is fed back in
            one of them alone.
    """
    if before.step_hours != after.step_hours:
        raise ValueError(
            f"weights keep their step, and these were trained for {before.step_hours} h, not "
            f"{after.step_hours} h; train new ones"
        )
    common = {*before.targets} & {*after.targets}
    if not common:
        raise ValueError(
            f"weights for another task have a target in common with it, and these predict "
            f"{listed(before.targets)}; train new ones"
        )
    fed = [name for name in sorted(common) if (name in before.inputs) != (name in after.inputs)]
    if fed:
        raise ValueError(
            f"what is predicted as a change stays so, and {listed(fed)} is an input of one task "
            "alone; leave it among the inputs, or out of them, as it was"
        )


def extended(kept: Moments, computed: Moments) -> Moments:
    """Statistics of a new task: those that the weights were trained with, where there are any.

    Args:
        kept: of the weights, which would forecast otherwise with others.
        computed: of everything that the new task has.
    """
    parts = {
        name: _overlaid(getattr(kept, name), getattr(computed, name)) for name in Moments._fields
    }
    return Moments.labelled(parts)


def _overlaid(kept: xr.Dataset, computed: xr.Dataset) -> xr.Dataset:
    fields = {}
    for name, values in computed.data_vars.items():
        if name not in kept:
            fields[name] = values
        elif "level" not in values.dims:
            fields[name] = kept[name]
        else:
            there = kept[name].reindex(level=values["level"].values)
            fields[name] = there.where(np.isfinite(there), values)
    return computed.assign(fields)


def _places(before: Sequence[object], after: Sequence[object]) -> list[int]:
    """For each label of the new task its place in the old one, -1 where that lacks it."""
    places = {label: place for place, label in enumerate(before)}
    return [places.get(label, -1) for label in after]


def _taken(rows: Float[Array, "before width"], places: list[int]) -> Float[Array, "after width"]:
    """Rows in a new order; zeros where there is none."""
    zero = jnp.zeros((1, rows.shape[1]), rows.dtype)
    return jnp.concatenate([jnp.asarray(rows), zero])[np.array(places)]
