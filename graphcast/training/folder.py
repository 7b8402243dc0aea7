"""`RunFolder`: the files of a training run, of which a kill at any moment leaves a whole set.

    RUN/training.json           what is trained, on what, how: another training is refused
    RUN/states/update-….safetensors   the last states and the best, from which training resumes
    RUN/metrics.jsonl           a JSON object for each update and each validation
    RUN/checkpoint.safetensors  the best weights so far, as forecasts take them
    RUN/statistics/             the normalisation statistics, if they were computed here
    RUN/report.html             for people

A new run has its name from the beginning and grows there, locked by a `Building`. One that replaces
another run grows beside it and takes its name when it is finished.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from data.stores.building import Building
from data.stores.files import check_space, remove_torn, written_aside, written_whole
from data.stores.kind import TRAINING_FILE, label
from graphcast.checkpoints import Checkpoint, write_checkpoint
from graphcast.training.state import (
    OtherTrainingError,
    TrainState,
    read_state,
    refuse_other_training,
    write_state,
)

LAYOUT = 1
KEPT_STATES = 2  # the last ones; that of the best validation stays besides
UPDATE, VALIDATION = "update", "validation"  # kinds of a line of metrics


class RunFolder:
    """A training run on the disk; as a context manager it releases the folder's lock on exit."""

    def __init__(self, building: Building | None, path: Path, training: Mapping[str, Any]) -> None:
        self.path = path
        self.training = training
        self._building = building
        if building is not None:
            remove_torn(path)
        self._validations = self.metrics(VALIDATION)

    @classmethod
    def open(
        cls, path: Path, training: Mapping[str, Any], *, overwrite: bool = False
    ) -> "RunFolder":
        """Resume a run, or begin one.

        Args:
            path: the run's folder.
            training: a JSON object that identifies the training.
            overwrite: replace a run at `path` once the new one is finished.

        Raises:
            FileExistsError: `path` holds something else, or another process trains there.
            OtherTrainingError: the run there is another one; every difference is named.
        """
        building = Building.claim(path, "training")
        try:
            return cls(building, _place(building, training, overwrite), training)
        except BaseException:
            building.close()
            raise

    @classmethod
    def elsewhere(cls, path: Path, training: Mapping[str, Any]) -> "RunFolder":
        """The folder for a process that writes nothing, because another one does."""
        return cls(None, path, training)

    @property
    def checkpoint(self) -> Path:
        """The file of the best weights so far."""
        return self.path / "checkpoint.safetensors"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    @property
    def statistics(self) -> Path:
        """The folder of statistics."""
        return self.path / "statistics"

    def latest(self, like: TrainState, note: Callable[[str], None]) -> TrainState | None:
        """The newest complete state, or None; a damaged one is noted and passed over.

        Args:
            like: a state with the expected tensors.
            note: is given a sentence for each damaged state.

        Raises:
            OtherTrainingError: the newest state comes from another training.
        """
        for state in reversed(self._states()):
            try:
                return read_state(state, like, self.training)
            except OtherTrainingError:
                raise
            except (ValueError, OSError) as error:
                note(f"{error}; the state before it is taken")
        return None

    def save(self, state: TrainState) -> Path:
        """Write a state, and remove those that are no longer kept.

        Raises:
            OSError: the disk is full; all earlier states are still there.
        """
        update = int(state.update)
        path = self._state(update)
        size = max((p.stat().st_size for p in self._states()), default=0)
        check_space(path, size, "the training state takes", "train a smaller model")
        write_state(state, path, self.training)
        best = self.best()
        kept = {*self._states()[-KEPT_STATES:], path}
        if best is not None:
            kept.add(self._state(int(best["update"])))
        for old in self._states():
            if old not in kept:
                old.unlink()
        return path

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Replace the best weights."""
        write_checkpoint(checkpoint, self.checkpoint)

    def write_report(self, page: str) -> None:
        """Replace the page for people."""
        with written_whole(self.report) as temporary:
            temporary.write_text(page, encoding="utf-8")

    def note(self, *lines: Mapping[str, Any]) -> None:
        """Append objects to the metrics, one a line."""
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(text)
        self._validations += [dict(line) for line in lines if line["kind"] == VALIDATION]

    def metrics(self, kind: str) -> list[dict[str, Any]]:
        """The lines of one kind, in order."""
        return [line for line in self._lines() if line["kind"] == kind]

    def best(self) -> dict[str, Any] | None:
        """The validation with the lowest score, the first of equal ones; None before any."""
        return min(self._validations, key=lambda line: rank(line["score"]), default=None)

    def rewind(self, update: int) -> None:
        """Drop metrics after an update, which a resumed run writes again."""
        kept = [line for line in self._lines() if line["update"] <= update]
        with written_whole(self._metrics) as temporary:
            temporary.write_text("".join(f"{json.dumps(line)}\n" for line in kept))
        self._validations = self.metrics(VALIDATION)

    def finish(self) -> None:
        """Give a run that replaces another one its name."""
        if self._building is not None and self.path != self._building.target:
            self._building.finish()
            self.path = self._building.target

    def close(self) -> None:
        """Release the folder; another process may then go on."""
        if self._building is not None:
            self._building.close()

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    def _state(self, update: int) -> Path:
        return self.path / "states" / f"update-{update:08d}.safetensors"

    def _states(self) -> list[Path]:
        """The states that are there, oldest first."""
        return sorted((self.path / "states").glob("update-*.safetensors"))

    def _lines(self) -> Iterator[dict[str, Any]]:
        """The whole lines of the metrics; a line that a kill cut off has no end."""
        if not self._metrics.exists():
            return
        whole, _, _ = self._metrics.read_text(encoding="utf-8").rpartition("\n")
        for line in whole.splitlines():
            yield json.loads(line)


def rank(score: float | None) -> float:
    """A score to compare: weights whose forecasts are not finite (None) come last."""
    return math.inf if score is None else score


def training_of(path: Path) -> dict[str, Any]:
    """The description of the run in a folder.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        training: dict[str, Any] = json.loads((path / TRAINING_FILE).read_text())["training"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path / TRAINING_FILE} describes a training run and cannot be read; begin again with "
            "`overwrite`, or choose another output"
        ) from error
    return training


def _place(building: Building, training: Mapping[str, Any], overwrite: bool) -> Path:
    """The folder in which the run grows, laid out or resumed."""
    target, left = building.target, building.interrupted
    if target.exists() and not overwrite:
        refuse_other_training(training_of(target), training, target)
        return target
    text = json.dumps(training, sort_keys=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    if not overwrite:
        building.refuse_other(fingerprint)
    begun = left is not None and (left.kind, left.fingerprint) == ("training", fingerprint)
    if begun and building.named:
        return target
    if begun:
        building.resume(overwrite=overwrite)
    else:
        building.begin(
            fingerprint,
            lay_out=lambda folder: _lay_out(folder, training),
            overwrite=overwrite,
        )
    if target.exists():
        building.commit("begun")  # so that the next run finds it, and its states, worth keeping
    else:
        building.give_name()
    return building.folder


def _lay_out(folder: Path, training: Mapping[str, Any]) -> None:
    (folder / "states").mkdir()
    content = {**label("training", LAYOUT), "training": training}
    with written_aside(folder / TRAINING_FILE) as path:
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
