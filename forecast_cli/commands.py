"""The subcommands by name, each imported when it is asked for, and the flags that they have."""

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module

import typer
from typer.core import TyperCommand

# Each is the function of this name in the module of this name, in the order of the help.
COMMANDS = (
    *("forecast", "score", "climatology", "plot", "plan", "info", "convert"),
    *("prepare", "doctor", "statistics", "simulate", "train"),
    "demo",
)
# Parameters of the library whose flags have other names.
OTHER_FLAGS = {
    "times": "--time",
    "repeat_single": "--repeat-single-time",
    "every_time": "--all",
}


@cache
def command(name: str) -> TyperCommand:
    """The subcommand of a name. Without arguments it shows its help, if it needs some."""
    alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
    alone.command(name)(function(name))
    built = typer.main.get_command(alone)
    assert isinstance(built, TyperCommand)
    built.no_args_is_help = any(parameter.required for parameter in built.params)
    return built


def function(name: str) -> Callable[..., None]:
    """The function behind a subcommand."""
    found: Callable[..., None] = getattr(import_module(f"forecast_cli.{name}"), name)
    return found


def in_flags(text: str) -> str:
    """A sentence of the library, which names parameters in backticks, with flags in their place.

    A name that no command has a flag for stays as it is: `init_time` becomes --init-time.
    """
    return re.sub(r"`(\w+)`", _flag, text)


def _flag(parameter: re.Match[str]) -> str:
    flag = OTHER_FLAGS.get(parameter[1], "--" + parameter[1].replace("_", "-"))
    return flag if flag in _flags() else parameter[0]


@cache
def _flags() -> frozenset[str]:
    """The flags of all subcommands."""
    return frozenset(flag for name in COMMANDS for p in command(name).params for flag in p.opts)
