"""`TrainState`: everything that an update changes, and the file from which training resumes.

The file is safetensors: the tree's leaves under their paths (`model.encoder…`,
`optimiser.1.mu.encoder…`, `update`), and a header that identifies the training. A state that is
read has the bytes of the state that was written.
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


class OtherTrainingError(ValueError):
    """A state comes from another training than the one that asks for it."""


class TrainState(eqx.Module):
    """Everything that an update changes.

    Attributes:
        model: the weights.
        average: the exponential moving average of the weights; None where the recipe keeps none.
        optimiser: the optimiser's memory.
        update: the number of updates made.
    """

    model: GraphCast
    average: GraphCast | None
    optimiser: optax.OptState
    update: Int32[Array, ""]


def initial_state(model: GraphCast, recipe: Recipe) -> TrainState:
    """The state before the first update.

    A model of shapes (`model_template`) gives a state of shapes, which `read_state` takes.
    """

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
    """Write a state; the file appears whole or not at all.

    Args:
        state: on one device, or replicated on several.
        path: the file, which is replaced.
        training: a JSON object that identifies the training: its recipe, task, grid and data.
    """
    tensors = {name: np.asarray(leaf, order="C") for name, leaf in named_leaves(state).items()}
    write_tensors(
        path, {"format": FORMAT, **label("training", 1), "training": dict(training)}, tensors
    )


def read_state(path: Path, like: TrainState, training: Mapping[str, Any]) -> TrainState:
    """The state in a file.

    Args:
        path: the file.
        like: a state with the expected tensors, as arrays or as shapes (`initial_state`).
        training: must equal the object that `write_state` was given.

    Raises:
        OtherTrainingError: the state comes from another training; every difference is named.
        ValueError: the file is damaged or holds no training state.
    """
    header, tensors = read_tensors(path, FORMAT)
    refuse_other_training(header["training"], training, path)
    check_tensors(tensors, named_leaves(like), str(path))
    return with_leaves(like, tensors)


def refuse_other_training(written: Mapping[str, Any], due: Mapping[str, Any], path: Path) -> None:
    """Refuse what another training wrote.

    Args:
        written: the JSON object that identifies the training that wrote `path`.
        due: that of the training that asks.
        path: a file or folder, for the message.

    Raises:
        OtherTrainingError: they differ; every difference is named.
    """
    if differences := list(_differences(written, dict(due))):
        raise OtherTrainingError(
            f"{path} comes from another training: {'; '.join(differences)}; give what it was "
            "begun with, or choose another output"
        )


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
