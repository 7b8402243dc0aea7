"""`graphcast`, or `python -m forecast_cli`: the subcommands, and how their errors are shown."""

import os
import re
import sys
from functools import cache

import typer

from data.wording import one_line
from forecast_cli.convert import convert
from forecast_cli.demo import demo
from forecast_cli.doctor import doctor
from forecast_cli.forecast import forecast
from forecast_cli.info import info
from forecast_cli.plan import plan
from forecast_cli.plot import plot
from forecast_cli.prepare import prepare
from forecast_cli.score import score
from forecast_cli.simulate import simulate
from forecast_cli.statistics import statistics
from forecast_cli.terminal import errors
from graphcast.machine.hosts import LostError

WRONG_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells count

app = typer.Typer(
    name="graphcast",
    help="Global weather forecasts with GraphCast: from analyses to a scored Zarr forecast.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
COMMANDS = (
    *(forecast, score, plot, plan, info, convert),
    *(prepare, doctor, statistics, simulate),
    demo,
)
for command in COMMANDS:
    app.command(no_args_is_help=command is not demo)(command)


def main() -> None:
    """Run a subcommand; an error that the user can mend is one sentence and exit code 2."""
    try:
        app()
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            errors.print("interrupted; the same command goes on where this one stopped")
        raise
    except (ValueError, OSError) as error:
        errors.print(f"[bold red]error:[/] {sentence(error)}", highlight=False, soft_wrap=True)
        if isinstance(error, LostError):
            os._exit(WRONG_INPUT)  # a normal exit would wait for the lost process, then abort
        sys.exit(WRONG_INPUT)


def sentence(error: Exception) -> str:
    """The error's message on one line, with its file if it is an `OSError`, as rich's markup.

    Messages of the library name a parameter in backticks, as `init_time`; where a command has a
    flag for it, the flag is shown: --init-time.
    """
    text = one_line(error)
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    return re.sub(r"`(\w+)`", _flag, text).replace("[", r"\[")


def _flag(parameter: re.Match[str]) -> str:
    flag = "--" + parameter[1].replace("_", "-")
    return flag if flag in _flags() else parameter[0]


@cache
def _flags() -> frozenset[str]:
    """The flags of all subcommands."""
    subcommands = vars(typer.main.get_command(app))["commands"].values()
    return frozenset(flag for command in subcommands for p in command.params for flag in p.opts)


if __name__ == "__main__":
    main()
