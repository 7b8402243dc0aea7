"""Runs: killed anywhere they end in the same bytes; what is wrong ends them in a sentence."""

import json
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from data.stores import files
from data.stores.kind import kind_of
from graphcast.checkpoints import read_checkpoint
from graphcast.forecaster import forecaster
from graphcast.training import Job, Phase, Recipe, RunFolder, Validated, Validation, run
from graphcast.training.job import Judged, Noted, Resumed, Saved, Stopped, Updated
from graphcast.training.loop import NotFiniteError
from graphcast.training.state import OtherTrainingError

from ..conftest import smooth_analyses

RECIPE = Recipe(
    (
        Phase("one step", 4, peak=3e-3, warm_up=1),
        Phase("two steps", 2, peak=1e-3, end=1e-3, lead_steps=2),
    ),
    batch=2,
    average_decay=0.8,
    validation=Validation(times=3, init_times=1, lead_steps=1),
)
TRAINING = {"recipe": json.loads(RECIPE.to_json()), "data": "waves"}


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it, and nothing is tidied up."""


@pytest.fixture(scope="module")
def job(world):
    analyses = smooth_analyses(world.grid, frames=8)
    return Job(forecaster(world.checkpoint, world.grid), RECIPE, analyses, save_every=0.0)


def validate(checkpoint):
    """A score that follows from the weights."""
    total = sum(float(np.abs(leaf).sum()) for leaf in jax.tree.leaves(checkpoint.model))
    return Validated(total, [])


def trained(job, path, report=lambda event: None, **options):
    with RunFolder.open(path, TRAINING, **options) as folder:
        run(job, folder, validate=validate, report=report)
        folder.finish()
    return contents(path)


def contents(path):
    """All that must not depend on kills: weights and states to the byte, metrics but for times."""
    metrics = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    timed = {"seconds", "shares", "samples_per_second"}
    kept = [{k: v for k, v in line.items() if k not in timed} for line in metrics]
    weights = [path / "checkpoint.safetensors", *sorted((path / "states").iterdir())]
    return kept, {file.name: file.read_bytes() for file in weights}


@pytest.fixture(scope="module")
def at_once(job, tmp_path_factory):
    return trained(job, tmp_path_factory.mktemp("runs") / "run")


def test_a_run_keeps_the_last_states_the_best_and_its_weights(at_once):
    metrics, kept = at_once
    judged = [line for line in metrics if line["kind"] == "validation"]
    assert [line["update"] for line in judged] == [2, 4, 6]
    best = min(judged, key=lambda line: line["score"])["update"]
    states = {f"update-{update:08d}.safetensors" for update in {best, 5, 6}}
    assert kept.keys() == {"checkpoint.safetensors", *states}
    updates = [line for line in metrics if line["kind"] == "update"]
    assert [line["update"] for line in updates] == [1, 2, 3, 4, 5, 6]
    assert [line["lead_steps"] for line in updates] == [1, 1, 1, 1, 2, 2]


def test_a_run_killed_after_any_event_ends_in_the_bytes_of_one_that_was_not(job, at_once, tmp_path):
    path = tmp_path / "run"
    for stop in range(1, 40):
        events = []

        def count(event, events=events, stop=stop):
            events.append(event)
            if len(events) == stop:
                raise KilledError

        try:
            assert trained(job, path, count) == at_once
            break
        except KilledError:
            continue
    assert stop > 4  # it was killed often


def test_a_run_killed_while_it_writes_any_file_ends_in_the_same_bytes(
    job, at_once, tmp_path, monkeypatch
):
    path, replace_name, left = tmp_path / "run", Path.replace, 0

    def fragile(self, target):
        nonlocal left
        left -= 1
        if left == 0:
            # What a kill leaves of a file that is being written: half of it, under another name.
            Path(target).with_name(f".{Path(target).name}.torn.tmp").write_bytes(b"half")
            raise KilledError
        return replace_name(self, target)

    monkeypatch.setattr(files.Path, "replace", fragile)
    for kill in range(1, 60):
        left = kill
        try:
            assert trained(job, path) == at_once
            break
        except KilledError:
            continue
    assert kill > 4
    assert not list(path.rglob("*.tmp"))


def test_a_damaged_state_is_named_and_the_one_before_it_taken(job, at_once, tmp_path):
    path, noted = tmp_path / "run", []

    def stop(event):
        if isinstance(event, Updated) and event.progress.update == 5:
            raise KilledError

    with pytest.raises(KilledError):
        trained(job, path, stop)
    newest = sorted((path / "states").iterdir())[-1]
    newest.write_bytes(newest.read_bytes()[:-7])
    assert trained(job, path, noted.append) == at_once
    (note,) = [event.text for event in noted if isinstance(event, Noted)]
    assert newest.name in note
    assert note.endswith("the state before it is taken")
    assert Resumed(3) in noted


def test_sigterm_saves_the_state_and_stops(job, at_once, tmp_path, monkeypatch):
    path, events = tmp_path / "run", []
    slow = replace(job, save_every=3600.0)

    def report(event):
        events.append(event)
        if isinstance(event, Updated) and event.progress.update == 3:
            import signal  # noqa: PLC0415

            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped) as stopped:
        trained(slow, path, report)
    assert stopped.value.code == 143
    assert events[-1] == Saved(3)
    assert trained(job, path)[1] == at_once[1]


def test_a_finished_run_is_left_as_it_is(job, at_once, tmp_path):
    path, events = tmp_path / "run", []
    trained(job, path)
    assert trained(job, path, events.append) == at_once
    assert events == [Resumed(6)]


def test_a_run_is_known_as_one(job, tmp_path):
    trained(job, tmp_path / "run")
    assert kind_of(tmp_path / "run") == "training"


def test_another_training_is_refused_with_the_difference(job, tmp_path):
    path = tmp_path / "run"
    trained(job, path)
    with pytest.raises(OtherTrainingError, match="its data is 'waves', and 'others' is asked for"):
        RunFolder.open(path, {**TRAINING, "data": "others"})


def test_a_run_that_replaces_another_has_its_name_when_it_is_done(job, at_once, tmp_path):
    path, other = tmp_path / "run", {**TRAINING, "data": "others"}
    trained(job, path)

    def stop(event):
        if isinstance(event, Judged):
            raise KilledError

    with pytest.raises(KilledError), RunFolder.open(path, other, overwrite=True) as folder:
        run(job, folder, validate=validate, report=stop)
    assert contents(path) == at_once  # the earlier run still stands
    resumed = []
    with RunFolder.open(path, other, overwrite=True) as folder:
        run(job, folder, validate=validate, report=resumed.append)
        folder.finish()
    assert Resumed(2) in resumed
    assert json.loads((path / "training.json").read_text())["training"] == other
    assert [item.name for item in tmp_path.iterdir()] == ["run"]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not a training run, so it will not be replaced"):
        RunFolder.open(tmp_path / "run", TRAINING, overwrite=True)


def test_weights_whose_forecasts_are_not_finite_are_never_the_best(job, tmp_path):
    scores = iter([3.0, 2.0, None, None, 4.0, 1.0])
    with RunFolder.open(tmp_path / "run", TRAINING) as folder:
        run(job, folder, validate=lambda checkpoint: Validated(next(scores), []))
        best = folder.best()
        judged = folder.metrics("validation")
    assert [line["score"] for line in judged] == [2.0, None, 1.0]
    assert (best["update"], best["weights"]) == (6, "average")
    kept = read_checkpoint(tmp_path / "run" / "checkpoint.safetensors")
    assert kept.description.endswith("; 6 updates, averaged weights")


def test_a_loss_that_is_not_finite_names_the_channel_and_the_last_good_state(job, tmp_path):
    fast = Phase("too fast", 6, peak=1e30, end=1e30, warm_up=2)
    hasty = replace(job, recipe=replace(RECIPE, phases=(fast,)))
    words = (
        r"the (loss|gradient) of update \d is .*; lower the learning rate .*the last good state is "
        r"that after update \d, which is kept"
    )
    with (
        RunFolder.open(tmp_path / "run", TRAINING) as folder,
        pytest.raises(NotFiniteError, match=words),
    ):
        run(hasty, folder, validate=lambda checkpoint: Validated(1.0, []))
    assert list((tmp_path / "run" / "states").iterdir())
