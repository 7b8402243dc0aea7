"""The worst case of a kind, and the exit code."""

import pytest

from data.doctor.finding import Finding, Worst, exit_code, worst_by_kind


def test_the_worst_of_a_kind_keeps_the_levels_of_all():
    cases = [
        ("bias", Worst(2.0, "first", (500,))),
        ("fit", Worst(0.5, "other", (None,))),
        ("bias", Worst(3.0, "worse", (850, 1000))),
        ("bias", Worst(3.0, "as bad, but later", (700,))),
    ]
    assert worst_by_kind(cases) == {
        "bias": Worst(3.0, "worse", (500, 850, 1000, 700)),
        "fit": Worst(0.5, "other", (None,)),
    }
    assert list(worst_by_kind(reversed(cases))) == ["bias", "fit"]


def test_merging_is_associative():
    one, two, three = (Worst(size, f"{size}", (level,)) for size, level in ((1, 5), (3, 7), (3, 9)))
    assert one.merged(two).merged(three) == one.merged(two.merged(three))


@pytest.mark.parametrize(
    ("severities", "code"),
    [([], 0), (["note"], 0), (["note", "warning"], 1), (["error", "warning"], 2)],
)
def test_the_exit_code_is_that_of_the_worst_finding(severities, code):
    assert exit_code([Finding("rule", severity, "", "") for severity in severities]) == code
