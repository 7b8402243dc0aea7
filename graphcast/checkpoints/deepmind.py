"""DeepMind's checkpoint files: an `.npz` of haiku parameters and two flattened dataclasses.

Keys are paths joined by ":": `params:<haiku module>:<w|b|scale|offset>`, `model_config:<field>`,
`task_config:<field>[:<index>]`, `description`, `license`. Statistics come separately, as three
netCDF files. Nothing is ever unpickled.
"""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from data.stores.files import written_whole
from data.task import STEP_HOURS, TASKS, Task
from data.unreadable import UnreadableError, reading
from graphcast.checkpoints.checkpoint import Checkpoint, check_tensors
from graphcast.network.mlp import MLP
from graphcast.network.model import GraphCast, ModelSpec, model_template
from mesh.graphs import MeshSpec

INPUT_DURATION = "12h"  # two frames six hours apart; no other was published
MOST_INFLATED = 100  # times the file's size; random weights hardly shrink at all
_NO_PICKLE = "a checkpoint holds plain arrays only, and nothing in it is ever unpickled"

# haiku module (without the network's prefix) → the same MLP in `GraphCast`.
_PREFIX = "{}/~_networks_builder/{}"
_ENCODER: dict[str, Callable[[GraphCast], MLP]] = {
    "encoder_nodes_grid_nodes": lambda model: model.encoder.embed_grid,
    "encoder_nodes_mesh_nodes": lambda model: model.encoder.embed_mesh,
    "encoder_edges_grid2mesh": lambda model: model.encoder.embed_edges,
    "processor_edges_0_grid2mesh": lambda model: model.encoder.update_edges,
    "processor_nodes_0_mesh_nodes": lambda model: model.encoder.update_mesh,
    "processor_nodes_0_grid_nodes": lambda model: model.encoder.update_grid,
}
_PROCESSOR: dict[str, Callable[[GraphCast], MLP]] = {
    "encoder_edges_mesh": lambda model: model.processor.embed_edges,
}
_PROCESSOR_STEPS: dict[str, Callable[[GraphCast], MLP]] = {
    "processor_edges_{}_mesh": lambda model: model.processor.update_edges,
    "processor_nodes_{}_mesh_nodes": lambda model: model.processor.update_nodes,
}
_DECODER: dict[str, Callable[[GraphCast], MLP]] = {
    "encoder_edges_mesh2grid": lambda model: model.decoder.embed_edges,
    "processor_edges_0_mesh2grid": lambda model: model.decoder.update_edges,
    "processor_nodes_0_grid_nodes": lambda model: model.decoder.update_grid,
    "processor_nodes_0_mesh_nodes": lambda model: model.decoder.unused_update_mesh,
    "decoder_nodes_grid_nodes": lambda model: model.decoder.read_out,
}
_NETWORKS = {"grid2mesh_gnn": _ENCODER, "mesh_gnn": _PROCESSOR, "mesh2grid_gnn": _DECODER}


def read_deepmind(path: Path) -> Checkpoint:
    """The checkpoint in `path`.

    Raises:
        ValueError: the file is damaged, or its tensors do not fit the model that it describes.
    """
    entries = _read_arrays(path)
    spec = _model_spec(entries, path)
    task = _task(entries, path)
    template = model_template(spec, task)
    tensors = {
        key.removeprefix("params:"): array
        for key, array in entries.items()
        if key.startswith("params:")
    }
    check_tensors(tensors, haiku_tensors(template), str(path))
    return Checkpoint(
        spec=spec,
        task=task,
        model=_model_from(template, tensors),
        description=_text(entries, "description"),
        license=_text(entries, "license"),
    )


