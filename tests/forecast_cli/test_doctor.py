"""`graphcast doctor`."""

import json

import pytest
import typer
from typer.testing import CliRunner

from data.samples import analyses
from data.sources import open_inputs
from data.task import TASKS
from forecast_cli.doctor import doctor

APP = typer.Typer()
APP.command()(doctor)


def run(*arguments: object):
    return CliRunner().invoke(APP, [str(a) for a in arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Four of the analyses, the fourth twelve hours after the third."""
    path = tmp_path_factory.mktemp("doctor") / "frames.nc"
    open_inputs(analyses())[0].isel(time=[0, 1, 2, 4])[["temperature"]].load().to_netcdf(path)
    return path


def test_sound_data_exit_with_zero_and_say_what_next():
    result = run(analyses())
    assert result.exit_code == 0, result.output
    assert "relative_humidity reaches -2.97 %" in result.output
    assert "--task graphcast_small" in result.output


def test_the_findings_come_as_json(tmp_path):
    result = run(tmp_path / "nothing.nc", "--json")
    (finding,) = json.loads(result.output)
    assert result.exit_code == 2
    assert finding["rule"] == "readable"
    assert finding.keys() == {"rule", "severity", "message", "remedy"}


@pytest.mark.parametrize("as_file", [False, True])
def test_a_task_by_name_or_file_makes_lacks_errors(tmp_path, frames, as_file):
    task = "graphcast_small"
    if as_file:
        (tmp_path / "task.json").write_text(TASKS[task].to_json())
        task = tmp_path / "task.json"
    result = run(frames, "--task", task)
    assert result.exit_code == 2
    assert "mend the first error" in result.output
    assert "statics" in result.output


def test_an_unknown_task_is_refused():
    result = run(analyses(), "--task", "tomorrow")
    assert isinstance(result.exception, ValueError)
    assert "--task is one of graphcast" in str(result.exception)


def test_warnings_exit_with_one(frames):
    result = run(frames, "--all")
    assert result.exit_code == 1, result.output
    assert "1 time(s) missing" in result.output
    assert "look at the warnings" in result.output
