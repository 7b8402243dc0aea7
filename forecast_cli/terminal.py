"""The commands' consoles: results on stdout; progress, remarks and errors on stderr."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from rich.progress import Progress

OWN = ("ANALYSES", "STATISTICS", "WEIGHTS")  # in a command: what only the user can fill in
STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}  # by severity of a finding

console = Console(highlight=False, soft_wrap=True, emoji=False)
remarks = Console(stderr=True, highlight=False, emoji=False)  # progress, notes, warnings
errors = Console(stderr=True, highlight=False, emoji=False)


def be_quiet(quiet: bool) -> None:
    """Whether nothing is shown but errors, and what was asked for as JSON."""
    console.quiet = remarks.quiet = quiet


def progress(*, shown: bool = True) -> "Progress":
    """A progress bar for long work, which disappears when the work is done."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("eta"),
        TimeRemainingColumn(),
        console=remarks,
        transient=True,
        disable=not shown or remarks.quiet,
    )


def next_step(*words: str | Path) -> None:
    """Print the command to go on with.

    After `next:` it can be pasted, whatever its paths hold. A command that needs something of the
    user's own, in capitals, is not called so.
    """
    own = [str(word) for word in words if word in OWN]
    label = f"then, with your own {' and '.join(own)}:" if own else "next:"
    console.print(f"{label} [cyan]{escape(command_line(*words))}[/]")


def command_line(*words: str | Path) -> str:
    """A `graphcast` command as a shell reads it, with quotes where its words need them."""
    return shlex.join(["graphcast", *map(str, words)])


def size(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
