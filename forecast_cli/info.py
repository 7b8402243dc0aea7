"""`graphcast info`: what is in a file or store, and what can be done with it."""

from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.terminal import command_line, console, next_step

if TYPE_CHECKING:
    from forecast_cli.described import Described


def info(
    path: Annotated[
        str,
        typer.Argument(metavar="FILE_OR_STORE", help="File, folder, store or URL to describe."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object instead of a table.")
    ] = False,
) -> None:
    """Say what a file or a store holds, and what it can do.

    It reads weights, analyses, forecasts, scores, means, folders of statistics
    and simulated planets. Analyses are judged by their labels alone, in the
    words of `graphcast doctor`, which also examines their values.

    Example:
        graphcast info GraphCast_small.npz
        graphcast info forecast.zarr --json
    """
    from forecast_cli.described import described

    found = described(path)
    if as_json:
        _print_json(path, found)
    else:
        _print_table(path, found)


def _print_json(path: str, found: "Described") -> None:
    import json

    values = {label.replace(" ", "_"): row.value for label, row in found.rows.items()}
    content = {"path": path, "kind": found.kind, **values, "next": command_line(*found.next)}
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _print_table(path: str, found: "Described") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, row in found.rows.items():
        table.add_row(label, escape(row.text))
    console.print(f"[bold]{escape(path)}[/]  {found.kind}")
    console.print(table)
    if found.next:
        next_step(*found.next)
