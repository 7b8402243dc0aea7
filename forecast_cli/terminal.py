"""The commands' consoles: results on stdout, progress and errors on stderr."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}  # by severity of a finding

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False)


def progress(*, shown: bool = True) -> Progress:
    """A progress bar for long work, which disappears when the work is done."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("eta"),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not shown,
    )


def next_step(*words: str | Path) -> None:
    """Print the next command so that it can be pasted, whatever its paths hold."""
    command = shlex.join(["graphcast", *map(str, words)])
    console.print(f"next: [cyan]{escape(command)}[/]")


def size(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
