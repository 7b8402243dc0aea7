"""A training run on the terminal: progress while it runs, then a summary."""

from pathlib import Path

import numpy as np
from rich.markup import escape

from data.wording import hour
from forecast_cli.terminal import console, progress, remarks, size
from graphcast.machine.hosts import is_first
from graphcast.operations.training import Material
from graphcast.training.folder import RunFolder
from graphcast.training.job import Event, Judged, Noted, Resumed, Updated
from graphcast.training.ledger import COMPILING, SAVING, VALIDATING, WAITING, Ledger

SMOOTH = 0.98  # of the loss that is shown: weight of all earlier ones
ACTIVITIES = (WAITING, COMPILING, SAVING, VALIDATING)


class TrainingScreen:
    """Shows a run while it goes on: a bar of updates, and a line for each validation."""

    def __init__(self, total: int) -> None:
        self._bar = progress(shown=is_first())
        self._total = total
        self._row = self._bar.add_task("reading", total=total)
        self._loss: float | None = None
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

    def __call__(self, event: Event) -> None:
        """Show one event; the `report` of a run."""
        match event:
            case Resumed(update):
                self._bar.update(self._row, completed=update)
                if is_first():
                    remarks.print(f"going on after update {update}")
            case Noted(text):
                remarks.print(f"[yellow]note:[/] {escape(text)}", soft_wrap=True)
            case Updated(step, ledger, read_bytes):
                self.ledger, self.read_bytes = ledger, read_bytes
                earlier = step.loss if self._loss is None else self._loss
                self._loss = SMOOTH * earlier + (1 - SMOOTH) * step.loss
                self._bar.update(
                    self._row,
                    completed=step.update,
                    description=f"training, {step.conditions.phase}, loss {self._loss:.3g}, "
                    f"{ledger.samples_per_second:.3g} samples/s",
                )
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
        console.print(
            f"next: [cyan]graphcast forecast --checkpoint {checkpoint} "
            f"--inputs {material.request.data} --init-time {hour(init_times[0])} "
            f"--lead-time 3d --output {_beside(folder.path)}[/]"
        )


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-forecast.zarr")
