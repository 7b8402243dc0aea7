"""The report and the figures: they show what was scored, and say what they show."""

import io
import re

import numpy as np
import pytest

from data.channels import Channel
from maps.labels import lead_label, number
from maps.units import units_label
from tests.verification.made_up_weather import HOUR, forecast_of, truth
from verification import Protocol, score
from verification.scorecard import forecast_figure, report_html
from verification.scorecard.curves import curves_figure, skill_figure
from verification.scorecard.selection import all_rows, headline_rows, skill, table_leads

DAY = 24 * HOUR


@pytest.fixture(scope="module")
def world():
    obs = truth()
    rng = np.random.default_rng(1)
    fc = forecast_of(obs, leads=(6, 12, 24), error=lambda shape: rng.normal(size=shape))
    fc = fc.assign_attrs(source="GraphCast, weights: <toy>", provenance='{"weights": {"a": "b&c"}}')
    protocol = Protocol(("global", "tropics"), "my forecast", "my <truth>")
    return fc, obs, score(fc, obs, protocol)


def test_the_page_is_self_contained_and_escapes_names(world):
    page = report_html(world[2])
    assert not re.search(r"<script|<link|@import|url\(|src=\"(?!data:)|href=", page)
    for text in ("my &lt;truth&gt;", "weights: &lt;toy&gt;", "b&amp;c", "tropics", "exact area"):
        assert text in page
    assert "no climatology was given" in page
    assert page == report_html(world[2])  # the same scores give the same bytes


def test_the_page_shows_the_numbers(world):
    scores = world[2]
    page = report_html(scores)
    for row in all_rows(scores):
        array = scores[row.variable].sel(metric="rmse", source="forecast", region="global")
        array = array if row.level is None else array.sel(level=row.level)
        for value in array.values:
            assert f">{number(float(value))}</td>" in page
    assert "<b>9 of 9</b> combinations" in page


def test_the_page_does_without_persistence(world):
    fc, obs, _ = world
    scores = score(fc, obs.isel(time=slice(1, None)))
    page = report_html(scores)
    assert "persistence is not scored: no truth at the initial time" in page
    assert "No baseline was scored" in page


def test_skill_is_one_minus_the_ratio_of_errors(world):
    row = Channel("2m_temperature", None)
    scores = world[2]
    rmse = scores["2m_temperature"].sel(metric="rmse", region="global")
    expected = 1 - rmse.sel(source="forecast") / rmse.sel(source="persistence")
    np.testing.assert_allclose(skill(scores, row, "global"), expected)


def test_curves_and_skill_have_a_panel_for_each_field(world):
    assert len(curves_figure(world[2], "rmse", "global").axes) == len(headline_rows(world[2]))
    figure = skill_figure(world[2], "global")
    assert figure is not None
    assert len(figure.axes) == 2  # geopotential and the colour bar
    assert skill_figure(world[2].sel(level=[500]), "global") is None


def test_the_forecast_figure_names_times_units_and_centres_the_error(world):
    fc, obs, scores = world
    figure = forecast_figure(fc, obs, scores, variable="geopotential", level=500, lead=DAY)
    title = figure.get_suptitle()
    assert title == (
        "geopotential, 500 hPa: forecast from 2024-06-03 00 UTC, valid 2024-06-04 00 UTC (+24 h)"
    )
    maps = [axes.collections[0] for axes in figure.axes[:3]]
    assert maps[0].get_clim() == maps[1].get_clim()
    low, high = maps[2].get_clim()
    assert low == -high
    shown = obs.geopotential.isel(time=4).sel(level=500)
    np.testing.assert_allclose(np.sort(maps[1].get_array().ravel()), np.sort(shown.values.ravel()))
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels.count("z500 (m² s⁻²)") == 2
    assert "error of z500 (m² s⁻²)" in labels
    figure.savefig(io.BytesIO(), format="png")


def test_coasts_are_drawn_where_they_are_known(world):
    fc, obs, scores = world
    land = (obs["2m_temperature"].isel(time=0, drop=True) > 280).astype("f4")
    figure = forecast_figure(
        fc, obs.assign(land_sea_mask=land), scores, variable="2m_temperature", level=None, lead=DAY
    )
    assert len(figure.axes[0].collections) == 2


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
