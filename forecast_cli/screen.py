"""A forecast on the terminal or in a log: findings and progress while it runs, then a summary."""

import time
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.progress import Progress

from data.doctor import Finding
from data.stores.forecast.form import WHOLE, Form
from data.stores.forecast.header import ForecastHeader
from data.wording import hour, hours, listed
from forecast_cli.commands import in_flags
from forecast_cli.parts import clipped_words, form_rows
from forecast_cli.terminal import STYLES, console, errors, next_step, progress, remarks, size
from graphcast.machine.hosts import is_first
from graphcast.operations import events
from graphcast.operations.run import Digest

SHOWN_FINDINGS = 5  # of each window


class Screen:
    """Shows a forecast while it runs: findings, and a bar of leads, or a line for each in a log."""

    def __init__(self) -> None:
        self._in_log = is_first() and not remarks.is_terminal
        self._bar: Progress = progress(shown=is_first() and remarks.is_terminal)
        self._header: ForecastHeader | None = None
        self._inputs: events.Inputs | None = None
        self._notes: tuple[str, ...] | None = None  # of the first window
        self._stands = False
        self._resumed = self._taken = 0  # leads that were not computed in this run
        self._done = 0  # leads that are there
        self._clock: list[float] = []  # when the first and the last lead of this run were written
        self._written = 0  # leads of this run

    def __enter__(self) -> "Screen":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, event: events.Event) -> None:
        """Show one event; the `report` of a forecast."""
        match event:
            case events.Noticed(findings):
                _show(findings)
            case events.Inputs():
                self._inputs = event
            case events.Standing(header):
                self._header, self._stands = header, True
            case events.Opened(header, resumed):
                self._header, self._resumed, self._done = header, resumed, resumed
                total = len(header.cells)
                self._row = self._bar.add_task("forecasting", total=total, completed=resumed)
            case events.Started(notes=notes) if self._notes is None:
                self._notes = notes
                self._bar.update(self._row, description="compiling the program of a step")
                self._log("compiling the program of a step, which the first lead waits for")
            case events.Taken(leads):
                self._taken += leads
                self._advance(leads)
            case events.Failed(init_time, _, reason):
                errors.print(
                    f"[{STYLES['error']}]error:[/] no forecast from {hour(init_time)}:"
                    f" {escape(reason)}; the others go on",
                    soft_wrap=True,
                )
            case events.Written():
                self._show_lead(event)

    def summarise(self, output: Path, weights: Digest, seconds: float, form: Form = WHOLE) -> None:
        """Print what was written and from which inputs, and the next command."""
        assert self._header is not None
        files = [output] if output.is_file() else output.rglob("*")
        written = sum(path.stat().st_size for path in files if path.is_file())
        console.print(f"[bold]{escape(str(output))}[/]  {size(written)}, {seconds:.1f} s")
        if self._stands:
            console.print(
                "  it was there already, made from the same inputs by the same command; nothing was"
                " written (--overwrite makes it again)"
            )
        below = [("below zero", f"set to 0: {line}") for line in clipped_words(output)]
        rows = [*self._rows(self._header, weights), *below, *form_rows(form, output)]
        for label, text in rows:
            console.print(f"  {label:<10} {escape(text)}")
        truth = self._truth(self._header) if form.part.is_all else ()
        if truth:
            flags = [part for path in truth for part in ("--truth", path)]
            next_step("score", "--forecast", output, *flags, "--output", "scores.zarr")
        else:
            next_step("info", output)

    def _truth(self, header: ForecastHeader) -> tuple[str, ...]:
        """The inputs, if they have analyses that the forecast can be scored against."""
        if self._inputs is None:
            return ()
        valid = np.add.outer(np.array(header.init_times), np.array(header.leads))
        return self._inputs.places if np.isin(valid, self._inputs.times).any() else ()

    def _show_lead(self, event: events.Written) -> None:
        assert self._header is not None
        now = time.perf_counter()
        self._clock = [*self._clock[:1], now]
        self._written += 1
        self._bar.update(self._row, description="forecasting")
        self._advance(1)
        total = len(self._header.cells)
        member = f" member {event.member.number}" if self._header.members else ""
        self._log(
            f"{hour(event.init_time)}{member} +{hours(event.lead):g} h written, {self._done} of"
            f" {total}{self._estimate(total)}"
        )

    def _estimate(self, total: int) -> str:
        """How long the rest takes, by the leads after the first, which waited for the compiler."""
        if self._done == total:
            return ""
        if self._written < 2:
            return ", the next one tells how long it takes"
        pace = (self._clock[1] - self._clock[0]) / (self._written - 1)
        return f", about {duration(pace * (total - self._done))} left"

    def _advance(self, count: int) -> None:
        self._done += count
        self._bar.advance(self._row, count)

    def _log(self, line: str) -> None:
        if self._in_log:
            remarks.print(line, soft_wrap=True)

    def _rows(self, header: ForecastHeader, weights: Digest) -> list[tuple[str, str]]:
        """The summary, label and text."""
        times = listed((f"{hour(time)} UTC" for time in header.init_times), 4)
        several = f", {len(header.init_times)} of them" if len(header.init_times) > 4 else ""
        members = f", {len(header.members)} members" if header.members else ""
        first, last = hours(header.leads[0]), hours(header.leads[-1])
        leads = f"{first:g} to {last:g} h in {len(header.leads)} steps"
        for count, whence in (
            (self._resumed, "the interrupted run"),
            (self._taken, "the forecast that was there"),
        ):
            leads += f", {count} of {len(header.cells)} taken from {whence}" * bool(count)
        by_note: dict[str, list[str]] = {}
        for note in self._notes or ():  # "variable: what was done"
            name, _, done = note.partition(": ")
            by_note.setdefault(done, []).append(name)
        return [
            ("init time", times + several + members),
            ("lead time", leads),
            ("variables", ", ".join(header.variables)),
            ("weights", weights.description or "not described"),
            *(("input", f"{done}: {', '.join(names)}") for done, names in by_note.items()),
        ]


def duration(seconds: float) -> str:
    """A duration as a person says it: 8 s, 12 min, 3 h 20 min.

    >>> duration(12001)
    '3 h 20 min'
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _show(findings: tuple[Finding, ...]) -> None:
    """Print the first findings with their remedies, and how many more there are."""
    for finding in findings[:SHOWN_FINDINGS]:
        remarks.print(
            f"[{STYLES[finding.severity]}]{finding.severity}:[/] {escape(finding.message)}"
            f" (rule {finding.rule})\n  → {escape(in_flags(finding.remedy))}",
            soft_wrap=True,
        )
    if len(findings) > SHOWN_FINDINGS:
        remarks.print(f"and {len(findings) - SHOWN_FINDINGS} more: graphcast doctor tells all")