def write_deepmind(checkpoint: Checkpoint, path: Path) -> None:
    """Write `checkpoint` as DeepMind's code reads it; the format has no place for statistics.

    Raises:
        ValueError: the model's step is not 6 h.
    """
    spec, task = checkpoint.spec, checkpoint.task
    if task.step_hours != STEP_HOURS:
        raise ValueError(
            f"DeepMind's format is for steps of {STEP_HOURS} h, and this model's are of "
            f"{task.step_hours} h; write it as .safetensors"
        )
    config = {
        "resolution": spec.resolution,
        "mesh_size": spec.mesh.splits,
        "latent_size": spec.latent_size,
        "gnn_msg_steps": spec.processor_steps,
        "hidden_layers": spec.hidden_layers,
        "radius_query_fraction_edge_length": spec.mesh.radius_fraction,
        "mesh2grid_edge_normalization_factor": spec.mesh.mesh2grid_normalisation,
    }
    entries: dict[str, Any] = {
        f"model_config:{key}": value for key, value in config.items() if value is not None
    }
    lists = {
        "input_variables": task.inputs,
        "target_variables": task.targets,
        "forcing_variables": task.forcings,
        "pressure_levels": task.levels,
    }
    for key, values in lists.items():
        entries |= {f"task_config:{key}:{i}": value for i, value in enumerate(values)}
    entries["task_config:input_duration"] = INPUT_DURATION
    entries["description"] = checkpoint.description
    entries["license"] = checkpoint.license
    tensors = haiku_tensors(checkpoint.model)
    entries |= {f"params:{name}": np.asarray(tensor) for name, tensor in tensors.items()}
    with written_whole(path) as temporary, temporary.open("wb") as file:
        arrays: dict[str, Any] = {key: np.asarray(value) for key, value in entries.items()}
        np.savez(file, **arrays)


def haiku_tensors(model: GraphCast) -> dict[str, Any]:
    """Tensors by haiku name, of a model of arrays or of shapes; one for each processor round."""
    tensors: dict[str, Any] = {}
    for prefix, mlp in _modules(model):
        for layer, (weight, bias) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
            tensors[f"{prefix}_mlp/~/linear_{layer}:w"] = weight
            tensors[f"{prefix}_mlp/~/linear_{layer}:b"] = bias
        if mlp.scale is not None:
            tensors[f"{prefix}_layer_norm:scale"] = mlp.scale
            tensors[f"{prefix}_layer_norm:offset"] = mlp.offset
    return tensors


def _modules(model: GraphCast) -> Iterator[tuple[str, MLP]]:
    """The name of each haiku module, and its MLP in `model`."""
    for network, modules in _NETWORKS.items():
        for name, place in modules.items():
            yield _PREFIX.format(network, name), place(model)
    steps = len(model.processor.update_edges.weights[0])
    for name, place in _PROCESSOR_STEPS.items():
        for step in range(steps):
            yield _PREFIX.format("mesh_gnn", name.format(step)), _round(place(model), step)


def _round(stacked: MLP, step: int) -> MLP:
    """One round of the processor's stacked MLPs, of arrays or of shapes."""

    def leaf(x: Any) -> Any:
        if isinstance(x, jax.ShapeDtypeStruct):
            return jax.eval_shape(lambda stacked: stacked[0], x)
        return x[step]

    one: MLP = jax.tree.map(leaf, stacked)
    return one


def _model_from(template: GraphCast, tensors: dict[str, np.ndarray]) -> GraphCast:
    """The template with these tensors, which `check_tensors` has passed."""

    def named(prefix: str, mlp: MLP) -> MLP:
        has_norm = mlp.scale is not None
        layers = range(len(mlp.weights))

        def tensor(name: str) -> jax.Array:
            return jnp.asarray(tensors[prefix + name], jnp.float32)

        return MLP(
            weights=tuple(tensor(f"_mlp/~/linear_{i}:w") for i in layers),
            biases=tuple(tensor(f"_mlp/~/linear_{i}:b") for i in layers),
            scale=tensor("_layer_norm:scale") if has_norm else None,
            offset=tensor("_layer_norm:offset") if has_norm else None,
        )

    model = template
    for network, modules in _NETWORKS.items():
        for name, place in modules.items():
            mlp = named(_PREFIX.format(network, name), place(template))
            model = eqx.tree_at(place, model, mlp)
    steps = len(template.processor.update_edges.weights[0])
    for name, place in _PROCESSOR_STEPS.items():
        rounds = [
            named(_PREFIX.format("mesh_gnn", name.format(step)), place(template))
            for step in range(steps)
        ]
        model = eqx.tree_at(place, model, jax.tree.map(lambda *xs: jnp.stack(xs), *rounds))
    return model


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is damaged, cut short or no .npz file (it has no zip directory); "
            "fetch the checkpoint again"
        )
    entries = {}
    with reading(f"{path} is damaged or cut short", "fetch the checkpoint again"):
        _check_inflated_size(path)
        try:
            with np.load(path, allow_pickle=False) as archive:
                for key in archive.files:
                    entries[key] = archive[key]
        except ValueError as error:
            if "pickle" not in str(error):
                raise
            after = f" after {len(entries)} good entries" if entries else ""
            raise UnreadableError(
                f"{path} holds a Python object{after}, but {_NO_PICKLE}"
            ) from error
    return entries


