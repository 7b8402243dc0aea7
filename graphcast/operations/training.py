"""From files to a training run: the data are opened and checked, the run is described.

    request = TrainingRequest("planet.zarr", recipe=QUICK)
    material = open_material(request)
    with RunFolder.open(Path("run"), material.description) as folder:
        run(job_of(material, folder, devices=2), folder, validate=...)

`validate` comes from outside, because `graphcast` knows nothing of verification; the command gives
one that scores forecasts.
"""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray as xr

from data.channels import Channels
from data.doctor import examined
from data.grids import grid_of
from data.moments import Moments, from_arrays, read_moments, to_arrays
from data.sources import open_inputs
from data.statistics import task_served, write_statistics
from data.task import Task
from data.time_range import TimeRange
from data.windows import check_labels
from data.wording import hour
from graphcast.checkpoints import Checkpoint, read_checkpoint
from graphcast.forecaster import forecaster
from graphcast.machine.hosts import exchange, is_first
from graphcast.network.model import ModelSpec, parameter_count
from graphcast.normaliser import normaliser
from graphcast.operations.cluster.runtime import graph_cache
from graphcast.operations.provenance import file_sha256
from graphcast.training.batches import check_spacing, number_of_samples
from graphcast.training.folder import RunFolder
from graphcast.training.job import Job
from graphcast.training.periods import periods
from graphcast.training.recipe import Recipe
from graphcast.training.recipes import QUICK
from graphcast.training.sizes import SIZES, model_json
from graphcast.training.transfer import check_transfer, extended, transferred
from graphcast.training.untrained import persistent_model
from mesh.grid import LatLonGrid

Counted = Callable[[int, int], None]


@dataclass(frozen=True)
class TrainingRequest:
    """What a person asks for.

    Attributes:
        data: a file, Zarr store or URL of analyses.
        recipe: all that decides updates.
        task: None: that of `init_from`, or else what the data serve. One that adds variables or
            levels to that of `init_from`, or drops some, keeps the weights of all others.
        spec: the network; None: that of `init_from`, or else the tiny one.
        train_time: training period as text; None: all times before the validation period.
        validation_time: validation period as text; None: what follows the training period, or the
            last tenth.
        statistics: folder of statistics; None: those of `init_from`, or else computed.
        init_from: weights to start from; None: random ones.
        force: whether to go on after an error that the input doctor finds.
    """

    data: str
    recipe: Recipe = QUICK
    task: Task | None = None
    spec: ModelSpec | None = None
    train_time: str | None = None
    validation_time: str | None = None
    statistics: Path | None = None
    init_from: Path | None = None
    force: bool = False


class Material(NamedTuple):
    """The opened data of a run, and its description.

    Attributes:
        request: what was asked for.
        analyses: canonical, unread.
        training: the training period.
        validation: the validation period.
        task: what is learned.
        spec: the network.
        initial: the weights to start from, or None.
        description: a JSON object that identifies the run.
    """

    request: TrainingRequest
    analyses: xr.Dataset
    training: TimeRange
    validation: TimeRange
    task: Task
    spec: ModelSpec
    initial: Checkpoint | None
    description: dict[str, Any]

    @property
    def training_data(self) -> xr.Dataset:
        """The analyses of the training period, unread."""
        return self.training.select(self.analyses)

    @property
    def grid(self) -> LatLonGrid:
        """The grid of the data."""
        return grid_of(self.analyses)


def open_material(request: TrainingRequest) -> Material:
    """Open and check everything that a run is made from; values are read later.

    Raises:
        FileNotFoundError: data or weights are not there.
        ValueError: in one sentence, for data with gaps, another step, too few times or lacking
            variables; for periods that overlap; for weights of another task or size.
    """
    analyses = _one_series(request.data)
    initial = None if request.init_from is None else read_checkpoint(request.init_from)
    task = _task(request, initial, analyses)
    spec = _spec(request, initial, grid_of(analyses, request.data))
    training, validation = periods(
        analyses, task, request.recipe, request.train_time, request.validation_time
    )
    selected = training.select(analyses)
    check_spacing(selected, task)
    number_of_samples(len(training), request.recipe.most_lead_steps)
    check_labels(selected, task, init_time=selected["time"].values[1])
    examined(selected, request.data, names=task.variables, force=request.force)
    description = _description(request, analyses, task, spec, training, validation)
    return Material(request, analyses, training, validation, task, spec, initial, description)


