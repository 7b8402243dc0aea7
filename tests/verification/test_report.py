"""The page: what it shows is what was scored, and it says what it shows."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

from data.channels import Channel
from data.maps.labels import number
from tests.verification.made_up_weather import forecast_of, truth
from verification import Protocol, score
from verification.results import Comparison, Results, Score
from verification.scorecard import Picture, report_html, tabulated
from verification.scorecard.cells import Pair, blocks, every, pairs, share
from verification.scorecard.dots import SIZES, diameter, drawing, scale_of

LEADS = (24.0, 48.0, 72.0)
FIELDS = (
    ("geopotential", 500.0, "m2 s-2"),
    ("geopotential", 50.0, "m2 s-2"),
    ("2m_temperature", None, "K"),
)


@pytest.fixture(scope="module")
def one_forecast():
    """One forecast against persistence, as `score` gives it."""
    obs = truth()
    rng = np.random.default_rng(1)
    forecast = forecast_of(obs, leads=(6, 12, 24), error=lambda shape: rng.normal(size=shape))
    forecast = forecast.assign_attrs(
        source="weights: <toy>", provenance='{"weights": {"a": "b&c"}}'
    )
    return tabulated(score(forecast, obs, Protocol(("global", "tropics"), "mine", "my <truth>")))


def compared(tests=("ar2",), p=0.001) -> Results:
    """Ours and theirs, 10 % better on all targets but the second field's, which are 10 % worse."""
    scores, comparisons = [], []
    for region in ("n.hem", "europe"):
        for i, (variable, level, unit) in enumerate(FIELDS):
            for lead in LEADS:
                reference, change = lead, (0.1 if i == 1 else -0.1) * lead
                where = (variable, level, region, lead)
                for name, value in (("ours", reference + change), ("<theirs>", reference)):
                    scores.append(Score(name, "rmse", *where, value, 730, unit))
                for place, test in enumerate(tests):
                    ends = (0.9 * change, 1.1 * change)
                    comparisons.append(
                        Comparison(
                            *("ours", "<theirs>", "rmse", *where, change, change / reference),
                            *(min(ends), max(ends), p if place == 0 else 0.9, test, 729),
                        )
                    )
    return Results({"truth": "ERA5"}, tuple(scores), tuple(comparisons), {"rmse": "low"})


def cells_of(page: str) -> dict:
    packed = re.search(r'id="cells">(.*?)</script>', page)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def test_the_page_is_self_contained_and_escapes_names(one_forecast):
    page = report_html(one_forecast)
    assert not re.search(r"<link|@import|url\(|src=\"(?!data:)|href=|<script src|https?:", page)
    for text in ("my &lt;truth&gt;", "weights: &lt;toy&gt;", "b&amp;c", "tropics", "exact area"):
        assert text in page
    assert "<theirs>" not in report_html(compared())  # nor in the numbers for the script
    assert page == report_html(one_forecast)  # the same scores give the same bytes


def test_one_forecast_is_shown_against_persistence_and_as_an_example(one_forecast):
    page = report_html(one_forecast)
    assert "One init time is an example, not yet a measure of skill." in page
    assert "on\n<b>100.0\u00a0%</b> of 9 targets" in page
    assert "not tested" in page
    assert "significantly" not in page


def test_the_table_has_the_numbers_in_the_units_of_the_trade(one_forecast):
    page = report_html(one_forecast)
    for s in one_forecast.scores:
        if (s.metric, s.region, s.variable) == ("rmse", "global", "2m_temperature"):
            assert f">{number(s.value)}</td>" in page
        if (s.metric, s.region, s.level) == ("rmse", "global", 500.0):
            assert f">{number(s.value / 98.0665)}</td>" in page
    assert "dam" in page


def test_without_a_reference_the_page_says_so():
    only = tuple(s for s in compared().scores if s.forecast == "ours")
    page = report_html(Results({}, only, (), {"rmse": "low"}))
    assert "No reference was scored, so there is nothing to compare with." in page


def test_the_headline_counts_targets_won_and_lost():
    page = report_html(compared())
    assert "<b>ours</b> is better than &lt;theirs&gt; on\n<b>66.7\u00a0%</b> of 9 targets" in page
    assert "significantly on <b>66.7\u00a0%</b>" in page
    assert "significantly worse on\n33.3\u00a0% (33.3\u00a0%)" in page
    assert "n = 730 init times" in page
    (block, _) = blocks(compared(), Pair("ours", "<theirs>"))
    assert share(block) == (9, 6, 6, 6, 3, 3)


def test_cells_have_differences_intervals_p_and_n():
    (block, other) = blocks(compared(), Pair("ours", "<theirs>"))
    assert (block.region, other.region) == ("n.hem", "europe")
    assert block.rows == (
        Channel("geopotential", 50), Channel("geopotential", 500), Channel("2m_temperature"),
    )  # fmt: skip
    np.testing.assert_allclose(block.relative[1], -0.1)
    np.testing.assert_allclose(block.gain[0], -0.1)
    np.testing.assert_allclose(block.high[1], -0.09)
    assert (block.n == 729).all()
    cells = cells_of(report_html(compared()))["b0-0"]
    assert cells["n"] == 729
    assert cells["d"][3] == -10.0
    assert cells["lo"][3] == -11.0
    assert cells["p"] == {"ar2": [10] * 9}  # ten-thousandths
    assert cells["rows"][1] == "geopotential, 500 hPa"


