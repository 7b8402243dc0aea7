"""The tables of scores and comparisons as JSON and CSV."""

import json
import math

from verification.results import Comparison, Results, Score

SCORE = Score("ours", "rmse", "geopotential", 500, "global", 24.0, 54.0, 730, "m2 s-2")
RESULTS = Results(
    {"name": "paper"},
    (SCORE, SCORE._replace(variable="2m_temperature", level=None, value=math.nan)),
    (
        Comparison(
            *("ours", "hres", "rmse", "geopotential", 500, "global", 24.0),
            *(-5.0, -0.1, -6.0, -4.0, 0.001, "ar2", 730),
        ),
    ),
    {"rmse": "low"},
)


def test_json_gives_the_results_back_and_has_null_for_nan():
    text = RESULTS.to_json()
    assert json.loads(text)["scores"][1]["value"] is None
    again = Results.from_json(text)
    assert again.scores[0] == SCORE
    assert math.isnan(again.scores[1].value)
    assert again.comparisons == RESULTS.comparisons
    assert (again.protocol, again.best) == (RESULTS.protocol, RESULTS.best)


def test_csv_has_one_line_for_each_score():
    first, second, _ = RESULTS.to_csv().splitlines()
    assert first == "forecast,metric,variable,level,region,lead_hours,value,n,unit"
    assert second == "ours,rmse,geopotential,500,global,24.0,54.0,730,m2 s-2"
