"""`graphcast`, or `python -m forecast_cli`: the subcommands, and how their errors are shown.

Nothing but typer is imported before a subcommand is known, and a subcommand's module imports what
it uses when it runs: help, completion and errors in what was typed come at once.
"""

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from forecast_cli import terminal
from forecast_cli.commands import COMMANDS, command, in_flags
from forecast_cli.terminal import errors

WRONG_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells count

QUIET = "--quiet"


class Commands(TyperGroup):
    """The subcommands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        """The subcommand of a name; None if there is none."""
        return command(cmd_name) if cmd_name in COMMANDS else None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """`--quiet` may stand before the subcommand or after it."""
        rest = [argument for argument in args if argument != QUIET]
        return super().parse_args(ctx, [QUIET, *rest] if rest and len(rest) < len(args) else args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The subcommand that the arguments name, and what is left of them."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            ctx.fail(f"there is no command {name!r}; {hint}There are {', '.join(COMMANDS)}.")
        return super().resolve_command(ctx, args)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"graphcast {version('graphcast')}")
        raise typer.Exit


app = typer.Typer(
    name="graphcast",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def graphcast(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
    quiet: Annotated[
        bool, typer.Option(QUIET, help="Print nothing but errors; also after the command.")
    ] = False,
) -> None:
    """Global weather forecasts with GraphCast: from analyses to a scored Zarr forecast."""
    terminal.be_quiet(quiet)


def main() -> None:
    """Run a subcommand; an error that the user can mend is one sentence and exit code 2."""
    _refuse_shadows()
    try:
        app()
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            errors.print("interrupted; the same command goes on where this one stopped")
        raise
    except (ValueError, OSError) as error:
        from graphcast.machine.lost import LostError

        errors.print(f"[bold red]error:[/] {sentence(error)}", highlight=False, soft_wrap=True)
        if isinstance(error, LostError):
            os._exit(WRONG_INPUT)  # a normal exit would wait for the lost process, then abort
        sys.exit(WRONG_INPUT)


def _refuse_shadows() -> None:
    """End with a sentence where a file of the user's has the name of one of our packages."""
    found = find_spec("graphcast")  # not imported: a user's file would be run
    place = "nothing" if found is None or found.origin is None else found.origin
    try:
        if Path(__file__).resolve().parents[1] not in Path(place).resolve().parents:
            raise ImportError(
                f"graphcast needs its own package 'graphcast', and Python finds {place} in its "
                "place; rename that, or take its folder out of PYTHONPATH"
            )
        import_module("graphcast")  # refuses files that have the names of the others
    except ImportError as error:
        errors.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(WRONG_INPUT)


def sentence(error: Exception) -> str:
    """The error's message on one line, with its file if it is an `OSError`, as rich's markup.

    Parameters that the library names are shown as flags.
    """
    from data.wording import one_line

    text = one_line(error)
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    return escape(in_flags(text))


if __name__ == "__main__":
    main()