def job_of(
    material: Material,
    folder: RunFolder,
    *,
    devices: int = 1,
    counted: Counted = lambda frames, total: None,
) -> Job:
    """The job of a run; statistics are computed where nothing gives them, once for the folder.

    Args:
        material: what the run is made from.
        folder: the run's folder.
        devices: how many share each batch.
        counted: called with the frames that statistics have counted and their total.

    Raises:
        ValueError: statistics lack something, or the data have gaps.
    """
    request, task, spec = material.request, material.task, material.spec
    moments = _moments(material, folder, counted)
    normaliser(Channels(task), moments)  # raises if the task needs more than they have
    initial = material.initial
    if initial is None:
        model = persistent_model(spec, Channels(task), key=jax.random.key(request.recipe.seed))
    else:
        model = initial.model if task == initial.task else transferred(initial, task)
    source = material.analyses.attrs.get("title") or request.data
    begun = "" if initial is None else f", from {initial.description or request.init_from}"
    checkpoint = Checkpoint(
        spec,
        task,
        model,
        moments,
        description=f"{parameter_count(model):,} parameters trained on {source}, "
        f"{material.training}{begun}",
        license="" if initial is None else initial.license,
        provenance={
            "train_time": str(material.training),
            "validation_time": str(material.validation),
            "data_sha256": material.description["data"],
            "recipe": json.dumps(material.description["recipe"]),
            **({} if initial is None else {"init_from": material.description["init_from"]}),
        },
    )
    ready = forecaster(checkpoint, material.grid, cache=graph_cache())
    return Job(ready, request.recipe, material.training_data, devices)


def _one_series(data: str) -> xr.Dataset:
    entries = open_inputs(data)
    if len(entries) != 1:
        raise ValueError(
            f"training data are one series of analyses, and {data} holds {len(entries)} batch "
            "entries or members; select one of them"
        )
    analyses = entries[0]
    if "time" not in analyses.dims or analyses.sizes["time"] < 3:
        raise ValueError(
            f"training data are a series of analyses, three times at least, and {data} has "
            f"{analyses.sizes.get('time', 0)}"
        )
    return analyses


def _task(request: TrainingRequest, initial: Checkpoint | None, analyses: xr.Dataset) -> Task:
    if initial is None:
        return request.task or task_served(analyses)
    if request.task is not None:
        check_transfer(initial.task, request.task)
    return request.task or initial.task


def _spec(request: TrainingRequest, initial: Checkpoint | None, grid: LatLonGrid) -> ModelSpec:
    if initial is None:
        spec = request.spec or SIZES["tiny"]
        return replace(spec, resolution=round(360 / grid.shape[1], 4))
    if request.spec is not None and model_json(request.spec) != model_json(initial.spec):
        raise ValueError(
            f"weights keep their size, and those in {request.init_from} have "
            f"{json.dumps(model_json(initial.spec))}, which `model` contradicts; leave it out"
        )
    return initial.spec


def _moments(material: Material, folder: RunFolder, counted: Counted) -> Moments:
    """Given statistics, or those of the weights to start from, or else computed ones."""
    request, initial = material.request, material.initial
    if request.statistics is not None:
        return read_moments(request.statistics)
    kept = None if initial is None else initial.moments
    if initial is not None and kept is not None and initial.task == material.task:
        return kept
    file = io.BytesIO()
    if is_first():
        if not folder.statistics.is_dir():
            write_statistics(
                [material.analyses],
                material.training,
                material.task,
                folder.statistics,
                source=request.data,
                force=True,  # examined already
                report=counted,
            )
        arrays: dict[str, Any] = to_arrays(read_moments(folder.statistics))
        np.savez(file, allow_pickle=False, **arrays)
    sent = exchange(base64.b64encode(file.getvalue()).decode())[0]
    with np.load(io.BytesIO(base64.b64decode(sent)), allow_pickle=False) as numbers:
        computed = from_arrays(dict(numbers))
    return computed if kept is None else extended(kept, computed)


def _description(
    request: TrainingRequest,
    analyses: xr.Dataset,
    task: Task,
    spec: ModelSpec,
    training: TimeRange,
    validation: TimeRange,
) -> dict[str, Any]:
    files = [] if request.statistics is None else sorted(request.statistics.glob("*_by_level.nc"))
    return {
        "task": json.loads(task.to_json()),
        "model": model_json(spec),
        "grid": str(grid_of(analyses)),
        "data": data_sha256(analyses, task, training),
        "train_time": str(training),
        "validation_time": str(validation),
        "recipe": json.loads(request.recipe.to_json()),
        "init_from": None if request.init_from is None else file_sha256(request.init_from),
        "statistics": {file.name: file_sha256(file) for file in files},
    }


def data_sha256(analyses: xr.Dataset, task: Task, period: TimeRange) -> str:
    """SHA-256 (hex) of labels, and of the values at the first and the last time of a period.

    Reading all values would take as long as training on them.
    """
    digest = hashlib.sha256(str(analyses.attrs.get("fingerprint", "")).encode())
    names = sorted(name for name in task.variables if name in analyses)
    ends = analyses[names].sel(time=period.times[[0, -1]])
    axes = [axis for axis in ("latitude", "longitude", "level") if axis in ends.coords]
    for name in (*axes, *names):
        values = np.ascontiguousarray(ends[name].values)
        digest.update(f"{name} {values.dtype.str} {values.shape} {hour(period.start)}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
