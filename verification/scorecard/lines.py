"""Curves by lead time as content for small SVGs, one for each field."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import MaxNLocator

from data.channels import Channel
from data.maps.appearance import shown
from data.maps.labels import long_label, short_label
from verification.results import Results, Score
from verification.scorecard.cells import Block

WIDE, TALL = 320.0, 190.0  # pixels: the width of a phone, so that letters are not scaled
LEFT, RIGHT, TOP, BOTTOM = 44.0, 8.0, 24.0, 34.0  # margins about the axes
LEAD_STEPS = (6, 12, 24, 48, 72, 120, 240)  # hours between marks of the axis
MARKS = 8  # of the lead-time axis at most
FEW = 25  # lead times that get a mark each

Values = Float[np.ndarray, " leads"]


class Line(NamedTuple):
    """One curve, and the band about it."""

    name: str
    place: int  # in the list of entrants, which gives its colour and dashes
    leads: tuple[float, ...]
    values: Values
    low: Values | None = None
    high: Values | None = None


def metric_panels(
    results: Results, rows: Sequence[Channel], metric: str, region: str
) -> list[dict[str, Any]]:
    """One metric of every entrant by lead time, a panel and its numbers for each field."""
    by_row = _by_row(results, metric, region)
    names = list(dict.fromkeys(score.forecast for score in results.scores))
    return [
        _metric_panel(by_row[row], row, names, metric, results.best.get(metric, ""))
        for row in rows
        if row in by_row
    ]


def difference_panels(block: Block, rows: Sequence[Channel]) -> list[dict[str, Any]]:
    """The normalised difference in percent by lead time, with its interval."""
    panels = []
    for row in rows:
        if row not in block.rows:
            continue
        i = block.rows.index(row)
        percent = [100 * part[i] for part in (block.relative, block.low, block.high)]
        line = Line(block.pair.forecast, 0, block.leads, *percent)
        title = f"{short_label(*row)}  {long_label(*row)}"
        panels.append(panel(title, "%", [line], zero=True))
    return panels


def panel(title: str, units: str, lines: Sequence[Line], *, zero: bool) -> dict[str, Any]:
    """Axes and paths of some curves.

    Args:
        title: over the axes.
        units: of the vertical axis.
        lines: at least one.
        zero: whether the axis has 0, with a line at it.
    """
    known = np.concatenate(
        [_finite(part) for line in lines for part in line[3:] if part is not None]
    )
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    ticks = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(
        low, high if high > low else low + 1.0
    )
    last = max(line.leads[-1] for line in lines)
    step = next((s for s in LEAD_STEPS if last / s <= MARKS), LEAD_STEPS[-1])

    def x(lead: float) -> float:
        return round(LEFT + (WIDE - LEFT - RIGHT) * lead / last, 1)

    def y(value: float) -> float:
        share = (value - ticks[0]) / (ticks[-1] - ticks[0])
        return round(TALL - BOTTOM - (TALL - TOP - BOTTOM) * float(share), 1)

    days = last >= 72
    return {
        "title": title,
        "units": units,
        "wide": WIDE, "tall": TALL, "left": LEFT, "right": WIDE - RIGHT,
        "bottom": TALL - BOTTOM, "top": TOP,
        "ticks": [{"y": y(tick), "text": _tick(tick)} for tick in ticks],
        "marks": [
            {"x": x(lead), "text": f"{lead / 24:g}" if days else f"{lead:g}"}
            for lead in np.arange(0, last + 1, step)
        ],
        "lead_unit": "d" if days else "h",
        "zero": y(0.0) if zero else None,
        "lines": [
            {
                "name": line.name,
                "place": line.place % 6,
                "d": _path(line.leads, line.values, x, y),
                "band": _band(line, x, y),
                "points": _dots(line, x, y) if len(line.leads) <= FEW else "",
            }
            for line in lines
        ],
    }  # fmt: skip


def _metric_panel(
    scores: Mapping[str, list[Score]], row: Channel, names: Sequence[str], metric: str, best: str
) -> dict[str, Any]:
    lines = []
    units = "1"
    for place, name in enumerate(names):
        if name not in scores:
            continue
        of_name = sorted(scores[name], key=lambda score: score.lead_hours)
        looks = shown(row.variable, of_name[0].unit, row.level).of_differences
        units = looks.units
        values = np.array([score.value for score in of_name]) * looks.factor
        leads = tuple(score.lead_hours for score in of_name)
        lines.append(Line(name, place, leads, values))
    title = f"{short_label(*row)}  {long_label(*row)}"
    numbers = [
        {
            "name": line.name,
            "units": units,
            "leads": dict(zip(line.leads, line.values, strict=True)),
        }
        for line in lines
    ]
    drawn = panel(title, f"{metric.upper()}, {units}", lines, zero=best in ("low", "zero"))
    return {**drawn, "row": row, "numbers": numbers}


def _by_row(results: Results, metric: str, region: str) -> dict[Channel, dict[str, list[Score]]]:
    found: dict[Channel, dict[str, list[Score]]] = {}
    for score in results.scores:
        if (score.metric, score.region) == (metric, region):
            level = None if score.level is None else int(score.level)
            row = Channel(score.variable, level)
            found.setdefault(row, {}).setdefault(score.forecast, []).append(score)
    return found


def _finite(values: Values) -> Float[np.ndarray, " finite"]:
    finite: Float[np.ndarray, " finite"] = values[np.isfinite(values)]
    return finite


def _tick(value: float) -> str:
    return "0" if abs(value) < 1e-12 else f"{value:.4g}".replace("-", "−")


def _path(leads: Sequence[float], values: Values, x: Any, y: Any) -> str:
    """A line through the values, interrupted where one is missing."""
    parts, pen = [], "M"
    for lead, value in zip(leads, values, strict=True):
        if np.isfinite(value):
            parts.append(f"{pen}{x(lead):g} {y(float(value)):g}")
        pen = "L" if np.isfinite(value) else "M"
    return "".join(parts)


def _dots(line: Line, x: Any, y: Any) -> str:
    return "".join(
        f"M{x(lead):g} {y(float(value)):g}h0"
        for lead, value in zip(line.leads, line.values, strict=True)
        if np.isfinite(value)
    )


def _band(line: Line, x: Any, y: Any) -> str:
    """The area between low and high, where both are known."""
    if line.low is None or line.high is None:
        return ""
    known = np.flatnonzero(np.isfinite(line.low) & np.isfinite(line.high))
    if known.size < 2:
        return ""
    there = [f"{x(line.leads[i]):g} {y(float(line.high[i])):g}" for i in known]
    back = [f"{x(line.leads[i]):g} {y(float(line.low[i])):g}" for i in known[::-1]]
    return f"M{'L'.join(there + back)}Z"
