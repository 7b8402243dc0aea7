"""`Results`: scores and comparisons as flat tables, which JSON and CSV hold and the page shows.

A row is one cell: a forecast, a metric, a variable, a level, a region and a lead time. The numbers
in it are functions of all init times; the store of scores keeps the init axis.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Score(NamedTuple):
    """One number of the scores.

    Attributes:
        forecast: name of the forecast or baseline.
        metric: name in `verification.metric.METRICS`.
        variable: name in `data.variables`, or of a derived variable.
        level: hPa, None on surface fields.
        region: name in `verification.regions.REGIONS`.
        lead_hours: lead time.
        value: in `unit`; NaN where the metric is not defined.
        n: number of init times that count in it.
        unit: of the value, as `m2 s-2`, or `1`.
    """

    forecast: str
    metric: str
    variable: str
    level: int | float | None
    region: str
    lead_hours: int | float
    value: int | float
    n: int
    unit: str


class Comparison(NamedTuple):
    """The difference of one number between a forecast and the reference, on their common cases.

    Attributes:
        difference: the forecast's value less the reference's, over the init times that both have.
        relative: `difference` over the reference's value.
        low: lower end of the 95 % interval of the difference.
        high: upper end.
        p: two-sided p-value of no difference.
        test: name of the test.
        n: number of init times that both have.
    """

    forecast: str
    reference: str
    metric: str
    variable: str
    level: int | float | None
    region: str
    lead_hours: int | float
    difference: float
    relative: float
    low: float
    high: float
    p: float
    test: str
    n: int


@dataclass(frozen=True)
class Results:
    """All rows, and the protocol that made them in words.

    Attributes:
        protocol: what was done, text by topic: `name`, `truth`, `weights`, `notes`, ….
        best: by metric, which values are good: `low`, `high`, `zero` or `one`.
    """

    protocol: Mapping[str, Any]
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...] = ()
    best: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """`{"protocol": …, "best": …, "scores": [{…}], "comparisons": [{…}]}`; NaN is null."""
        content = {
            "protocol": dict(self.protocol),
            "best": dict(self.best),
            "scores": [_plain(row) for row in self.scores],
            "comparisons": [_plain(row) for row in self.comparisons],
        }
        return json.dumps(content, indent=1, allow_nan=False, default=str)

    @classmethod
    def from_json(cls, text: str) -> "Results":
        """The results that `to_json` wrote."""
        content = json.loads(text)
        return cls(
            content["protocol"],
            tuple(Score(**_numbers(row, Score)) for row in content["scores"]),
            tuple(Comparison(**_numbers(row, Comparison)) for row in content["comparisons"]),
            content["best"],
        )

    def to_csv(self) -> str:
        """The scores, one line each, with a line of column names first."""
        return _csv(Score._fields, self.scores)


def _plain(row: Score | Comparison) -> dict[str, Any]:
    """A row as JSON has it; a number that is not finite is null."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row._asdict().items()
    }


def _numbers(row: Mapping[str, Any], kind: type[Score] | type[Comparison]) -> dict[str, Any]:
    """A row of JSON with NaN where a number is null; a level of null stays None."""
    return {
        key: math.nan if row[key] is None and key != "level" else row[key] for key in kind._fields
    }


def _csv(names: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()
