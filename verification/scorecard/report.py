"""The scores as one self-contained HTML page: no script, no network, prints well."""

import html
import json
from collections.abc import Iterable

import matplotlib
import numpy as np
import xarray as xr

from verification.scorecard.curves import (
    SKILL_COLOURS,
    curves_figure,
    skill_figure,
    svg_data_uri,
)
from verification.scorecard.labels import (
    lead_label,
    long_label,
    number,
    short_label,
)
from verification.scorecard.selection import (
    Row,
    all_rows,
    has_persistence,
    headline_rows,
    shown_in,
    skill,
    table_leads,
    values,
)

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1c2126;
  background: #fff; max-width: 1180px; margin: 2rem auto 4rem; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p.lead { font-size: 1.05rem; margin: .3rem 0 1rem; } .quiet { color: #5b6570; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
th, td { padding: .28rem .55rem; text-align: right; white-space: nowrap; }
thead th { border-bottom: 2px solid #c9d0d7; font-weight: 600; }
tbody th { text-align: left; font-weight: 400; }
tbody th b { display: inline-block; min-width: 3.4em; }
tbody td { border: 1px solid #fff; } tbody tr:hover th { background: #f1f4f7; }
.scroll { overflow-x: auto; } .facts th { vertical-align: top; color: #5b6570; padding-left: 0; }
.facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
img { width: 100%; height: auto; } details { margin: .5rem 0; } summary { cursor: pointer; }
pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; font-size: .8rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.key span { display: inline-block; padding: .1rem .6rem; font-size: .8rem; }
ul.notes { background: #fff8e5; border-left: 4px solid #e0a800; padding: .6rem .6rem .6rem 2rem; }
@media print { details { display: block; } body { margin: 0; } }
"""


def report_html(scores: xr.Dataset) -> str:
    """The whole page for the result of `verification.score`."""
    regions = [str(region) for region in scores["region"].values]
    first = regions[0]
    sections = [
        _header(scores),
        _summary(scores, first),
        _notes(scores),
        f"<h2>Root-mean-square error, {html.escape(first)}</h2>",
        _key(scores),
        _table(scores, headline_rows(scores), first),
        "<h2>Error by lead time</h2>",
        _picture(curves_figure(scores, "rmse", first), "RMSE by lead time of the headline fields"),
        *_skill_section(scores, first),
        *_more_curves(scores, first),
        *_regions_section(scores, regions[1:]),
        f"<h2>All variables and levels, {html.escape(first)}</h2>",
        _folded(f"{len(all_rows(scores))} rows", _table(scores, all_rows(scores), first)),
        "<h2>Protocol</h2>",
        _protocol(scores),
        "<h2>The forecast</h2>",
        _provenance(scores),
    ]
    title = html.escape(f"Scores of {scores.attrs.get('forecast', 'a forecast')}")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(section for section in sections if section)
        + "\n</body></html>\n"
    )


def _header(scores: xr.Dataset) -> str:
    attrs = scores.attrs
    count = attrs.get("initial_time_count", 1)
    times = str(attrs.get("initial_times", "")).split(", ")
    one = len(times) == 1
    period = times[0] if one else f"{count} initial times from {times[0]} to {times[-1]}"
    return (
        f"<h1>Forecast scores</h1><p class='quiet'>{html.escape(str(attrs['forecast']))} against "
        f"{html.escape(str(attrs['truth']))}<br>{'initial time ' * one}{html.escape(period)} UTC, "
        f"{html.escape(str(attrs['grid']))}<br>"
        f"{html.escape(str(attrs.get('forecast_source', '')))}</p>"
    )


def _summary(scores: xr.Dataset, region: str) -> str:
    """What a reader in a hurry takes home, in one or two sentences."""
    row = headline_rows(scores)[0]
    ours = values(scores, row, "rmse", "forecast", region)
    leads = ours["prediction_timedelta"].values
    day = np.timedelta64(24, "h")
    lead = day if day in leads else leads[-1]
    single = scores.attrs.get("initial_time_count", 1) == 1
    caution = " One initial time is an example, not yet a measure of skill." * single
    name = f"{short_label(*row)} RMSE at {lead_label(lead)}"
    units = shown_in(scores, row)[1]
    value = number(float(ours.sel(prediction_timedelta=lead)))
    if not has_persistence(scores):
        return f"<p class='lead'>{name}: <b>{value} {units}</b>.{caution}</p>"
    base = values(scores, row, "rmse", "persistence", region).sel(prediction_timedelta=lead)
    skills = np.array([skill(scores, r, region).values for r in all_rows(scores)])
    better, judged = int((skills > 0).sum()), int(np.isfinite(skills).sum())
    return (
        f"<p class='lead'>{name}: <b>{value} {units}</b>, persistence {number(float(base))} "
        f"{units}. The forecast has a smaller error than persistence for "
        f"<b>{better} of {judged}</b> combinations of variable, level and lead time "
        f"({html.escape(region)}).{caution}</p>"
    )


def _notes(scores: xr.Dataset) -> str:
    notes = [note for note in str(scores.attrs.get("notes", "")).split("\n") if note]
    items = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return f"<ul class='notes'>{items}</ul>" if items else ""


def _key(scores: xr.Dataset) -> str:
    if not has_persistence(scores):
        return "<p class='quiet'>No baseline was scored, so cells have no colour.</p>"
    steps = "".join(
        f"<span style='{_cell_style(value)}'>{value:+.1f}</span>"
        for value in (-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0)
    )
    return (
        "<p class='quiet key'>Numbers are the forecast's RMSE. Colours are skill against "
        f"persistence, 1 − RMSE / RMSE of persistence: {steps} (blue is better than persistence, "
        "red worse). Rest the pointer on a cell for both numbers.</p>"
    )


def _cell_style(value: float) -> str:
    if not np.isfinite(value):
        return ""
    red, green, blue, _ = matplotlib.colormaps[SKILL_COLOURS]((np.clip(value, -1, 1) + 1) / 2)
    text = "#fff" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else "#1c2126"
    return f"background:{matplotlib.colors.to_hex((red, green, blue))};color:{text}"


def _table(scores: xr.Dataset, rows: Iterable[Row], region: str) -> str:
    leads = table_leads(list(scores["prediction_timedelta"].values))
    head = "".join(f"<th>{lead_label(lead)}</th>" for lead in leads)
    body = "".join(_table_row(scores, row, region, leads) for row in rows)
    return (
        f"<div class='scroll'><table><thead><tr><th style='text-align:left'>RMSE</th>"
        f"<th>units</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _table_row(scores: xr.Dataset, row: Row, region: str, leads: list[np.timedelta64]) -> str:
    def at_leads(array: xr.DataArray) -> list[float]:
        return [float(value) for value in array.sel(prediction_timedelta=leads).values]

    units = shown_in(scores, row)[1]
    ours = at_leads(values(scores, row, "rmse", "forecast", region))
    if not has_persistence(scores):
        cells = "".join(f"<td>{number(value)}</td>" for value in ours)
    else:
        theirs = at_leads(values(scores, row, "rmse", "persistence", region))
        gains = at_leads(skill(scores, row, region))
        cells = "".join(
            f"<td style='{_cell_style(gain)}' title='{html.escape(short_label(*row))} at "
            f"{lead_label(lead)}: forecast {number(value)}, persistence {number(base)} {units}, "
            f"skill {number(gain)}'>{number(value)}</td>"
            for lead, value, base, gain in zip(leads, ours, theirs, gains, strict=True)
        )
    label = f"<b>{html.escape(short_label(*row))}</b> {html.escape(long_label(*row))}"
    return f"<tr><th>{label}</th><td class='quiet'>{html.escape(units)}</td>{cells}</tr>"


def _picture(figure: matplotlib.figure.Figure, alternative: str) -> str:
    return f'<img src="{svg_data_uri(figure)}" alt="{html.escape(alternative)}">'


def _skill_section(scores: xr.Dataset, region: str) -> list[str]:
    figure = skill_figure(scores, region)
    if figure is None:
        return []
    return [
        f"<h2>Skill against persistence by level, {html.escape(region)}</h2>",
        _picture(figure, "Skill against persistence by level and lead time"),
    ]


def _more_curves(scores: xr.Dataset, region: str) -> list[str]:
    titles = {"acc": "Anomaly correlation", "bias": "Bias (forecast minus truth)"}
    return [
        _folded(title, _picture(curves_figure(scores, metric, region), title))
        for metric, title in titles.items()
        if metric in scores["metric"].values
    ]


def _regions_section(scores: xr.Dataset, regions: list[str]) -> list[str]:
    if not regions:
        return []
    tables = [_folded(region, _table(scores, headline_rows(scores), region)) for region in regions]
    return ["<h2>Other regions</h2>", *tables]


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{html.escape(title)}</summary>{content}</details>"


def _protocol(scores: xr.Dataset) -> str:
    attrs = scores.attrs
    count = scores["sample_count"]
    counts = f"{int(count.min())}"
    if int(count.min()) != int(count.max()):
        counts += f" to {int(count.max())}, depending on lead time"
    facts = {
        "Truth": attrs["truth"],
        "Baseline": attrs["baseline"],
        "Climatology": attrs["climatology"],
        "Initial times": attrs["initial_times"],
        "n (initial times per lead time)": counts,
        "Members": attrs["members"],
        "Area weights": attrs["weights"],
        "RMSE": attrs["rmse"],
        "RMSE, WeatherBench 2's": attrs["rmse_wb2"] + "; in the scores file as rmse_wb2",
        "ACC": attrs["acc"] if "acc" in scores["metric"].values else "not reported",
        "Missing values": attrs["missing_values"],
        "Grid": attrs["grid"],
    }
    return _facts(facts)


def _provenance(scores: xr.Dataset) -> str:
    text = str(scores.attrs.get("forecast_provenance", "not stated"))
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        content = {}
    weights = content.get("weights") if isinstance(content, dict) else None
    facts = {"Source": scores.attrs.get("forecast_source", "not stated")}
    if isinstance(weights, dict):
        facts |= {f"Weights: {key}": value for key, value in weights.items()}
    elif weights is not None:
        facts["Weights"] = weights
    pretty = json.dumps(content, indent=2, ensure_ascii=False) if content else text
    return _facts(facts) + _folded("Full provenance", f"<pre>{html.escape(pretty)}</pre>")


def _facts(facts: dict[str, object]) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(key)}</th><td>{html.escape(str(value))}</td></tr>"
        for key, value in facts.items()
    )
    return f"<table class='facts'><tbody>{rows}</tbody></table>"
