"""Our own checkpoint file: one safetensors file with everything that a forecast needs.

Tensors are the model's leaves under their tree paths (`model.encoder.embed_grid.weights.0`) and
the statistics (`moments.mean.temperature`). The header's metadata holds the model, task, texts and
provenance as JSON, and a SHA-256 over all tensors. safetensors never executes anything.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from data.files import written_whole
from data.moments import from_arrays, to_arrays
from data.task import Task
from graphcast.checkpoints.checkpoint import Checkpoint, check_tensors, model_template
from graphcast.model import GraphCast, ModelSpec
from mesh.graphs import MeshSpec

FORMAT = "graphcast-checkpoint/1"


def write_native(checkpoint: Checkpoint, path: Path) -> None:
    """Write `checkpoint`, statistics and provenance included; it appears whole or not at all."""
    tensors = {
        f"model.{name}": np.ascontiguousarray(leaf, np.float32)
        for name, leaf in model_tensors(checkpoint.model).items()
    }
    if checkpoint.moments is not None:
        tensors |= {
            f"moments.{name}": np.ascontiguousarray(array)
            for name, array in to_arrays(checkpoint.moments).items()
        }
    header = {
        "format": FORMAT,
        "model": json.dumps(asdict(checkpoint.spec)),
        "task": checkpoint.task.to_json(),
        "description": checkpoint.description,
        "license": checkpoint.license,
        "provenance": json.dumps(checkpoint.provenance, sort_keys=True),
        "sha256": tensors_sha256(tensors),
    }
    with written_whole(path) as temporary:
        save_file(tensors, temporary, metadata=header)


def read_native(path: Path) -> Checkpoint:
    """The checkpoint in `path`, its checksum verified; `ValueError` if it is damaged."""
    header, tensors = _read_file(path)
    if header.get("format") != FORMAT:
        raise ValueError(
            f"{path} is a safetensors file, but not one of ours: its format is "
            f"{header.get('format')!r}, not {FORMAT!r}"
        )
    if tensors_sha256(tensors) != header["sha256"]:
        raise ValueError(f"{path} is damaged: its tensors do not have the recorded SHA-256")
    model_config = json.loads(header["model"])
    spec = ModelSpec(**{**model_config, "mesh": MeshSpec(**model_config["mesh"])})
    task = Task.from_json(header["task"])
    moments = _under("moments.", tensors)
    return Checkpoint(
        spec=spec,
        task=task,
        model=_model_from(model_template(spec, task), _under("model.", tensors), path),
        moments=from_arrays(moments) if moments else None,
        description=header["description"],
        license=header["license"],
        provenance=json.loads(header["provenance"]),
    )


def model_tensors(model: GraphCast) -> dict[str, Any]:
    """Tree path → leaf, for a model of arrays or of shapes."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(model)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def tensors_sha256(tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 over names, types, shapes and bytes in name order."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _read_file(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged or no checkpoint ({error}); fetch or train it again"
        ) from error


def _under(prefix: str, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _model_from(template: GraphCast, tensors: dict[str, np.ndarray], path: Path) -> GraphCast:
    expected = model_tensors(template)
    check_tensors(tensors, {name: leaf.shape for name, leaf in expected.items()}, str(path))
    structure = jax.tree.structure(template)
    model: GraphCast = jax.tree.unflatten(
        structure, [jnp.asarray(tensors[name]) for name in expected]
    )
    return model
