"""Our own checkpoint file: one safetensors file with everything that a forecast needs.

Tensors are the model's leaves under their tree paths (`model.encoder.embed_grid.weights.0`) and
the statistics (`moments.mean.temperature`). The header's metadata is one JSON text with the model,
the task, texts, provenance and a SHA-256 over all of it. safetensors never executes anything.
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

from data.moments import from_arrays, to_arrays
from data.stores.files import written_whole
from data.task import Task
from graphcast.checkpoints.checkpoint import Checkpoint, check_tensors
from graphcast.network.model import GraphCast, ModelSpec, model_template
from mesh.graphs import MeshSpec

FORMAT = "graphcast-checkpoint/1"
HEADER = "graphcast"


def write_native(checkpoint: Checkpoint, path: Path) -> None:
    """Write `checkpoint`, statistics and provenance included; it appears whole or not at all."""
    tensors = {
        f"model.{name}": np.asarray(leaf, np.float32, order="C")
        for name, leaf in model_tensors(checkpoint.model).items()
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
    header["sha256"] = sha256_of(header, tensors)
    with written_whole(path) as temporary:
        # One entry: safetensors writes several in random order, and equal files should be equal.
        save_file(tensors, temporary, metadata={HEADER: json.dumps(header, sort_keys=True)})


def read_native(path: Path) -> Checkpoint:
    """The checkpoint in `path`, its checksum verified; `ValueError` if it is damaged."""
    header, tensors = _read_file(path)
    if header.get("format") != FORMAT:
        raise ValueError(
            f"{path} is a safetensors file, but not one of ours: its format is "
            f"{header.get('format')!r}, not {FORMAT!r}"
        )
    recorded = header.pop("sha256")
    if sha256_of(header, tensors) != recorded:
        raise ValueError(f"{path} is damaged: its content does not have the recorded SHA-256")
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


def model_tensors(model: GraphCast) -> dict[str, Any]:
    """Tree path → leaf, for a model of arrays or of shapes."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(model)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def sha256_of(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 over the header, and over names, types, shapes and bytes of tensors in name order."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get(HEADER, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is damaged or no checkpoint ({error}); fetch or train it again"
        ) from error
    return header, tensors


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
