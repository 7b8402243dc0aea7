"""The project's own checkpoint: one safetensors file with everything that a forecast needs.

Its tensors are the model's leaves under their tree paths (`model.encoder.embed_grid.weights.0`)
and the statistics (`moments.mean/temperature`). The header holds the hyper-parameters, the task,
description, licence and provenance.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from data.moments import from_arrays, to_arrays
from data.task import Task
from data.unreadable import understanding
from graphcast.checkpoints.checkpoint import Checkpoint, check_tensors
from graphcast.checkpoints.tensors import named_leaves, read_tensors, with_leaves, write_tensors
from graphcast.network.model import GraphCast, ModelSpec, model_template
from mesh.graphs import MeshSpec

FORMAT = "graphcast-checkpoint/1"


def write_native(checkpoint: Checkpoint, path: Path) -> None:
    """Write `checkpoint`, statistics and provenance included; it appears whole or not at all."""
    tensors = {
        f"model.{name}": np.asarray(leaf, np.float32, order="C")
        for name, leaf in named_leaves(checkpoint.model).items()
    }
    if checkpoint.moments is not None:
        tensors |= {
            f"moments.{name}": np.asarray(array, order="C")
            for name, array in to_arrays(checkpoint.moments).items()
        }
    header = {
        "format": FORMAT,
        "model": asdict(checkpoint.spec),
        "task": json.loads(checkpoint.task.to_json()),
        "description": checkpoint.description,
        "license": checkpoint.license,
        "provenance": checkpoint.provenance,
    }
    write_tensors(path, header, tensors)


def read_native(path: Path) -> Checkpoint:
    """The checkpoint in `path`, its checksum verified.

    Raises:
        ValueError: the file is damaged, or its tensors do not fit the model that it describes.
    """
    header, tensors = read_tensors(path, FORMAT)
    with understanding(str(path), "does not describe a checkpoint", "train it again"):
        return _checkpoint(header, tensors, path)


def _checkpoint(header: dict[str, Any], tensors: dict[str, np.ndarray], path: Path) -> Checkpoint:
    spec = ModelSpec(**{**header["model"], "mesh": MeshSpec(**header["model"]["mesh"])})
    task = Task.from_json(json.dumps(header["task"]))
    moments = _under("moments.", tensors)
    return Checkpoint(
        spec=spec,
        task=task,
        model=_model_from(model_template(spec, task), _under("model.", tensors), path),
        moments=from_arrays(moments) if moments else None,
        description=header["description"],
        license=header["license"],
        provenance=header["provenance"],
    )


def _under(prefix: str, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _model_from(template: GraphCast, tensors: dict[str, np.ndarray], path: Path) -> GraphCast:
    check_tensors(tensors, named_leaves(template), str(path))
    return with_leaves(template, tensors)
