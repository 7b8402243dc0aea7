"""`graphcast plot`: pictures of a forecast."""

import pytest

from data.maps.projection import Extent
from forecast_cli.plot import extent_of
from tests.verification.made_up_weather import forecast_of, truth


@pytest.fixture
def forecast(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forecast_of(truth(), leads=(6, 12)).to_netcdf(tmp_path / "my forecast.nc")
    return "my forecast.nc"


def test_a_picture_is_named_by_forecast_and_variable_and_the_next_command_works(
    graphcast, forecast, tmp_path
):
    run = graphcast("plot", forecast, "--variable", "z500", "--lead-time", "12h")
    assert run.code == 0
    assert (tmp_path / "my-forecast-z500.png").read_bytes().startswith(b"\x89PNG")
    assert "my-forecast-z500.png" in run.out
    assert "1 map of geopotential 500 hPa, global" in run.out
    assert "next: graphcast plot 'my forecast.nc' --variable z500 --animate" in run.out
    again = graphcast("plot", forecast, "--variable", "z500", "--lead-time", "12h")
    assert again.code == 2
    assert "my-forecast-z500.png is there already; choose another name or give --overwrite" in (
        again.sentence
    )
    assert graphcast("plot", forecast, "--variable", "z500", "--animate").code == 0
    assert (tmp_path / "my-forecast-z500.gif").read_bytes().startswith(b"GIF")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--output", "a.jpg"), "a picture is written to .png, .pdf, .svg, not to a.jpg"),
        (("--output", "a.gif"), "not to a.gif, or give --animate"),
        (("--output", "a.png", "--animate"), "an animation is written to .gif, .mp4, not to a.png"),
        (("--region", "atlantis"), "unknown region(s) 'atlantis'"),
        (("--region", "1/2/3"), "--region is a name or four numbers, as 75/-12.5/35/42.5, not"),
        (("--lead-time", "7h"), "--lead-time is one that the forecast has, not 7 h; it has 6, 12"),
        (("--member", "2"), "the forecast has one member, so --member 2 cannot be drawn"),
        (("--init-time", "2020-01-01"), "--init-time is one that the forecast has, not 2020-01-01"),
    ],
)
def test_wrong_flags_are_refused_in_one_sentence(graphcast, forecast, tmp_path, flags, sentence):
    run = graphcast("plot", forecast, "--variable", "2t", *flags)
    assert run.code == 2
    assert sentence in run.sentence
    assert [path.name for path in tmp_path.iterdir()] == ["my forecast.nc"]


def test_a_region_is_a_name_or_edges_in_the_order_of_ecmwf():
    assert extent_of("europe") == Extent(35.0, 75.0, -12.5, 42.5)
    assert extent_of("n.hem") == Extent(20.0, 90.0)
    assert extent_of("75/-12.5/35/42.5") == Extent(35.0, 75.0, -12.5, 42.5)
    assert extent_of("60/145/25/-130") == Extent(25.0, 60.0, 145.0, 230.0)
