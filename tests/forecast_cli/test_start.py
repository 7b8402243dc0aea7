"""What the command line imports before it knows what to do, and what it says to a wrong word."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from data.planet import LEVELS, MODELS
from data.regrid import METHODS
from data.sources import SERIES
from data.task import TASKS, Task
from forecast_cli import choices
from forecast_cli.commands import COMMANDS
from graphcast.precision import PRECISIONS
from graphcast.training.recipes import RECIPES
from graphcast.training.sizes import SIZES
from verification.metric import HEADLINE_METRICS
from verification.protocols import PROTOCOLS
from verification.regions import HEADLINE_REGIONS, REGIONS
from verification.significance import TESTS as SIGNIFICANCE_TESTS

ROOT = Path(__file__).parents[2]

# What help and refusals may import besides Python's own modules: typer and what it builds on.
LIGHT = {
    *("forecast_cli", "graphcast", "lazy_loader"),
    *("typer", "annotated_doc", "shellingham", "rich", "attr", "markdown_it", "mdurl", "pygments"),
    *("pydantic", "pydantic_core", "annotated_types", "typing_inspection"),  # typer's, for values
    *("click", "colorama", "typing_extensions"),  # of older typers, and of Windows
}
ASK = """
import json, os, sys
before = set(sys.modules)
from forecast_cli.__main__ import main
sys.stdout = sys.stderr = open(os.devnull, "w")
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["graphcast", *arguments]
    try:
        main()
    except SystemExit:
        pass
print(json.dumps(sorted(set(sys.modules) - before)), file=sys.__stdout__)
"""


def test_help_completion_and_refusals_import_nothing_but_typer():
    asked = [
        *([], ["--help"], ["--version"], ["--show-completion"], ["trian"], ["--no-such-flag"]),
        *([name, "--help"] for name in COMMANDS),
        *(["forecast", "--precison", "mixed"], ["score", "--forecast"], ["demo", "--seed", "x"]),
    ]
    run = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(asked)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name.partition(".")[0] for name in json.loads(run.stdout)}
    private = {name for name in imported if name.startswith("_sysconfigdata")}  # Python's own
    assert imported - private - sys.stdlib_module_names <= LIGHT


def test_choices_in_the_helps_are_the_librarys():
    assert tuple(TASKS) == choices.TASKS
    assert tuple(PRECISIONS) == choices.PRECISIONS
    assert tuple(SERIES) == choices.SERIES
    assert tuple(SIZES) == choices.MODELS
    assert tuple(RECIPES) == choices.RECIPES
    assert choices.REGRIDDING == METHODS
    assert choices.HEADLINE_REGIONS == HEADLINE_REGIONS
    assert tuple(REGIONS) == choices.REGIONS
    assert choices.HEADLINE_METRICS == HEADLINE_METRICS
    assert (tuple(PROTOCOLS), tuple(SIGNIFICANCE_TESTS)) == (choices.PROTOCOLS, choices.TESTS)
    assert tuple(MODELS) == choices.PLANETS
    assert choices.PLANET_LEVELS == LEVELS
    named = choices.TASK_FILE.replace(",", "").split()
    assert {*json.loads(TASKS["graphcast"].to_json())} <= {*named}
    assert isinstance(Task.from_json(TASKS["graphcast"].to_json()), Task)


def test_the_guide_has_every_region():
    guide = (ROOT / "docs/guides/scientist.md").read_text(encoding="utf-8")
    assert [name for name in REGIONS if f"`{name}`" not in guide] == []


def test_the_version_is_the_packages(graphcast):
    assert graphcast("--version").out == f"graphcast {version('graphcast')}\n"


@pytest.mark.parametrize(
    ("typed", "hint"), [("trian", "There are"), ("scor", "did you mean 'score'?")]
)
def test_an_unknown_command_is_told_what_commands_there_are(graphcast, typed, hint):
    run = graphcast(typed)
    assert run.code == 2
    assert f"there is no command '{typed}'; " in run.sentence
    assert hint in run.sentence
    assert all(name in run.sentence for name in COMMANDS)


@pytest.mark.parametrize("place", ["before", "after"])
def test_quiet_prints_nothing_but_errors(graphcast, case, place):
    copy = case.folder / "copy.safetensors"
    words = ["convert", case.checkpoint, copy]
    run = graphcast(*(["--quiet", *words] if place == "before" else [*words, "--quiet"]))
    assert run == (0, "", "")
    assert copy.is_file()
    run = graphcast("--quiet", "info", case.folder / "nothing.nc")
    assert run.code == 2
    assert run.err.startswith("error: ")
    assert graphcast("info", case.checkpoint).out  # quiet no longer


@pytest.mark.parametrize("place", ["PYTHONPATH", "beside"])
@pytest.mark.parametrize("name", ["data.py", "mesh/__init__.py"])
def test_a_file_with_the_name_of_a_package_is_named(tmp_path, name, place):
    shadow = tmp_path / name
    shadow.parent.mkdir(exist_ok=True)
    shadow.write_text("raise SystemExit('this was imported')")
    script = tmp_path / "script.py"
    script.write_text("import graphcast")
    command = [script] if place == "beside" else ["-m", "forecast_cli", "info", "x.nc"]
    paths = [ROOT] if place == "beside" else [tmp_path, ROOT]
    run = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
    package = name.partition("/")[0]
    said = (
        f"graphcast needs its own package {package.removesuffix('.py')!r}, and Python finds "
        f"{tmp_path / package} in its place; rename that, or take its folder out of PYTHONPATH"
    )
    assert said in run.stderr
    if place == "PYTHONPATH":
        assert (run.returncode, run.stderr) == (2, f"error: {said}\n")
