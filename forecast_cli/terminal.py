"""The commands' consoles: results on stdout; progress, remarks and errors on stderr."""

from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress

console = Console(highlight=False, soft_wrap=True)
remarks = Console(stderr=True, highlight=False)  # progress, notes, warnings
errors = Console(stderr=True, highlight=False)


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


def size(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
