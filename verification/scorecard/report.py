"""The scores as one self-contained HTML page: a scorecard, numbers, curves, how it was done.

This module chooses the numbers and words. `templates/` lays them out: `report.html` the page,
`parts.html` its pieces, `style.css` its looks on screens, phones and paper, and `card.js` what a
reader can do with it. Without scripts everything but the numbers of single cells is there.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jinja2
import numpy as np

from data.channels import Channel
from data.maps.labels import long_label, number, short_label
from verification.results import Results
from verification.scorecard.cells import Block, Pair, Share, blocks, every, pairs, share
from verification.scorecard.dots import drawing, scale_of
from verification.scorecard.lines import difference_panels, metric_panels
from verification.scorecard.picture import Picture
from verification.scorecard.selection import headline_rows_of

SHOWN_REGIONS = ("global", "n.hem", "s.hem", "tropics")  # at first; the rest is a click away
SHOWN_METRICS = ("rmse", "acc")
CURVES = {"rmse": "RMSE", "acc": "Anomaly correlation", "bias": "Bias", "crps": "CRPS"}
PROBABILITY = 10_000  # p is sent as a whole number of ten-thousandths
TABLE_LEADS = 10  # of the table of numbers; a phone shows four of them

Content = dict[str, Any]  # of a part of the page, for its template


def report_html(results: Results, pictures: Sequence[Picture] = ()) -> str:
    """The whole page.

    Args:
        results: scores, and comparisons where there are any.
        pictures: maps and others that were made of the same forecasts.
    """
    return _templates().get_template("report.html").render(_content(results, pictures))


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("verification.scorecard"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(results: Results, pictures: Sequence[Picture]) -> Content:
    regions = list(dict.fromkeys(score.region for score in results.scores))
    compared = pairs(results)
    of_pair = {pair: blocks(results, pair) for pair in compared}
    everything = [block for made in of_pair.values() for block in made]
    rows = headline_rows_of(results)
    names = list(dict.fromkeys(score.forecast for score in results.scores))
    n = [score.n for score in results.scores]
    protocol = dict(results.protocol)
    return {
        "title": " and ".join(p.forecast for p in compared[:1]) or ", ".join(names),
        "reference": compared[0].reference if compared else "",
        "truth": str(protocol.get("truth", "not stated")),
        "source": _source(protocol),
        "names": names,
        "single": max(n, default=0) <= 1,
        "regions": [{"name": r, "shown": r in _shown(regions, SHOWN_REGIONS)} for r in regions],
        "metrics": _metrics(everything),
        "cards": [
            _card(number_of, pair, made) for number_of, (pair, made) in
            enumerate(of_pair.items())
        ],
        "tests": list(dict.fromkeys(test for block in everything for test in block.p)),
        "table": _table(results, rows, regions[0], names),
        "curves": [_curves(results, rows, region, everything) for region in regions],
        "notes": [note for note in str(protocol.pop("notes", "")).split("\n") if note],
        "pictures": pictures,
        "protocol": _facts(protocol),
        "n": f"{min(n)}" if min(n) == max(n) else f"{min(n)} to {max(n)}",
        "payload": _payload(of_pair),
    }  # fmt: skip


def _source(protocol: Mapping[str, Any]) -> str:
    """Which model made the forecasts, where they say so."""
    stated = str(protocol.get("forecast_source", ""))
    return "" if "not stated" in stated else stated


def _shown(names: Sequence[str], first: Sequence[str]) -> list[str]:
    """What is on at first: the usual ones, or the first where none of them is there."""
    return [name for name in first if name in names] or list(names[:1])


def _metrics(everything: Sequence[Block]) -> list[Content]:
    names = list(dict.fromkeys(block.metric for block in everything))
    return [{"name": name, "shown": name in _shown(names, SHOWN_METRICS)} for name in names]


def _card(place: int, pair: Pair, made: Sequence[Block]) -> Content:
    """One forecast against one reference: the headline and all blocks, with dots of one scale."""
    scale = scale_of(made)
    return {
        "pair": pair,
        "scale": f"{100 * scale:g}\u00a0%",
        "headline": _headline(made),
        "blocks": [
            {"id": f"b{place}-{i}", "metric": block.metric, "region": block.region,
             "label": f"{block.metric.upper()}, {block.region}", **drawing(block, scale)}
            for i, block in enumerate(made)
        ],
    }  # fmt: skip


def _headline(made: Sequence[Block]) -> Content | None:
    """Shares of targets in the first region and metric."""
    if not made:
        return None
    counted: Share = share(made[0])

    def percent(count: int) -> str:
        return f"{100 * count / counted.targets:.1f}\u00a0%" if counted.targets else "–"

    return {
        "metric": made[0].metric.upper(),
        "region": made[0].region,
        "targets": f"{counted.targets:,}",
        "won": percent(counted.won),
        "count": counted.won,
        "tested": bool(made[0].p),
        "surely_won": percent(counted.surely_won),
        "surely_won_after": percent(counted.surely_won_after),
        "surely_lost": percent(counted.surely_lost),
        "surely_lost_after": percent(counted.surely_lost_after),
        "disputed": int(made[0].disputed.sum()),
    }


def _table(
    results: Results, rows: Sequence[Channel], region: str, names: Sequence[str]
) -> Content | None:
    """The first metric of the headline fields in the first region, entrant below entrant."""
    metric = next((s.metric for s in results.scores), "rmse")
    panels = {
        (panel["row"], line["name"]): line
        for panel in metric_panels(results, rows, metric, region)
        for line in panel["numbers"]
    }
    if not panels:
        return None
    leads = sorted({lead for line in panels.values() for lead in line["leads"]})
    chosen = [leads[i] for i in every(leads, TABLE_LEADS)]
    few = {chosen[int(i)] for i in np.unique(np.linspace(0, len(chosen) - 1, 4).round())}
    return {
        "metric": metric.upper(),
        "region": region,
        "leads": [{"text": _lead(lead), "few": lead in few} for lead in chosen],
        "rows": [
            {
                "short": short_label(*row), "long": long_label(*row), "name": name,
                "first": name == names[0], "units": panels[row, name]["units"],
                "cells": [
                    {"text": number(panels[row, name]["leads"].get(lead, float("nan"))),
                     "few": lead in few}
                    for lead in chosen
                ],
            }
            for row in rows for name in names if (row, name) in panels
        ],
    }  # fmt: skip


def _lead(hours: float) -> str:
    return f"{hours / 24:g} d" if hours >= 24 and hours % 24 == 0 else f"{hours:g} h"


def _curves(
    results: Results, rows: Sequence[Channel], region: str, everything: Sequence[Block]
) -> Content:
    """All curves of a region; those of the first have every metric, the others the first one."""
    metrics = [m for m in CURVES if any(s.metric == m for s in results.scores)]
    first = results.scores[0].region
    groups = [
        {"title": CURVES[metric], "panels": metric_panels(results, rows, metric, region)}
        for metric in (metrics if region == first else metrics[:1])
    ]
    for block in everything:
        if block.region == region and block.metric == "rmse":
            title = f"{block.pair.forecast} less {block.pair.reference}, % of the latter's RMSE"
            groups.append({"title": title, "panels": difference_panels(block, rows)})
    return {"region": region, "groups": [group for group in groups if group["panels"]]}


def _facts(protocol: Mapping[str, Any]) -> dict[str, str]:
    """The protocol and the provenance as name and text, nested ones indented."""
    facts = {}
    for name, value in protocol.items():
        text = value
        if isinstance(value, str) and value.startswith("{"):
            try:
                text = json.loads(value)
            except json.JSONDecodeError:
                text = value
        if isinstance(text, Mapping | list | tuple):
            text = json.dumps(text, indent=1, ensure_ascii=False, default=str)
        facts[name.replace("_", " ")] = str(text)
    return facts


def _payload(of_pair: Mapping[Pair, Sequence[Block]]) -> str:
    """The numbers of every cell, for `card.js`: JSON, deflated, in base 64."""
    content = [
        {f"b{place}-{i}": _cells(block) for i, block in enumerate(made)}
        for place, made in enumerate(of_pair.values())
    ]
    merged = {key: value for part in content for key, value in part.items()}
    text = json.dumps(merged, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _cells(block: Block) -> Content:
    """A block's numbers, row after row, with no more digits than anyone reads."""
    factors = np.array(block.factors)[:, None]
    columns = every(block.leads, 20)

    def part(values: np.ndarray, digits: int) -> list[float | None]:
        flat = values[:, columns].ravel()
        return [float(f"{v:.{digits}g}") if np.isfinite(v) else None for v in flat]

    def chance(p: np.ndarray) -> list[int | None]:
        return [
            round(float(v) * PROBABILITY) if np.isfinite(v) else None for v in p[:, columns].ravel()
        ]

    n = block.n[:, columns]
    return {
        "f": block.pair.forecast,
        "r": block.pair.reference,
        "rows": [long_label(*row) for row in block.rows],
        "units": block.units,
        "leads": [_lead(block.leads[j]) for j in columns],
        "v": part(block.value * factors, 3),
        "a": part(block.against * factors, 3),
        "d": part(100 * block.relative, 3),
        "lo": part(100 * block.low, 3) if np.isfinite(block.low).any() else [],
        "hi": part(100 * block.high, 3) if np.isfinite(block.high).any() else [],
        "p": {test: chance(p) for test, p in block.p.items()},
        "q": {test: chance(p) for test, p in block.adjusted.items()},
        "n": int(n.flat[0]) if (n == n.flat[0]).all() else n.ravel().tolist(),
    }
