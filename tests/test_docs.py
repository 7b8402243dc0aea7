"""Doctests of every module, and the rules of the house that a machine can count."""

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("mesh", "data", "graphcast", "verification", "forecast_cli")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
WITH_EXAMPLES = [path for path in MODULES if ">>> " in path.read_text(encoding="utf-8")]


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=label)
def test_examples_in_docstrings_say_what_happens(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write files
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    result = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    assert result.failed == 0
    assert result.attempted > 0


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_a_module_tells_one_story(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    most = 200 if path.parent.name == "forecast_cli" else 350
    assert len(lines) <= most


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_docstrings_have_single_backticks(path):
    assert "``" not in path.read_text(encoding="utf-8").replace("```", "")


LIBRARY = [path for path in MODULES if path.relative_to(ROOT).parts[0] != "forecast_cli"]


@pytest.mark.parametrize("path", LIBRARY, ids=label)
def test_errors_of_the_library_name_parameters_and_no_flags(path):
    """The command line shows the flag of a parameter that stands in backticks."""
    texts = [
        node.value
        for raised in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(raised, ast.Raise)
        for node in ast.walk(raised)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [text for text in texts if re.search(r"(?<![\w-])--[a-z]", text)] == []


def test_the_version_is_the_changelogs_newest():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", changes, re.MULTILINE)
    assert newest is not None
    assert newest[1] in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert newest[1] in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
