"""All that an update changes, and the file that it goes on from.

A state is one safetensors file: the tree's leaves under their paths (`model.encoder…`,
`optimiser.1.mu.encoder…`, `update`), and a header that says which training it belongs to. What is
read back has the bytes of what was written.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Int32

from data.stores.kind import label
from graphcast.checkpoints.checkpoint import check_tensors
from graphcast.checkpoints.tensors import named_leaves, read_tensors, with_leaves, write_tensors
from graphcast.network.model import GraphCast
from graphcast.training.recipe import Recipe

FORMAT = "graphcast-training/1"


class TrainState(eqx.Module):
    """What an update changes.

    Attributes:
        model: the weights.
        average: their exponential moving average, or None where the recipe keeps none.
        optimiser: the optimiser's memory.
        update: how many updates have been made.
    """

    model: GraphCast
    average: GraphCast | None
    optimiser: optax.OptState
    update: Int32[Array, ""]


def initial_state(model: GraphCast, recipe: Recipe) -> TrainState:
    """The state before the first update of `model`; also of a model of shapes, for `read_state`."""

    def state(model: GraphCast) -> TrainState:
        return TrainState(
            model,
            None if recipe.average_decay is None else model,
            recipe.optimiser.transformation().init(model),
            jnp.zeros((), jnp.int32),
        )

    if any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(model)):
        shapes: TrainState = jax.eval_shape(state, model)
        return shapes
    return state(model)


def write_state(state: TrainState, path: Path, training: Mapping[str, Any]) -> None:
    """Write a state, which appears whole or not at all.

    Args:
        state: on this device, or whole on each of several.
        path: the file, which is replaced.
        training: a JSON object that says which training this is: its recipe, task, grid, data.
    """
    tensors = {name: np.asarray(leaf, order="C") for name, leaf in named_leaves(state).items()}
    write_tensors(
        path, {"format": FORMAT, **label("training", 1), "training": dict(training)}, tensors
    )


def read_state(path: Path, like: TrainState, training: Mapping[str, Any]) -> TrainState:
    """The state in a file.

    Args:
        path: the file.
        like: a state with the tensors that it must have, of arrays or of shapes.
        training: what `write_state` was told; the file must have been told the same.

    Raises:
        ValueError: the file is damaged, holds another kind of thing, or comes from another
            training, with every difference named.
    """
    header, tensors = read_tensors(path, FORMAT)
    if differences := list(_differences(header["training"], dict(training))):
        raise ValueError(
            f"{path} comes from another training: {'; '.join(differences)}; give what it was "
            "begun with, or choose another output"
        )
    check_tensors(tensors, named_leaves(like), str(path))
    return with_leaves(like, tensors)


def _differences(written: Any, due: Any, place: str = "") -> Iterator[str]:
    """A phrase for each value in which two JSON objects differ."""
    if isinstance(written, Mapping) and isinstance(due, Mapping):
        for key in sorted(written.keys() | due.keys()):
            name = f"{place}.{key}" if place else str(key)
            yield from _differences(written.get(key), due.get(key), name)
    elif _plain(written) != _plain(due):
        yield f"its {place} is {_brief(written)}, and {_brief(due)} is asked for"


def _plain(value: Any) -> Any:
    """Tuples as the lists that JSON makes of them."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _brief(value: Any) -> str:
    text = repr(_plain(value))
    return text if len(text) <= 80 else f"{text[:60]}…"
