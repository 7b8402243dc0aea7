"""The scores as one self-contained HTML page: no script, no network, prints well.

This module chooses the numbers and words; `templates/report.html` lays them out.
"""

import json
from collections.abc import Iterable
from typing import Any

import jinja2
import matplotlib
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from data.channels import Channel
from verification.scorecard.curves import (
    SKILL_COLOURS,
    curves_figure,
    skill_figure,
    svg_data_uri,
)
from maps.labels import lead_label, long_label, number, short_label
from verification.scorecard.selection import (
    all_rows,
    has_persistence,
    headline_rows,
    shown_in,
    skill,
    table_leads,
    values,
)

KEY_STEPS = (-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0)  # skills in the key of the colours
MORE_CURVES = {"acc": "Anomaly correlation", "bias": "Bias (forecast minus truth)"}
DAY = np.timedelta64(24, "h")

Content = dict[str, Any]  # of a part of the page, for its template


def report_html(scores: xr.Dataset) -> str:
    """The whole page for the result of `verification.score`."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("verification.scorecard"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return templates.get_template("report.html").render(_content(scores))


def _content(scores: xr.Dataset) -> Content:
    region, *others = (str(name) for name in scores["region"].values)
    attrs = scores.attrs
    panels = skill_figure(scores, region)
    return {
        "region": region,
        "forecast": attrs["forecast"],
        "truth": attrs["truth"],
        "grid": attrs["grid"],
        "source": attrs.get("forecast_source", ""),
        "period": _period(scores),
        "summary": _summary(scores, region),
        "notes": [note for note in str(attrs.get("notes", "")).split("\n") if note],
        "key": _key() if has_persistence(scores) else [],
        "headlines": _table(scores, headline_rows(scores), region),
        "errors": _picture(
            curves_figure(scores, "rmse", region), "RMSE by lead time of the headline fields"
        ),
        "skill": panels and _picture(panels, "Skill against persistence by level and lead time"),
        "more_curves": {
            title: _picture(curves_figure(scores, metric, region), title)
            for metric, title in MORE_CURVES.items()
            if metric in scores["metric"].values
        },
        "other_regions": {name: _table(scores, headline_rows(scores), name) for name in others},
        "everything": _table(scores, all_rows(scores), region),
        "protocol": _protocol(scores),
        **_provenance(scores),
    }


def _period(scores: xr.Dataset) -> str:
    times = str(scores.attrs.get("initial_times", "")).split(", ")
    if len(times) == 1:
        return f"initial time {times[0]}"
    return f"{len(times)} initial times from {times[0]} to {times[-1]}"


def _summary(scores: xr.Dataset, region: str) -> Content:
    """One headline number, and how often the forecast beats persistence."""
    row = headline_rows(scores)[0]
    rmse = values(scores, row, "rmse", "forecast", region)
    leads = rmse["prediction_timedelta"].values
    lead = DAY if DAY in leads else leads[-1]
    units = shown_in(scores, row)[1]

    def at_lead(array: xr.DataArray) -> str:
        return f"{number(float(array.sel(prediction_timedelta=lead)))} {units}"

    summary: Content = {
        "name": f"{short_label(*row)} RMSE at {lead_label(lead)}",
        "value": at_lead(rmse),
        "persistence": None,
        "single": scores.attrs.get("initial_time_count", 1) == 1,
    }
    if has_persistence(scores):
        skills = np.array([skill(scores, r, region).values for r in all_rows(scores)])
        summary |= {
            "persistence": at_lead(values(scores, row, "rmse", "persistence", region)),
            "better": int((skills > 0).sum()),
            "judged": int(np.isfinite(skills).sum()),
        }
    return summary


def _key() -> list[Content]:
    return [{"style": _cell_style(step), "text": f"{step:+.1f}"} for step in KEY_STEPS]


def _cell_style(gain: float) -> str:
    """Colours of a table cell for a skill, as CSS; none where there is no skill."""
    if not np.isfinite(gain):
        return ""
    red, green, blue, _ = matplotlib.colormaps[SKILL_COLOURS]((np.clip(gain, -1, 1) + 1) / 2)
    text = "#fff" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else "#1c2126"
    return f"background:{matplotlib.colors.to_hex((red, green, blue))};color:{text}"


def _table(scores: xr.Dataset, rows: Iterable[Channel], region: str) -> Content:
    """RMSE by variable and lead time, coloured by skill."""
    leads = table_leads(list(scores["prediction_timedelta"].values))
    return {
        "leads": [lead_label(lead) for lead in leads],
        "rows": [
            {
                "short": short_label(*row),
                "long": long_label(*row),
                "units": shown_in(scores, row)[1],
                "cells": _cells(scores, row, region, leads),
            }
            for row in rows
        ],
    }


def _cells(
    scores: xr.Dataset, row: Channel, region: str, leads: list[np.timedelta64]
) -> list[Content]:
    def at_leads(array: xr.DataArray) -> list[float]:
        return [float(value) for value in array.sel(prediction_timedelta=leads).values]

    rmse = at_leads(values(scores, row, "rmse", "forecast", region))
    if not has_persistence(scores):
        return [{"text": number(value), "hint": ""} for value in rmse]
    persistence = at_leads(values(scores, row, "rmse", "persistence", region))
    gains = at_leads(skill(scores, row, region))
    units = shown_in(scores, row)[1]
    return [
        {
            "text": number(value),
            "style": _cell_style(gain),
            "hint": f"{short_label(*row)} at {lead_label(lead)}: forecast {number(value)}, "
            f"persistence {number(base)} {units}, skill {number(gain)}",
        }
        for lead, value, base, gain in zip(leads, rmse, persistence, gains, strict=True)
    ]


def _picture(figure: Figure, alternative: str) -> Content:
    return {"source": svg_data_uri(figure), "alternative": alternative}


def _protocol(scores: xr.Dataset) -> dict[str, str]:
    attrs = scores.attrs
    fewest, most = int(scores["sample_count"].min()), int(scores["sample_count"].max())
    return {
        "Truth": attrs["truth"],
        "Baseline": attrs["baseline"],
        "Climatology": attrs["climatology"],
        "Initial times": attrs["initial_times"],
        "n (initial times per lead time)": f"{fewest}"
        if fewest == most
        else f"{fewest} to {most}, depending on lead time",
        "Members": attrs["members"],
        "Area weights": attrs["weights"],
        "RMSE": attrs["rmse"],
        "RMSE, WeatherBench 2's": attrs["rmse_wb2"] + "; in the scores file as rmse_wb2",
        "ACC": attrs["acc"] if "acc" in scores["metric"].values else "not reported",
        "Missing values": attrs["missing_values"],
        "Grid": attrs["grid"],
    }


def _provenance(scores: xr.Dataset) -> Content:
    """How the forecast was made: the main facts, and the whole manifest of its store."""
    text = str(scores.attrs.get("forecast_provenance", "not stated"))
    try:
        stated = json.loads(text)
    except json.JSONDecodeError:
        stated = {}
    weights = stated.get("weights") if isinstance(stated, dict) else None
    facts = {"Source": scores.attrs.get("forecast_source", "not stated")}
    if isinstance(weights, dict):
        facts |= {f"Weights: {key}": value for key, value in weights.items()}
    elif weights is not None:
        facts["Weights"] = weights
    return {
        "provenance": facts,
        "full_provenance": json.dumps(stated, indent=2, ensure_ascii=False) if stated else text,
    }
