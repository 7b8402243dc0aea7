"""`graphcast simulate`: its arguments and its messages."""

import pytest
import typer
from typer.testing import CliRunner

from data.planet import PlanetSpec
from forecast_cli import planet_screen
from forecast_cli import simulate as command
from forecast_cli.__main__ import app as whole_app

app = typer.Typer()
app.command()(command.simulate)


def run(*words):
    """The command's result; its errors are raised, as `graphcast` itself gets them."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_help_says_what_the_planet_is_and_is_not():
    text = " ".join(run("--help").stdout.split())
    assert "What it is not: ERA5" in text
    assert "SPEEDY" in text


def test_help_names_the_extra_that_it_needs():
    result = CliRunner().invoke(whole_app, ["simulate", "--help"])
    assert "pip install 'graphcast[simulate]'" in result.stdout


def test_settings_reach_the_planet(tmp_path, monkeypatch):
    asked = []

    def simulated(spec, length, output, overwrite):
        asked.append((spec, length, overwrite))

    monkeypatch.setattr(planet_screen, "simulate", simulated)
    run("--output", tmp_path / "p.zarr")
    run("--output", tmp_path / "p.zarr", "--years", 2, "--seed", 5, "--levels", "500,850")
    run("--output", tmp_path / "p.zarr", "--days", 20)
    assert asked[0] == (PlanetSpec(), (10.0, 0), False)
    assert asked[1] == (PlanetSpec(seed=5, levels=(500, 850)), (2.0, 0), False)
    assert asked[2] == (PlanetSpec(), (0, 20), False)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--levels", "10,500"], "10 hPa lie outside"),
        (["--figure", "x.png"], "name the folder to compare with"),
        (["--init-times", "2001-01-01/2001-01-02"], "name their planet with --from"),
        (["--from", "p.zarr"], "forecasts need initial times"),
        (["--from", "p.zarr", "--years", "1"], "do one after the other"),
        (["--from", "p.zarr", "--days", "1"], "do one after the other"),
        (["--days", "-3"], "at least a day"),
        (["--resolution", "t511"], "a simulation model is t21"),
        (["--years", "0"], "at least a day"),
    ],
)
def test_impossible_requests_are_refused_in_one_sentence(words, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        run("--output", tmp_path / "out.zarr", *words)
