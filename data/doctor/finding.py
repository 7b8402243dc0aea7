"""A finding of a rule: the fault, its severity and a remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")  # worst first
EXIT_CODES: dict[Severity, int] = {"error": 2, "warning": 1, "note": 0}


@dataclass(frozen=True)
class Finding:
    """One fault or oddity of the data.

    Attributes:
        rule: name of the rule that found it.
        severity: "error": a forecast from these fields would be wrong, or cannot start. "warning":
            real weather seldom or never looks like this; somebody should look. "note": worth
            knowing and harmless.
        message: what is wrong, and where.
        remedy: one line that says what to do.
    """

    rule: str
    severity: Severity
    message: str
    remedy: str


def exit_code(findings: list[Finding]) -> int:
    """0 for nothing or notes, 1 for warnings, 2 for errors."""
    return max((EXIT_CODES[finding.severity] for finding in findings), default=0)


class Worst(NamedTuple):
    """The worst case of a kind of fault, with the levels of all cases (hPa; None without a level).

    Rules report one finding for a kind of fault, however often they meet it.
    """

    size: float
    text: str
    levels: tuple[int | None, ...]

    def merged(self, other: "Worst") -> "Worst":
        """The worse of the two, the first of equals, with the levels of both."""
        worse = other if other.size > self.size else self
        return worse._replace(levels=(*self.levels, *other.levels))


def worst_by_kind(cases: Iterable[tuple[str, Worst]]) -> dict[str, Worst]:
    """The worst case of each kind, in the order in which the kinds come first.

    >>> small, large = Worst(1.0, "small", (500,)), Worst(2.0, "large", (850,))
    >>> worst_by_kind([("gap", small), ("gap", large)])
    {'gap': Worst(size=2.0, text='large', levels=(500, 850))}
    """
    kinds: dict[str, Worst] = {}
    for kind, case in cases:
        kinds[kind] = kinds[kind].merged(case) if kind in kinds else case
    return kinds
