"""The report and the figures: they show what was scored, and say what they show."""

import io

import numpy as np
import pytest
from matplotlib.contour import ContourSet

from data.channels import Channel
from data.maps.labels import lead_label, number
from data.maps.units import units_label
from tests.verification.made_up_weather import HOUR, forecast_of, truth
from verification import Protocol, score
from verification.scorecard import forecast_figure
from verification.scorecard.selection import skill, table_leads

DAY = 24 * HOUR


@pytest.fixture(scope="module")
def world():
    obs = truth()
    rng = np.random.default_rng(1)
    fc = forecast_of(obs, leads=(6, 12, 24), error=lambda shape: rng.normal(size=shape))
    fc = fc.assign_attrs(source="GraphCast, weights: <toy>", provenance='{"weights": {"a": "b&c"}}')
    protocol = Protocol(("global", "tropics"), "my forecast", "my <truth>")
    return fc, obs, score(fc, obs, protocol)


def test_skill_is_one_minus_the_ratio_of_errors(world):
    row = Channel("2m_temperature", None)
    scores = world[2]
    rmse = scores["2m_temperature"].sel(metric="rmse", region="global")
    expected = 1 - rmse.sel(source="forecast") / rmse.sel(source="persistence")
    np.testing.assert_allclose(skill(scores, row, "global"), expected)


def test_the_forecast_figure_names_times_units_and_centres_the_error(world):
    fc, obs, scores = world
    figure = forecast_figure(fc, obs, scores, variable="geopotential", level=500, lead=DAY)
    title = figure.get_suptitle()
    assert title == (
        "geopotential, 500 hPa: forecast from 2024-06-03 00 UTC, valid 2024-06-04 00 UTC (+24 h)"
    )
    forecast, observed, error = (
        artist
        for axes in figure.axes
        for artist in axes.collections
        if isinstance(artist, ContourSet) and artist.filled
    )
    np.testing.assert_array_equal(forecast.levels, observed.levels)
    np.testing.assert_allclose(error.levels, -error.levels[::-1])
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert labels.count("z500 (dam)") == 2
    assert "error of z500 (dam)" in labels
    assert "GraphCast" in figure.get_supxlabel()
    figure.savefig(io.BytesIO(), format="png")


def test_a_figure_that_cannot_be_drawn_is_refused(world):
    fc, obs, scores = world
    with pytest.raises(ValueError, match=r"at \+30 h from 2024-06-03 00 UTC: forecast or truth"):
        forecast_figure(fc, obs, scores, variable="geopotential", level=500, lead=30 * HOUR)
    with pytest.raises(ValueError, match="cannot draw vorticity: it is not among the scores"):
        forecast_figure(fc, obs, scores, variable="vorticity", level=500, lead=DAY)


@pytest.mark.parametrize(
    ("value", "text"),
    [(424.05, "424"), (1.6432, "1.64"), (-0.05, "−0.0500"), (0.0, "0"), (55123.0, "55123"),
     (3.21e-6, "3.2·10⁻⁶"), (float("nan"), "–")],
)  # fmt: skip
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_units_and_lead_times_are_written_for_people():
    assert units_label("m2 s-2") == "m² s⁻²"
    assert [lead_label(h * HOUR) for h in (6, 48, 72, 78, 240)] == [
        "6 h", "48 h", "3 d", "78 h", "10 d",
    ]  # fmt: skip
    ten_days = [6 * n * HOUR for n in range(1, 41)]
    assert [lead_label(lead) for lead in table_leads(ten_days)][:4] == [
        "6 h",
        "24 h",
        "48 h",
        "3 d",
    ]
    assert len(table_leads(ten_days)) == 11
    assert table_leads(ten_days[:3]) == ten_days[:3]
