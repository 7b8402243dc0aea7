"""The work of `graphcast train`: from its flags to a finished run."""

from dataclasses import dataclass, replace
from pathlib import Path

from data.wording import listed
from forecast_cli.arguments import task_named
from forecast_cli.terminal import errors
from forecast_cli.training.report import page
from forecast_cli.training.screen import TrainingScreen
from forecast_cli.training.validation import Validator
from graphcast.checkpoints import Checkpoint
from graphcast.machine.hosts import is_first, together
from graphcast.network.model import model_template, parameter_count
from graphcast.operations.cluster.runtime import (
    devices_for_batch,
    join,
    prepare_to_compile,
    use_deterministic_kernels,
    use_every_core,
)
from graphcast.operations.training import Material, TrainingRequest, job_of, open_material
from graphcast.training.folder import RunFolder
from graphcast.training.job import Event, Judged, Stopped, Validated, run
from graphcast.training.recipe import Recipe
from graphcast.training.recipes import recipe_named
from graphcast.training.sizes import model_named


@dataclass(frozen=True)
class Flags:
    """The flags of the command, as they were given."""

    data: str
    output: Path
    task: str | None
    model: str | None
    recipe: str
    updates: int | None
    train_time: str | None
    validation_time: str | None
    statistics: Path | None
    init_from: Path | None
    seed: int
    precision: str | None
    batch: int | None
    devices: int | None
    deterministic: bool
    force: bool
    overwrite: bool
    coordinator: str | None
    process: int | None
    processes: int | None


@together()
def run_training(flags: Flags) -> None:
    """Open, train, validate and report, or go on where an earlier process stopped."""
    request = requested(flags)
    if flags.deterministic:
        use_deterministic_kernels()
    use_every_core()
    join(flags.coordinator, flags.process, flags.processes, report=errors.print)
    prepare_to_compile()
    devices = devices_for_batch(flags.devices, request.recipe.batch)
    material = open_material(request)
    validator = Validator(
        material.analyses,
        material.validation,
        material.training_data,
        request.recipe.validation,
        material.task,
    )
    if is_first():
        folder = RunFolder.open(flags.output, material.description, overwrite=flags.overwrite)
    else:
        folder = RunFolder.elsewhere(flags.output, material.description)
    updates = request.recipe.updates
    with folder, TrainingScreen(updates) as screen:
        job = job_of(material, folder, devices=devices, counted=screen.counted)

        def validate(checkpoint: Checkpoint) -> Validated:
            return validator(job.ready, checkpoint)

        def report(event: Event) -> None:
            screen(event)
            if isinstance(event, Judged):
                facts = _facts(material, devices)
                folder.write_report(page(folder, validator.init_times, validator.example, facts))

        screen.starting()
        try:
            run(job, folder, validate=validate, report=report)
        except Stopped:
            errors.print("stopped, as the system asked; the same command goes on from here")
            raise
        if is_first():
            folder.finish()
    if is_first():
        screen.summarise(folder, material, validator.init_times, updates)


def requested(flags: Flags) -> TrainingRequest:
    """The request in the flags.

    Raises:
        ValueError: a name, a file or a number is none that would do.
    """
    return TrainingRequest(
        data=flags.data,
        recipe=_recipe(flags),
        task=None if flags.task is None else task_named(flags.task),
        spec=None if flags.model is None else model_named(flags.model),
        train_time=flags.train_time,
        validation_time=flags.validation_time,
        statistics=flags.statistics,
        init_from=flags.init_from,
        force=flags.force,
    )


def _recipe(flags: Flags) -> Recipe:
    recipe = replace(recipe_named(flags.recipe), seed=flags.seed)
    if flags.batch is not None:
        recipe = replace(recipe, batch=flags.batch)
    if flags.precision is not None:
        recipe = replace(recipe, precision=flags.precision)
    return recipe if flags.updates is None else recipe.scaled(flags.updates)


def _facts(material: Material, devices: int) -> dict[str, str]:
    """What was trained, for the page: name → text."""
    spec, task, recipe = material.spec, material.task, material.request.recipe
    count = parameter_count(model_template(spec, task))
    phases = "; ".join(
        f"{phase.name}: {phase.updates} updates of {phase.lead_steps} step(s), learning rate "
        f"{phase.peak:g} to {phase.end:g}"
        for phase in recipe.phases
    )
    return {
        "model": f"{count:,} parameters, mesh {spec.mesh.splits}, latent {spec.latent_size}, "
        f"{spec.processor_steps} rounds",
        "data": f"{material.request.data}, {material.grid}",
        "training period": str(material.training),
        "validation period": str(material.validation),
        "predicts": listed(task.targets, len(task.targets)),
        "levels": f"{listed(task.levels, len(task.levels))} hPa" if task.levels else "none",
        "recipe": phases,
        "batch": f"{recipe.batch} on {devices} device(s), {recipe.precision}, seed {recipe.seed}",
    }
