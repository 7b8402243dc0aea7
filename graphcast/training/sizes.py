"""The networks that come with the package, by name; any other is a JSON file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.wording import listed, reason
from graphcast.network.model import ModelSpec
from mesh.graphs import MeshSpec

SIZES = {
    "tiny": ModelSpec(MeshSpec(splits=2), latent_size=32, processor_steps=4),
    "small": ModelSpec(MeshSpec(splits=3), latent_size=96, processor_steps=6),
    "paper": ModelSpec(MeshSpec(splits=6), latent_size=512, processor_steps=16),
}
_WHOLE_NUMBERS = ("latent_size", "processor_steps", "hidden_layers")
_MESH = {"splits": int, "radius_fraction": float, "mesh2grid_normalisation": float}


def model_named(text: str) -> ModelSpec:
    """The hyper-parameters of a network of the package by name, or those in a JSON file.

    The file has the fields of `ModelSpec` but its `resolution`, which is that of the training data:
    {"mesh": {"splits": 3}, "latent_size": 96, "processor_steps": 6}

    Raises:
        ValueError: the text is neither, or the file describes no network.
    """
    if text in SIZES:
        return SIZES[text]
    if not Path(text).is_file():
        raise ValueError(
            f"a model is one of {', '.join(SIZES)} or a JSON file, and there is no file {text}"
        )
    try:
        content = json.loads(Path(text).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{text}: a model is a JSON object, and this is none: {reason(error)}"
        ) from error
    try:
        return _spec(content)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from error


def model_json(spec: ModelSpec) -> dict[str, Any]:
    """The description of a network that `model_named` reads from a file."""
    return {name: value for name, value in asdict(spec).items() if name != "resolution"}


def _spec(content: Any) -> ModelSpec:
    needed, known = {"mesh", *_WHOLE_NUMBERS[:2]}, {"mesh", *_WHOLE_NUMBERS}
    if not isinstance(content, dict) or not needed <= content.keys() <= known:
        came = listed(sorted(content)) if isinstance(content, dict) else type(content).__name__
        raise ValueError(
            f"a model is a JSON object that has {listed(sorted(needed))} and perhaps "
            f"hidden_layers; this one has {came}"
        )
    mesh = content["mesh"]
    if not isinstance(mesh, dict) or not {"splits"} <= mesh.keys() <= _MESH.keys():
        raise ValueError(
            f"the mesh of a model is a JSON object that has splits and perhaps "
            f"{listed(sorted(_MESH.keys() - {'splits'}))}; this one is {mesh!r}"
        )
    for name in _WHOLE_NUMBERS:
        number = content.get(name, 1)
        if type(number) is not int or number < 1:
            raise ValueError(f"{name} of a model is a whole number from 1, and this is {number!r}")
    for name, number in mesh.items():
        kinds = (int,) if _MESH[name] is int else (int, float, type(None))
        if type(number) not in kinds:
            raise ValueError(f"{name} of a mesh is a number, and this is {number!r}")
    sizes = {name: content[name] for name in _WHOLE_NUMBERS if name in content}
    return ModelSpec(MeshSpec(**mesh), **sizes)
