"""`graphcast --help` and the help of each command."""

import inspect

import pytest

from forecast_cli import commands

COMMANDS = [commands.function(name) for name in commands.COMMANDS]
by_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)


@by_command
def test_every_command_has_help_with_an_example(graphcast, command, monkeypatch):
    name = command.__name__
    monkeypatch.setenv("COLUMNS", "80")
    run = graphcast(name, "--help")
    assert run.code == 0
    _, _, rest = inspect.getdoc(command).replace(r"\[", "[").partition("\n\n")
    shown = [line.strip() for line in run.out.splitlines()]
    for line in rest.split("\n"):  # as they were written, not wrapped: examples are to be copied
        assert line.strip() in shown
    assert f"graphcast {name}" in run.out.split("Example")[1]


@by_command
def test_every_listed_help_is_a_whole_sentence_on_one_line(graphcast, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    first_line = inspect.getdoc(command).partition("\n")[0]
    assert first_line.endswith(".")
    listed = [line.strip("│ \n") for line in graphcast("--help").out.splitlines()]
    assert [
        line.split(maxsplit=1) for line in listed if line.startswith(f"{command.__name__} ")
    ] == [[command.__name__, first_line]]