def test_more_skill_is_better_where_high_values_are():
    results = compared()
    rows = tuple(s._replace(metric="acc", value=1 - s.value / 200) for s in results.scores)
    acc = Results({}, rows, (), {"acc": "one"})
    (block, _) = blocks(acc, Pair("ours", "<theirs>"))
    np.testing.assert_allclose(block.gain[1], 0.1)  # (ACC - ACC₀) / (1 - ACC₀)
    assert (block.gain[0] < 0).all()


def test_a_bias_has_no_winner():
    biased = tuple(s._replace(metric="bias") for s in compared().scores)
    assert blocks(Results({}, biased, (), {"bias": "zero"}), Pair("ours", "<theirs>")) == []


def test_a_dot_is_filled_where_all_tests_agree_and_the_card_says_where_they_do_not():
    def kinds(results):
        block = blocks(results, Pair("ours", "<theirs>"))[0]
        return {path["kind"] for path in drawing(block, 0.2)["paths"]}

    assert kinds(compared()) == {"better sure", "worse sure"}
    assert kinds(compared(p=0.3)) == {"better open", "worse open", "hole"}
    both = compared(tests=("ar2", "hac"))
    assert kinds(both) == {"better disputed", "worse disputed", "hole"}
    assert "The tests disagree on 9 targets." in report_html(both)


def test_the_area_of_a_dot_goes_with_the_difference():
    assert diameter(SIZES / 4) == pytest.approx(diameter(SIZES) / 2, abs=0.05)
    block = blocks(compared(), Pair("ours", "<theirs>"))[0]
    assert scale_of([block]) == 0.1
    widths = {path["width"] for path in drawing(block, 0.2)["paths"]}
    assert widths == {f"{diameter(SIZES / 2):g}"}


def test_a_cell_that_was_not_scored_has_no_dot():
    results = compared()
    missing = tuple(
        s._replace(value=float("nan")) if (s.level, s.lead_hours) == (500.0, 24.0) else s
        for s in results.scores
    )
    block = blocks(Results({}, missing, (), {"rmse": "low"}), Pair("ours", "<theirs>"))[0]
    drawn = drawing(block, 0.2)
    assert drawn["missing"].count("M") == 1
    assert sum(path["d"].count("M") for path in drawn["paths"] if path["kind"] != "hole") == 8


def test_baselines_are_references_where_none_was_named(one_forecast):
    assert pairs(one_forecast) == (Pair("forecast", "persistence"),)
    assert pairs(compared()) == (Pair("ours", "<theirs>"),)


def test_each_pair_has_dots_of_its_own_scale():
    """A baseline far behind does not make the differences between forecasts invisible."""
    two = compared()
    far = tuple(
        s._replace(forecast="far", value=3 * s.value) for s in two.scores if s.forecast == "ours"
    )
    against = tuple(
        c._replace(forecast="far", difference=2 * c.lead_hours, relative=2.0)
        for c in two.comparisons
    )
    both = Results({}, (*two.scores, *far), (*two.comparisons, *against), two.best)
    page = report_html(both)
    assert "full at 10\u00a0% of &lt;theirs&gt;" in page
    assert "full at 100\u00a0% of &lt;theirs&gt;" in page


def test_pictures_stand_on_the_page_with_words():
    page = report_html(compared(), [Picture("Bias of z500", "a map <of> bias", "data:image/png,x")])
    assert '<img src="data:image/png,x" alt="a map &lt;of&gt; bias">' in page


def test_a_full_card_is_below_three_megabytes():
    rng = np.random.default_rng(0)
    scores, comparisons = [], []
    for region in ("global", "n.hem", "s.hem", "tropics"):
        for level in range(1, 70):
            for lead in range(12, 252, 12):
                where = ("rmse", "temperature", float(level), region, float(lead))
                a, b = rng.uniform(1, 2, 2).tolist()
                scores += [Score(n, *where, v, 730, "K") for n, v in (("a", a), ("b", b))]
                numbers = (a - b, a / b - 1, a - b - 0.1, a - b + 0.1, 0.0123, "ar2", 730)
                comparisons.append(Comparison("a", "b", *where, *numbers))
    results = Results({}, tuple(scores), tuple(comparisons), {"rmse": "low"})
    assert len(report_html(results).encode()) < 3e6


def test_lead_times_are_those_of_whole_days_where_all_do_not_fit():
    assert every([6.0, 12.0, 18.0, 24.0], 2) == [1, 3]
    assert every([6.0 * i for i in range(1, 61)], 20) == [4 * i + 3 for i in range(15)]
    assert len(every([7.0 * i for i in range(1, 61)], 20)) <= 20
