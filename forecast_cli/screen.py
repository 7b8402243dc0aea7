"""A forecast on the terminal: findings and progress while it runs, then a summary."""

from pathlib import Path

from rich.markup import escape
from rich.progress import Progress

from data.doctor import Finding
from data.stores.forecast.header import ForecastHeader
from data.wording import hour, hours
from forecast_cli.terminal import console, errors, progress, size
from graphcast import operations
from graphcast.machine.hosts import is_first

SHOWN_FINDINGS = 5  # of each window


class Screen:
    """Shows a forecast while it runs: findings, and a progress bar of leads."""

    def __init__(self) -> None:
        self._bar: Progress = progress(shown=is_first())
        self._opened: operations.Opened | None = None
        self._notes: tuple[str, ...] | None = None  # of the first window

    def __enter__(self) -> "Screen":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, event: operations.Event) -> None:
        """Show one event; the `report` of a forecast."""
        match event:
            case operations.Noticed(findings):
                _show(findings)
            case operations.Opened(header, resumed):
                self._opened = event
                total = len(header.cells)
                self._row = self._bar.add_task("forecasting", total=total, completed=resumed)
            case operations.Started(notes=notes) if self._notes is None:
                self._notes = notes
            case operations.Written():
                self._bar.advance(self._row)

    def summarise(self, output: Path, weights: operations.Digest, seconds: float) -> None:
        """Print what was written and from which inputs, and the next command."""
        assert self._opened is not None
        written = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
        console.print(f"[bold]{output}[/]  {size(written)}, {seconds:.1f} s")
        for label, text in _rows(*self._opened, weights, self._notes or ()):
            console.print(f"  {label:<10} {text}")
        console.print(
            f"next: [cyan]graphcast score --forecast {output} --truth ANALYSES "
            "--output scores.zarr[/]"
        )


def _show(findings: tuple[Finding, ...]) -> None:
    """Print the first findings, and how many more there are."""
    for finding in findings[:SHOWN_FINDINGS]:
        errors.print(f"[yellow]{finding.rule}:[/] {escape(finding.message)}", soft_wrap=True)
    if len(findings) > SHOWN_FINDINGS:
        errors.print(f"and {len(findings) - SHOWN_FINDINGS} more: graphcast doctor tells all")


def _rows(
    header: ForecastHeader, resumed: int, weights: operations.Digest, notes: tuple[str, ...]
) -> list[tuple[str, str]]:
    """The summary, label and text."""
    times = ", ".join(f"{hour(time)} UTC" for time in header.init_times)
    members = f", {len(header.members)} members" if header.members else ""
    first, last = hours(header.leads[0]), hours(header.leads[-1])
    leads = f"{first:g} to {last:g} h in {len(header.leads)} steps"
    if resumed:
        leads += f", {resumed} of {len(header.cells)} taken from the interrupted run"
    by_note: dict[str, list[str]] = {}
    for note in notes:  # "variable: what was done"
        name, _, done = note.partition(": ")
        by_note.setdefault(done, []).append(name)
    return [
        ("init time", times + members),
        ("lead time", leads),
        ("variables", ", ".join(header.variables)),
        ("weights", weights.description or "not described"),
        *(("input", f"{done}: {', '.join(names)}") for done, names in by_note.items()),
    ]
