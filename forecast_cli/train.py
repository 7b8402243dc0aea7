"""`graphcast train`: weights for any prepared dataset, from a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from forecast_cli.choices import MODELS, PRECISIONS, RECIPES, TASK_FILE, Force, either


def train(  # noqa: PLR0913, PLR0917  the flags are a contract
    data: Annotated[str, typer.Option(help="Analyses: a Zarr store, file or URL.")],
    output: Annotated[Path, typer.Option(help="Folder of the run; it may exist, to go on.")],
    task: Annotated[
        str | None,
        typer.Option(
            help=f"Variables and levels to learn: a published task's name or {TASK_FILE}. "
            "(Default: the first published task that the data serve, or all that they have.)"
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help=f"Size of the network: {', '.join(MODELS)} or a JSON file. "
            "(Default: tiny, or that of --init-from.)"
        ),
    ] = None,
    recipe: Annotated[str, typer.Option(help=f"{', '.join(RECIPES)} or a JSON file.")] = "quick",
    updates: Annotated[
        int | None,
        typer.Option(help="Updates in all; the recipe's phases keep their proportions.", min=1),
    ] = None,
    train_time: Annotated[
        str | None,
        typer.Option(help="Training period, as 2001/2008. (Default: all before the last tenth.)"),
    ] = None,
    validation_time: Annotated[
        str | None,
        typer.Option(
            help="Validation period, outside the training period. (Default: what follows.)"
        ),
    ] = None,
    statistics: Annotated[
        Path | None,
        typer.Option(
            help="Folder of statistics; without it they are computed over the training period, or "
            "are those of --init-from."
        ),
    ] = None,
    init_from: Annotated[
        Path | None, typer.Option(help="Weights to start from, ours or DeepMind's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights and of the draws.")] = 0,
    precision: Annotated[
        str | None,
        typer.Option(
            help=f"{either(PRECISIONS)}. (Default: the recipe's, which is mixed in quick.)"
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Samples in each update. (Default: the recipe's.)", min=1)
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            help="Devices that share each batch; on a CPU its cores. (Default: as many as divide "
            "the batch.)",
            min=1,
        ),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic", help="The same bits on every run, on a GPU too, where it costs time."
        ),
    ] = False,
    force: Force = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a run that is there, once this one is done."),
    ] = False,
    coordinator: Annotated[
        str | None,
        typer.Option(
            help="Several processes train together, on a host each: host and port of process 0, "
            "which writes. All get the same files and flags but --process. Or auto."
        ),
    ] = None,
    process: Annotated[
        int | None, typer.Option(help="Which of the --processes this is, from 0.")
    ] = None,
    processes: Annotated[int | None, typer.Option(help="How many processes there are.")] = None,
) -> None:
    r"""Train a network, and keep the weights that forecast best.

    OUTPUT gets checkpoint.safetensors, which `graphcast forecast` takes;
    report.html with curves, skill against persistence and climatology, and
    maps; metrics.jsonl; and the states from which training resumes. After an
    interruption the same command goes on, and ends in the same bytes.

    Example:
        graphcast train --data planet.zarr --output run \
            --train-time 2001/2008 --validation-time 2009
    On two hosts, the same with --process 0 and with --process 1:
        graphcast train ... --coordinator host0:1234 --process 0 --processes 2
    """
    from forecast_cli.training.command import Flags, run_training

    run_training(
        Flags(
            data=data,
            output=output,
            task=task,
            model=model,
            recipe=recipe,
            updates=updates,
            train_time=train_time,
            validation_time=validation_time,
            statistics=statistics,
            init_from=init_from,
            seed=seed,
            precision=precision,
            batch=batch,
            devices=devices,
            deterministic=deterministic,
            force=force,
            overwrite=overwrite,
            coordinator=coordinator,
            process=process,
            processes=processes,
        )
    )
