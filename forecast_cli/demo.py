"""`graphcast demo`: train a toy, forecast from real analyses, score it against what happened."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.terminal import console, progress

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from graphcast.training import Progress

TRAINING_FRAMES = 4  # of the sample's eight; the forecast starts from the last of them
STEPS = 4  # of 6 h


def demo(
    output: Annotated[Path, typer.Option(help="Folder for everything the demo makes.")] = Path(
        "demo-output"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the toy's weights and draws.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier demo.")
    ] = False,
) -> None:
    """Train, forecast, score and draw, on packaged ECMWF analyses.

    The network is a toy, trained here in about a minute on the analyses before
    the forecast starts. It shows that the chain works, not how good GraphCast
    is.

    Example:
        graphcast demo --output demo-output
    """
    from data.samples import analyses as packaged_analyses
    from data.sources import open_inputs

    output.mkdir(parents=True, exist_ok=True)
    sample = packaged_analyses()
    weights, store, scores = (
        output / n for n in ("toy.safetensors", "forecast.zarr", "scores.zarr")
    )
    if weights.exists() and not overwrite:
        raise FileExistsError(
            f"{output} holds an earlier demo; choose another --output or give --overwrite"
        )
    dataset = open_inputs(sample)[0]
    console.rule("1/4  train a toy")
    _train(dataset.isel(time=slice(0, TRAINING_FRAMES)), weights, seed)
    console.rule("2/4  forecast")
    start = dataset["time"].values[TRAINING_FRAMES - 1]
    _forecast(weights, sample, start, store, overwrite=overwrite)
    console.rule("3/4  score against the analyses that followed")
    _score(store, sample, scores, output / "report.html", overwrite=overwrite)
    console.rule("4/4  look")
    _draw(store, dataset, scores, output / "z500.png")
    console.print(
        "A toy, trained on four analyses for a minute: what you saw is the chain, not the skill of "
        "GraphCast.\nnext: [cyan]graphcast forecast --help[/]"
    )


def _train(analyses: "xr.Dataset", weights: Path, seed: int) -> None:
    from graphcast.checkpoints import write_checkpoint
    from graphcast.training.toy import TOY_RECIPE, TOY_TASK, train_toy

    losses = []
    with progress() as bar:
        task = bar.add_task("training", total=TOY_RECIPE.updates)

        def report(update: "Progress") -> None:
            losses.append(update.loss)
            bar.update(
                task, completed=update.update, description=f"training, loss {update.loss:.2f}"
            )

        toy = train_toy(analyses, seed=seed, report=report)
    write_checkpoint(toy, weights)
    console.print(f"[bold]{weights}[/]  {toy.description}")
    console.print(f"  predicts   {', '.join(TOY_TASK.targets)}")
    console.print(
        f"  loss       {losses[-1]:.3f} after {len(losses)} updates (persistence: see 3/4)"
    )


def _forecast(
    checkpoint: Path, sample: Path, init_time: "np.datetime64", output: Path, *, overwrite: bool
) -> None:
    from forecast_cli.screen import Screen
    from graphcast import operations

    started = time.perf_counter()
    weights = operations.open_weights(checkpoint)
    with Screen() as screen:
        operations.forecast(
            checkpoint=weights,
            inputs=sample,
            init_time=init_time,
            steps=STEPS,
            output=output,
            overwrite=overwrite,
            report=screen,
        )
    screen.summarise(output, weights.digest, time.perf_counter() - started)


def _score(forecast: Path, truth: Path, output: Path, report: Path, *, overwrite: bool) -> None:
    from forecast_cli.scores_screen import say_scores
    from verification.files import score_files
    from verification.scorecard import tabulated
    from verification.writing import check_targets, write_scores

    started = time.perf_counter()
    check_targets(output, report, overwrite=overwrite)
    scores = score_files(str(forecast), str(truth))
    write_scores(scores, output, report=report, overwrite=overwrite)
    seconds = time.perf_counter() - started
    say_scores(tabulated(scores), {"scores": output, "report": report}, seconds)


def _draw(store: Path, truth: "xr.Dataset", scores: Path, picture: Path) -> None:
    import numpy as np
    import xarray as xr

    from data.stores.reading import whole
    from verification.scorecard import forecast_figure

    with xr.open_zarr(whole(store)) as predicted, xr.open_zarr(whole(scores)) as scored:
        figure = forecast_figure(
            predicted,
            truth,
            scored,
            variable="geopotential",
            level=500,
            lead=np.timedelta64(24, "h"),
        )
    figure.savefig(picture, dpi=120)
    console.print(f"[bold]{picture}[/]  500 hPa geopotential after 24 h, and errors by lead time")
