"""The contents of a checkpoint, whichever file they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from data.moments import Moments
from data.task import Task
from graphcast.network.model import GraphCast, ModelSpec


@dataclass(frozen=True)
class Checkpoint:
    """Weights, with everything needed to forecast with them.

    Attributes:
        spec: the network's hyper-parameters.
        task: the variables that it reads and predicts.
        model: the weights.
        moments: normalisation statistics; None where the file format has no place for them.
        description: who trained what on which data, in a sentence.
        license: the weights' licence, in a sentence.
        provenance: further facts worth keeping, name → text.
    """

    spec: ModelSpec
    task: Task
    model: GraphCast
    moments: Moments | None = None
    description: str = ""
    license: str = ""
    provenance: dict[str, str] = field(default_factory=dict)

    def with_moments(self, moments: Moments) -> "Checkpoint":
        """The same weights with these statistics."""
        return replace(self, moments=moments)


def check_tensors(
    tensors: Mapping[str, np.ndarray], expected: Mapping[str, Any], where: str
) -> None:
    """Refuse tensors that do not fit a model.

    Args:
        tensors: the tensors of a file, by name.
        expected: arrays or shapes, by name. Floats may have any precision.
        where: the file's name, for the message.

    Raises:
        ValueError: names every missing, extra, misshapen or unusable tensor.
    """
    wrong = []
    if missing := sorted(expected.keys() - tensors.keys()):
        wrong.append(f"missing: {', '.join(missing)}")
    if extra := sorted(tensors.keys() - expected.keys()):
        wrong.append(f"not known to this model: {', '.join(extra)}")
    for name in sorted(expected.keys() & tensors.keys()):
        tensor, due = tensors[name], expected[name]
        kind = np.floating if np.issubdtype(due.dtype, np.floating) else due.dtype
        if tensor.shape != due.shape:
            wrong.append(f"{name} has shape {tensor.shape} where {due.shape} is due")
        elif not np.issubdtype(tensor.dtype, kind):
            wrong.append(f"{name} holds {tensor.dtype} where {due.dtype} is due")
        elif not np.isfinite(tensor).all():
            wrong.append(f"{name} holds NaN or infinity")
    if wrong:
        raise ValueError(
            f"{where}: its tensors do not fit the model it describes; {'; '.join(wrong)}"
        )
