"""A training run from its first update to its last: reads, updates, saves, validates, resumes.

`run` does what `graphcast train` promises: a run that is killed at any moment and started again
ends in the bytes of one that was not. All that decides them is in the state and in `Job`.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.experimental import multihost_utils

from data.windows import window
from graphcast.checkpoints import Checkpoint
from graphcast.forecaster import Forecaster
from graphcast.machine.hosts import exchange, is_first, process_count
from graphcast.machine.lost import LostError, StoppedError
from graphcast.machine.machine import Machine
from graphcast.machine.memory import available_memory
from graphcast.training.feed import ReadAhead, StoredFrames
from graphcast.training.folder import UPDATE, VALIDATION, RunFolder, rank
from graphcast.training.ledger import SAVING, VALIDATING, Ledger
from graphcast.training.loop import NotFiniteError, Progress, updates
from graphcast.training.problem import plan_of_updates, training_problem
from graphcast.training.recipe import Recipe
from graphcast.training.state import TrainState, initial_state

SAVE_EVERY = 600.0  # seconds
ASK_EVERY = 8  # updates, after which several processes look whether one of them is to stop
FRAMES_SHARE = 4  # of the free memory, one part in so many may hold frames
MOST_FRAMES = 4 * 2**30  # bytes


class Validated(NamedTuple):
    """The result of a validation.

    Attributes:
        score: lower is better, and decides which weights a run keeps; None for weights whose
            forecasts are not finite.
        rows: a JSON object for each variable, level and lead time.
    """

    score: float | None
    rows: list[dict[str, Any]]


Validate: TypeAlias = Callable[[Checkpoint], Validated]


class Resumed(NamedTuple):
    """The run goes on after so many updates."""

    update: int


class Noted(NamedTuple):
    """Something that the user should know."""

    text: str


class Updated(NamedTuple):
    """An update is done; the ledger says where time went."""

    progress: Progress
    ledger: Ledger
    read_bytes: int


class Saved(NamedTuple):
    """A state is on the disk."""

    update: int


class Judged(NamedTuple):
    """The run was validated; `best` says whether these are its best weights so far."""

    update: int
    weights: str
    validated: Validated
    best: bool


Event: TypeAlias = Resumed | Noted | Updated | Saved | Judged


@dataclass(frozen=True)
class Job:
    """What a run trains, on what, and how.

    Attributes:
        ready: the first weights, with their task and statistics, on the grid of the data.
        recipe: all that decides updates.
        analyses: the training period, canonical and unread.
        devices: how many share each batch.
        save_every: seconds between states, besides those at validations.
    """

    ready: Forecaster
    recipe: Recipe
    analyses: xr.Dataset
    devices: int = 1
    save_every: float = SAVE_EVERY


class Stopped(SystemExit):
    """The system asked the process to end (SIGTERM); the state is saved."""


def run(
    job: Job,
    folder: RunFolder,
    *,
    validate: Validate,
    report: Callable[[Event], None] = lambda event: None,
) -> TrainState:
    """Train to the end of the recipe, from the newest state in the folder.

    Args:
        job: what is trained.
        folder: where states, metrics and the best weights are kept.
        validate: scores weights by forecasts; called on the first of several processes.
        report: is told what happens.

    Returns:
        The last state.

    Raises:
        ValueError: the data have gaps, or too few times; nothing fits into the memory.
        NotFiniteError: a loss or a gradient is not finite; names it, and the last good state.
        OSError: the disk is full.
        Stopped: SIGTERM came.
    """
    ledger = Ledger()
    plan = plan_of_updates(job.ready, job.recipe, Machine(job.devices, job.devices))
    first = window(
        job.analyses, job.ready.checkpoint.task, init_time=job.analyses["time"].values[1]
    )
    frames = StoredFrames(job.analyses, first.task, plan.layout.rows, memory=_memory_for_frames())
    frames.samples(job.recipe.most_lead_steps)  # raises if there are too few
    state = _begin(job, folder, report)
    log = _Log(job, folder, validate, report, ledger)
    log.saved_after(int(state.update))
    if not log.is_validated(int(state.update)):
        log.validate(state)  # a kill came between state and validation
    with ReadAhead(frames, job.recipe) as batches, _terminable() as asked:
        steps = updates(
            *(state, training_problem(job.ready, plan, first), batches, job.recipe),
            devices=job.devices,
            ledger=ledger,
        )
        try:
            for state, progress in steps:
                log.updated(progress, frames.read_bytes)
                if progress.update in job.recipe.validated_after:
                    log.save(state)
                    log.validate(state)
                elif log.is_time_to_save():
                    log.save(state)
                if _is_asked(asked, progress.update):
                    log.save(state)
                    raise Stopped(128 + signal.SIGTERM)
        except NotFiniteError as error:
            raise _named(error, job, log) from error
        except KeyboardInterrupt:
            log.save(state)
            raise
        except (ValueError, OSError) as error:
            if process_count() > 1 and not isinstance(error, StoppedError | LostError):
                # The others wait for this process within an update, where no message reaches them.
                raise LostError(str(error)) from error
            raise
    return state


def _begin(job: Job, folder: RunFolder, report: Callable[[Event], None]) -> TrainState:
    """The newest state of the folder, or the first of all, on every process."""
    first = initial_state(job.ready.checkpoint.model, job.recipe)
    found = folder.latest(first, lambda text: report(Noted(text))) if is_first() else None
    state = first if found is None else found
    if process_count() > 1:
        # As integers: JAX broadcasts by adding zeros, which turns -0.0 into 0.0.
        bits = jax.tree.map(lambda x: np.asarray(x).view(np.uint32), state)
        sent = multihost_utils.broadcast_one_to_all(bits)
        state = jax.tree.map(lambda x, like: np.asarray(x).view(like.dtype), sent, state)
    if is_first():
        folder.rewind(int(state.update))
    if int(state.update):
        report(Resumed(int(state.update)))
    return state


class _Log:
    """States, metrics and validations of a run, written by the first process alone."""

    def __init__(
        self,
        job: Job,
        folder: RunFolder,
        validate: Validate,
        report: Callable[[Event], None],
        ledger: Ledger,
    ) -> None:
        self._job, self._folder, self._validate = job, folder, validate
        self._report, self._ledger = report, ledger
        self._saved, self.last_good = time.perf_counter(), 0

    def saved_after(self, update: int) -> None:
        """Note that the state after an update is on the disk."""
        self._saved, self.last_good = time.perf_counter(), update

    def is_time_to_save(self) -> bool:
        """Whether the last state is old."""
        return time.perf_counter() - self._saved > self._job.save_every

    def is_validated(self, update: int) -> bool:
        """Whether nothing is left to validate after an update."""
        if update not in self._job.recipe.validated_after or not is_first():
            return True
        return any(line["update"] == update for line in self._folder.metrics(VALIDATION))

    def updated(self, progress: Progress, read_bytes: int) -> None:
        """Write the metrics of an update."""
        if not is_first():
            return
        update, conditions, loss, norm = progress
        line = {"kind": UPDATE, "update": update, **conditions._asdict(), "loss": loss}
        more = {"gradient_norm": norm, "seconds": round(self._ledger.elapsed, 3)}
        self._folder.note(line | more)
        self._report(Updated(progress, self._ledger, read_bytes))

    def save(self, state: TrainState) -> None:
        """Write the state, once."""
        update = int(state.update)
        if update == self.last_good or not is_first():
            self.saved_after(update)
            return
        with self._ledger.spending(SAVING):
            self._folder.save(state)
        self.saved_after(update)
        self._report(Saved(update))

    def validate(self, state: TrainState) -> None:
        """Score the weights and their average; the best weights become the checkpoint."""
        if is_first():
            with self._ledger.spending(VALIDATING):
                self._judge(state)
        exchange()  # the others wait here rather than within an update

    def _judge(self, state: TrainState) -> None:
        update = int(state.update)
        candidates = {"last": state.model, "average": state.average}
        judged = {
            name: (weights, self._validate(self._checkpoint(weights, name, update)))
            for name, weights in candidates.items()
            if weights is not None
        }
        name = min(judged, key=lambda name: rank(judged[name][1].score))
        weights, validated = judged[name]
        earlier = self._folder.best()
        best = earlier is None or rank(validated.score) < rank(earlier["score"])
        if best:
            self._folder.write_checkpoint(self._checkpoint(weights, name, update))
        self._folder.note(
            {
                "kind": VALIDATION,
                "update": update,
                "weights": name,
                "score": validated.score,
                "scores": {name: result.score for name, (_, result) in judged.items()},
                "rows": validated.rows,
                "shares": self._ledger.shares(),
                "samples_per_second": self._ledger.samples_per_second,
            }
        )
        self._report(Judged(update, name, validated, best))

    def _checkpoint(self, weights: Any, name: str, update: int) -> Checkpoint:
        which = "" if name == "last" else ", averaged weights"
        untrained = self._job.ready.checkpoint
        alone = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), weights)  # on one device
        return replace(
            untrained,
            model=alone,
            description=f"{untrained.description}; {update} updates{which}",
            provenance=untrained.provenance | {"update": str(update), "weights": name},
        )


def _is_asked(asked: list[bool], update: int) -> bool:
    """Whether SIGTERM came to a process; several processes ask each other now and then."""
    if process_count() == 1:
        return bool(asked)
    return update % ASK_EVERY == 0 and any(exchange("stop" if asked else ""))


def _named(error: NotFiniteError, job: Job, log: _Log) -> NotFiniteError:
    """The error with the channel's name, and with the state from which to go on."""
    channels = job.ready.channels.targets
    first = (
        "" if error.channel is None else f"; the first such error is {channels[error.channel]}'s"
    )
    good = "there is no state before it"
    if log.last_good:
        good = f"the last good state is that after update {log.last_good}, which is kept"
    return NotFiniteError(f"{error}{first}; {good}", error.channel)


def _memory_for_frames() -> int:
    return min(available_memory() // FRAMES_SHARE, MOST_FRAMES)


@contextlib.contextmanager
def _terminable() -> Iterator[list[bool]]:
    """A list that is empty until SIGTERM comes; the handler before it is restored on exit."""
    asked: list[bool] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
    except ValueError:  # not the main thread, where signals cannot be caught
        yield asked
        return
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)
