"""Named arrays and a JSON header in one safetensors file, with a checksum over both.

safetensors holds bytes and shapes and never executes anything. Equal contents give equal files.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from data.stores.files import written_whole
from data.unreadable import reading

HEADER = "graphcast"  # key of the header in the file's metadata

Tree = TypeVar("Tree")


def write_tensors(path: Path, header: Mapping[str, Any], tensors: dict[str, np.ndarray]) -> None:
    """Write arrays and a header to one file, which appears whole or not at all.

    Args:
        path: the file, which is replaced.
        header: a JSON object; its `format` says what the arrays are.
        tensors: the arrays, by name.
    """
    content = {**header, "sha256": sha256_of(header, tensors)}
    with written_whole(path) as temporary:
        # One entry: safetensors writes several in random order, and equal files should be equal.
        # Not `save_file`: that writes a temporary file of its own, which a kill leaves behind.
        metadata = {HEADER: json.dumps(content, sort_keys=True)}
        temporary.write_bytes(save(tensors, metadata=metadata))


def read_tensors(path: Path, expected: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays in a file, the checksum verified.

    Args:
        path: the file.
        expected: the `format` that its header must have.

    Raises:
        ValueError: the file is damaged or of another format.
    """
    with (
        reading(f"{path} is damaged or no checkpoint", "fetch or train it again"),
        safe_open(path, framework="numpy") as file,
    ):
        header = json.loads((file.metadata() or {}).get(HEADER, "{}"))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    stated = header.get("format") if isinstance(header, dict) else None
    if stated != expected:
        raise ValueError(
            f"{path} is a safetensors file, but not one of ours: its format is {stated!r}, not"
            f" {expected!r}"
        )
    recorded = header.pop("sha256", None)
    if sha256_of(header, tensors) != recorded:
        raise ValueError(f"{path} is damaged: its content does not have the recorded SHA-256")
    return header, tensors


def sha256_of(header: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over the header, and over names, types, shapes and bytes of tensors in name order."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def named_leaves(tree: Any) -> dict[str, Any]:
    """Tree path → leaf (`encoder.embed_grid.weights.0`), for a tree of arrays or of shapes."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def with_leaves(like: Tree, tensors: Mapping[str, np.ndarray]) -> Tree:
    """A tree of the same structure with these leaves, by tree path, on the default device."""
    leaves = [jnp.asarray(tensors[name]) for name in named_leaves(like)]
    tree: Tree = jax.tree.unflatten(jax.tree.structure(like), leaves)
    return tree
