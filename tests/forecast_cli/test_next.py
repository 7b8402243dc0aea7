"""Each `next:` line works when it is pasted, whatever the names of files hold."""

import shlex

import pytest

from data.samples import analyses as packaged
from forecast_cli.terminal import command_line, next_step


def following(run):
    """The words of the next command that a command printed."""
    (line,) = [line for line in run.out.splitlines() if line.startswith("next: ")]
    command, *words = shlex.split(line.removeprefix("next: "))
    assert command == "graphcast"
    return words


@pytest.fixture
def odd_place(tmp_path, monkeypatch):
    """A folder with a space, a quote and brackets in its name, which the commands run in."""
    folder = tmp_path / "my [2022] 'data' dir"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_prepare_leads_to_statistics_and_those_to_info(graphcast, odd_place):
    made = graphcast("prepare", "--source", packaged(), "--output", "a b.zarr", "--grid", "N8")
    assert following(made)[:2] == ["statistics", "a b.zarr"]
    counted = graphcast(*following(made))
    assert counted.code == 0, counted.err
    told = graphcast(*following(counted))
    assert told.code == 0, told.err
    assert "statistics" in told.out


def test_a_forecast_leads_to_its_scores(graphcast, case, odd_place):
    inputs = odd_place / "ERA5 - date 2024.nc"
    inputs.write_bytes(case.inputs.read_bytes())
    run = graphcast(
        *case.forecast(inputs=inputs.name, output="f [1].zarr", lead_time="6h"), "--no-examine"
    )
    assert run.code == 0, run.err
    assert following(run)[:5] == ["score", "--forecast", "f [1].zarr", "--truth", inputs.name]
    scored = graphcast(*following(run))
    assert scored.code == 0, scored.err
    examined = graphcast("info", inputs.name)
    again = graphcast(*following(examined))
    assert again.code in {0, 1, 2}
    assert graphcast(*following(again)).code in {0, 1, 2}
    converted = graphcast("convert", "f [1].zarr", "f 1.nc")
    assert graphcast(*following(converted)).code == 0


def test_what_only_the_user_has_is_not_called_next(capsys):
    next_step("score", "--forecast", "my f.zarr", "--truth", "ANALYSES")
    said = capsys.readouterr().out
    assert (
        said
        == "then, with your own ANALYSES: graphcast score --forecast 'my f.zarr' --truth ANALYSES\n"
    )
    assert command_line("info", "a's") == """graphcast info 'a'"'"'s'"""
