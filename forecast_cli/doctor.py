"""`graphcast doctor`: what is wrong with a file of analyses, before a forecast says so."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from data.doctor import RULES, Finding, Severity, examine_file, exit_code
from forecast_cli.arguments import moment, task_named
from forecast_cli.terminal import console

_STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "note": "dim"}


def doctor(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET_OR_FILE", help="File, Zarr store or URL to examine.")
    ],
    task: Annotated[
        str | None,
        typer.Option(
            help="What the data are to serve: graphcast, graphcast_small, graphcast_operational,"
            " or a JSON file. What it needs and the data lack is then an error."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON array of the findings.")
    ] = False,
    every_time: Annotated[
        bool,
        typer.Option("--all", help="Examine every time and member of long data, not a sample."),
    ] = False,
    init_time: Annotated[
        str | None,
        typer.Option(help="Init time in UTC, for files that hold relative times only."),
    ] = None,
) -> None:
    """Examine data before a forecast or a training starts from it.

    The rules look at units, grid, levels, times, gaps, orientation, balance and
    climate.

    Exit code 0 with nothing worse than notes, 1 with warnings, 2 with errors.

    Example:
        graphcast doctor era5.zarr --task graphcast_small
    """
    purpose = None if task is None else task_named(task)
    start = None if init_time is None else moment(init_time)
    findings = examine_file(dataset, purpose, every_time=every_time, init_time=start)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _show(dataset, findings, task)
    raise typer.Exit(exit_code(findings))


def _show(dataset: str, findings: list[Finding], task: str | None) -> None:
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
                f"{escape(finding.message)}\n[cyan]→ {escape(finding.remedy)}[/]",
            )
        console.print(table, soft_wrap=False)
    console.print(_closing(dataset, findings, task))


def _closing(dataset: str, findings: list[Finding], task: str | None) -> str:
    counts = Counter(finding.severity for finding in findings)
    told = ", ".join(
        f"{counts[severity]} {severity}{'s' * (counts[severity] > 1)}"
        for severity in _STYLES
        if counts[severity]
    )
    where = escape(dataset)
    if counts["error"]:
        return f"{told}; next: mend the first error, then [cyan]graphcast doctor {where}[/] again"
    if counts["warning"]:
        return f"{told}; next: look at the warnings before you trust a forecast from these data"
    if task is None:
        return (
            f"{told or 'nothing found'}; next: [cyan]graphcast doctor {where} --task"
            " graphcast_small[/] looks for what a model needs"
        )
    return (
        f"{told or 'nothing found'}; next: [cyan]graphcast forecast --checkpoint WEIGHTS --inputs"
        f" {where} --lead-time 10d --output forecast.zarr[/]"
    )
