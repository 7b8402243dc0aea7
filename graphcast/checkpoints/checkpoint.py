"""What a checkpoint is, whichever file it came from."""

from dataclasses import dataclass, field, replace

import numpy as np

from data.moments import Moments
from data.task import Task
from graphcast.network.model import GraphCast, ModelSpec


@dataclass(frozen=True)
class Checkpoint:
    """Weights and all that is needed to use them.

    Attributes:
        spec: the network's hyper-parameters.
        task: what it reads and predicts.
        model: the weights.
        moments: normalisation statistics, or None where the format has no place for them.
        description: who trained what on which data, in a sentence.
        license: the weights' licence, in a sentence.
        provenance: anything else worth keeping, name → text.
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
    found: dict[str, np.ndarray], expected: dict[str, tuple[int, ...]], where: str
) -> None:
    """Raise one ValueError that names every missing, extra, misshapen or unusable tensor."""
    wrong = []
    if missing := sorted(expected.keys() - found.keys()):
        wrong.append(f"missing: {', '.join(missing)}")
    if extra := sorted(found.keys() - expected.keys()):
        wrong.append(f"not known to this model: {', '.join(extra)}")
    for name in sorted(expected.keys() & found.keys()):
        tensor = found[name]
        if tensor.shape != expected[name]:
            wrong.append(f"{name} has shape {tensor.shape} where {expected[name]} is due")
        elif not np.issubdtype(tensor.dtype, np.floating):
            wrong.append(f"{name} holds {tensor.dtype} where float32 is due")
        elif not np.isfinite(tensor).all():
            wrong.append(f"{name} holds NaN or infinity")
    if wrong:
        raise ValueError(
            f"{where}: its tensors do not fit the model it describes; {'; '.join(wrong)}"
        )