def _check_inflated_size(path: Path) -> None:
    """Refuse a file that would fill the memory when it is unpacked."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_INFLATED * path.stat().st_size:
        raise ValueError(f"it unpacks to {size:,} bytes, and weights do not shrink so far")


def _model_spec(entries: dict[str, np.ndarray], path: Path) -> ModelSpec:
    prefix = "model_config:"
    known = {
        "resolution",
        "mesh_size",
        "latent_size",
        "gnn_msg_steps",
        "hidden_layers",
        "radius_query_fraction_edge_length",
        "mesh2grid_edge_normalization_factor",
    }
    config = {k.removeprefix(prefix): v for k, v in entries.items() if k.startswith(prefix)}
    required = known - {"mesh2grid_edge_normalization_factor"}
    if missing := sorted(required - config.keys()):
        raise ValueError(
            f"{path} is no GraphCast checkpoint: its model_config lacks {', '.join(missing)}"
        )
    if unknown := sorted(config.keys() - known):
        raise ValueError(f"{path}: model_config has {', '.join(unknown)}, which no GraphCast has")

    def number(key: str) -> float:
        value = config[key]
        if value.ndim or value.dtype.kind not in "iuf" or not np.isfinite(value):
            raise ValueError(f"{path}: model_config:{key} must be one number, and it is {value}")
        return float(value)

    def count(key: str) -> int:
        value = number(key)
        if value != int(value) or value < 1:
            raise ValueError(f"{path}: model_config:{key} counts from 1, and it is {value:g}")
        return int(value)

    splits, radius = int(number("mesh_size")), number("radius_query_fraction_edge_length")
    factor = "mesh2grid_edge_normalization_factor"
    length = number(factor) if factor in config else None
    try:
        mesh = MeshSpec(splits, radius, length)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return ModelSpec(
        mesh=mesh,
        latent_size=count("latent_size"),
        processor_steps=count("gnn_msg_steps"),
        hidden_layers=count("hidden_layers"),
        resolution=number("resolution"),
    )


def _task(entries: dict[str, np.ndarray], path: Path) -> Task:
    # Empty lists leave no key behind: a task may lack forcings or levels, but not these.
    needed = ("input_variables:0", "target_variables:0", "input_duration")
    if lacking := [key for key in needed if f"task_config:{key}" not in entries]:
        raise ValueError(
            f"{path} is no GraphCast checkpoint: its task_config lacks {', '.join(lacking)}"
        )
    duration = _text(entries, "task_config:input_duration")
    if duration != INPUT_DURATION:
        raise ValueError(
            f"{path} reads {duration} of input; only "
            f"{INPUT_DURATION}, two frames of six hours, was published and is supported"
        )

    def listed(field: str) -> list[Any]:
        prefix = f"task_config:{field}:"
        values = {k.removeprefix(prefix): v for k, v in entries.items() if k.startswith(prefix)}
        if odd := [key for key, value in values.items() if not key.isdecimal() or value.ndim]:
            raise ValueError(
                f"{path}: task_config:{field} is a list, one numbered value each, and has "
                f"{', '.join(odd)}"
            )
        return [values[key].item() for key in sorted(values, key=int)]

    inputs, targets, forcings = (
        tuple(str(name) for name in listed(f"{role}_variables"))
        for role in ("input", "target", "forcing")
    )
    pressures = listed("pressure_levels")
    try:
        levels = tuple(sorted(int(level) for level in pressures))
        task = Task("custom", inputs, targets, forcings, levels)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    for published in TASKS.values():
        if _same(task, published):
            return Task(published.name, inputs, targets, forcings, levels)
    return task


def _same(one: Task, other: Task) -> bool:
    return (set(one.inputs), set(one.targets), set(one.forcings), one.levels) == (
        set(other.inputs),
        set(other.targets),
        set(other.forcings),
        other.levels,
    )


def _text(entries: dict[str, np.ndarray], key: str) -> str:
    return str(entries[key]) if key in entries else ""
