"""What `graphcast info` says of a training run."""

import json
from pathlib import Path
from typing import Any

from data.description import Row, Rows, words
from graphcast.training.folder import UPDATE, RunFolder, training_of
from graphcast.training.recipe import Recipe


def run_rows(path: str) -> Rows:
    """What is trained, how far it is, and how good the best weights are.

    Raises:
        ValueError: the folder's description cannot be read.
    """
    training = training_of(Path(path))
    folder = RunFolder.elsewhere(Path(path), training)
    model, task = training["model"], training["task"]
    recipe = Recipe.from_json(json.dumps(training["recipe"]))
    updates, best = folder.metrics(UPDATE), folder.best()
    done = updates[-1]["update"] if updates else 0
    return {
        "network": Row(
            f"latent {model['latent_size']}, {model['processor_steps']} processor steps, "
            f"multi-mesh levels 0 to {model['mesh']['splits']}",
            model,
        ),
        "task": Row(f"{task['name']}: predicts {', '.join(task['targets'])}", task),
        "grid": words(training["grid"]),
        "training period": words(training["train_time"]),
        "validation period": words(training["validation_time"]),
        "recipe": Row(
            f"{recipe.updates} updates of {recipe.batch} samples, {recipe.precision}, "
            f"seed {recipe.seed}: {', '.join(phase.name for phase in recipe.phases)}",
            training["recipe"],
        ),
        "done": Row(f"{done} of {recipe.updates} updates", done),
        "best": _best(best),
    }


def run_next(path: str) -> tuple[str, ...]:
    """The command that uses the best weights, or none before there are any."""
    checkpoint = Path(path) / "checkpoint.safetensors"
    if not checkpoint.exists():
        return ()
    return ("info", str(checkpoint))


def _best(validation: dict[str, Any] | None) -> Row:
    if validation is None or validation["score"] is None:
        return Row("none whose forecasts were finite yet", None)
    score, update = validation["score"], validation["update"]
    return Row(f"RMSE {score:.3f} of persistence's after update {update}", score)
