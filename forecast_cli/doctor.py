"""`graphcast doctor`: find what is wrong with analyses before a forecast starts from them.

From Python, `data.doctor.examine_file` returns the findings.
"""

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.choices import TASK_FILE, TASKS
from forecast_cli.commands import in_flags
from forecast_cli.terminal import console, next_step

if TYPE_CHECKING:
    from data.doctor import Finding, Severity

_STYLES: "dict[Severity, str]" = {"error": "bold red", "warning": "yellow", "note": "dim"}


def doctor(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET_OR_FILE", help="File, Zarr store or URL to examine.")
    ],
    task: Annotated[
        str | None,
        typer.Option(
            help=f"Task that the data are for: {', '.join(TASKS)} or {TASK_FILE}. Inputs of the"
            " task that the data lack are then errors."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON array of the findings.")
    ] = False,
    every_time: Annotated[
        bool,
        typer.Option("--all", help="Examine every time and member of large data, not a sample."),
    ] = False,
    init_time: Annotated[
        str | None,
        typer.Option(help="Init time in UTC, for files that hold relative times only."),
    ] = None,
) -> None:
    """Examine data: units, grid, levels, times, gaps and balance.

    Exit code 0 with nothing worse than notes, 1 with warnings, 2 with errors.

    Example:
        graphcast doctor era5.zarr --task graphcast_small
    """
    from data.time_range import moment
    from forecast_cli.arguments import task_named

    chosen = None if task is None else task_named(task)
    start = None if init_time is None else moment(init_time)
    from data.doctor import examine_file, exit_code

    findings = examine_file(dataset, chosen, every_time=every_time, init_time=start)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _show(dataset, findings, task)
    raise typer.Exit(exit_code(findings))


def _show(dataset: str, findings: "list[Finding]", task: str | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    from data.doctor import RULES

    console.print(f"[bold]{escape(dataset)}[/]  examined by {len(RULES)} rules")
    if findings:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold")
        for finding in findings:
            style = _STYLES[finding.severity]
            table.add_row(
                f"[{style}]{finding.severity}[/]",
                finding.rule,
                f"{escape(finding.message)}\n[cyan]→ {escape(in_flags(finding.remedy))}[/]",
            )
        console.print(table, soft_wrap=False)
    counts = Counter(finding.severity for finding in findings)
    summary = ", ".join(
        f"{counts[severity]} {severity}{'s' * (counts[severity] > 1)}"
        for severity in _STYLES
        if counts[severity]
    )
    console.print(summary or "nothing found")
    _go_on(dataset, counts, task)


def _go_on(dataset: str, counts: "Counter[Severity]", task: str | None) -> None:
    """Say what to do with these findings."""
    if counts["error"]:
        console.print("mend the first error, then look again")
        next_step("doctor", dataset, *(("--task", task) if task else ()))
    elif counts["warning"]:
        console.print("look at the warnings before you trust a forecast from these data")
        next_step("info", dataset)
    elif task is None:
        next_step("doctor", dataset, "--task", "graphcast_small")
    else:
        inputs = ("--inputs", dataset, "--lead-time", "10d", "--output", "forecast.zarr")
        next_step("forecast", "--checkpoint", "WEIGHTS", *inputs)
