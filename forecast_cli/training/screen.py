"""A training run on the terminal: progress while it runs, then a summary."""

import time

import numpy as np
from rich.markup import escape

from data.wording import hour
from forecast_cli.screen import duration
from forecast_cli.terminal import STYLES, console, next_step, progress, remarks, size
from graphcast.machine.hosts import is_first
from graphcast.operations.training import Material
from graphcast.training.folder import RunFolder
from graphcast.training.job import Event, Judged, Noted, Resumed, Updated
from graphcast.training.ledger import COMPILING, SAVING, VALIDATING, WAITING, Ledger
from graphcast.training.loop import Progress

SMOOTH = 0.98  # of the loss that is shown: weight of all earlier ones
LOG_EVERY = 60.0  # seconds between two lines about updates, where no bar is shown
ACTIVITIES = (WAITING, COMPILING, SAVING, VALIDATING)


class TrainingScreen:
    """Shows a run: a bar of updates, or lines in a log, and a line for each validation."""

    def __init__(self, total: int) -> None:
        self._in_log = is_first() and not remarks.is_terminal
        self._logged = time.perf_counter()
        self._bar = progress(shown=is_first() and remarks.is_terminal)
        self._total = total
        self._row = self._bar.add_task("reading", total=total)
        self._loss: float | None = None
        self._seen: tuple[int, float] | None = None  # an update, and when it was shown
        self.ledger: Ledger | None = None
        self.read_bytes = 0

    def __enter__(self) -> "TrainingScreen":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def counted(self, frames: int, total: int) -> None:
        """Show the progress of statistics."""
        self._bar.update(
            self._row, completed=frames, total=total, description="computing statistics"
        )

    def starting(self) -> None:
        """Show that training begins."""
        self._bar.update(self._row, total=self._total, completed=0, description="compiling")
        if self._in_log:
            remarks.print("compiling the program of an update, which the first one waits for")

    def __call__(self, event: Event) -> None:
        """Show one event; the `report` of a run."""
        match event:
            case Resumed(update):
                self._bar.update(self._row, completed=update)
                if is_first():
                    remarks.print(f"going on after update {update}")
            case Noted(text):
                remarks.print(f"[{STYLES['warning']}]note:[/] {escape(text)}", soft_wrap=True)
            case Updated(step, ledger, read_bytes):
                self.ledger, self.read_bytes = ledger, read_bytes
                self._show_update(step)
            case Judged(update, weights, validated, best):
                score = validated.score
                text = "forecasts not finite" if score is None else f"{score:.4f}"
                kept = "; the best so far" if best else ""
                console.print(
                    f"update {update}: RMSE over that of persistence {text} ({weights} weights)"
                    f"{kept}"
                )

    def summarise(
        self, folder: RunFolder, material: Material, init_times: np.ndarray, updates: int
    ) -> None:
        """Print what was trained, how well, where it is, and the next command."""
        best = folder.best()
        checkpoint = folder.checkpoint
        console.print(f"[bold]{checkpoint}[/]  {size(checkpoint.stat().st_size)}")
        console.print(f"  trained    {updates} updates on {material.training}", markup=False)
        if best is not None and best["score"] is not None:
            console.print(
                f"  validated  RMSE is {best['score']:.3f} of persistence's, over all variables, "
                f"levels and leads ({best['weights']} weights after update {best['update']})"
            )
        if self.ledger is not None:
            shares = self.ledger.shares()
            rate = self.read_bytes / 1e9 / max(self.ledger.elapsed, 1e-9)
            console.print(
                f"  speed      {self.ledger.samples_per_second:.3g} samples/s, "
                f"{rate:.2g} GB/s read; of the time "
                + ", ".join(f"{100 * shares[name]:.1f} % {name}" for name in ACTIVITIES)
            )
        console.print(f"  report     {folder.report}", markup=False)
        next_step(
            *("forecast", "--checkpoint", checkpoint, "--inputs", material.request.data),
            *("--init-time", hour(init_times[0]), "--lead-time", "3d"),
            *("--output", folder.path.with_name(f"{folder.path.name}-forecast.zarr")),
        )

    def _show_update(self, step: Progress) -> None:
        assert self.ledger is not None
        earlier = step.loss if self._loss is None else self._loss
        self._loss = SMOOTH * earlier + (1 - SMOOTH) * step.loss
        rate = self.ledger.samples_per_second
        text = f"{step.conditions.phase}, loss {self._loss:.3g}, {rate:.3g} samples/s"
        self._bar.update(self._row, completed=step.update, description=f"training, {text}")
        if self._in_log and time.perf_counter() - self._logged > LOG_EVERY:
            self._logged = time.perf_counter()
            remarks.print(
                f"update {step.update} of {self._total}: {text}{self._estimate(step.update)}",
                soft_wrap=True,
            )

    def _estimate(self, update: int) -> str:
        """How long the rest takes, by the updates after the first one that was seen."""
        now = time.perf_counter()
        if self._seen is None:
            self._seen = update, now
        first, then = self._seen
        if update == first:
            return ""
        pace = (now - then) / (update - first)
        return f", about {duration(pace * (self._total - update))} left"
