"""The report's pictures: error by lead time, and skill by level and lead time."""

import base64
import io
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from data.channels import Channel
from data.wording import hours
from maps.labels import long_label, short_label
from verification.scorecard.selection import (
    all_rows,
    best,
    has_persistence,
    headline_rows,
    metric_units,
    skill,
    values,
)

STYLES = {"persistence": ("#8a8f98", "--"), "forecast": ("#1f5fa8", "-")}  # the last on top
OTHER_STYLES = (("#b5651d", "-."), ("#4d7f39", ":"), ("#7a4f9a", "-."))  # of further entrants
SKILL_COLOURS = "RdBu"  # diverging, safe for colour-blind readers: blue better, red worse
COLUMNS = 3

_STYLE: Any = {  # matplotlib types the keys one by one
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e7eb",
    "axes.axisbelow": True,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "svg.hashsalt": "graphcast",  # the same scores give the same bytes
}


def draw_curve(axes: Axes, scores: xr.Dataset, row: Channel, metric: str, region: str) -> None:
    """One metric by lead time on axes, a line for each entrant."""
    for source, (colour, line) in _styles(scores).items():
        array = values(scores, row, metric, source, region)
        x = [hours(lead) for lead in array["prediction_timedelta"].values]
        marker = "o" if len(x) < 25 else None
        axes.plot(x, array.values, line, color=colour, label=source, marker=marker, ms=3.5)
    last = hours(scores["prediction_timedelta"].values[-1])
    step = next((s for s in (6, 12, 24, 48, 72, 120) if last / s <= 7), 240)
    axes.set_xticks(np.arange(0, last + 1, step))
    axes.set_xlim(0, last * 1.03)
    axes.set_xlabel("lead time (h)")
    if best(scores, metric) == "low":
        axes.set_ylim(bottom=0)
    elif best(scores, metric) == "zero":
        axes.axhline(0, color="#444", lw=0.8)


def _styles(scores: xr.Dataset) -> dict[str, tuple[str, str]]:
    """Colour and line of each entrant that was scored."""
    sources = [str(source) for source in scores["source"].values]
    others = [source for source in sources if source not in STYLES]
    return {
        **{source: OTHER_STYLES[i % len(OTHER_STYLES)] for i, source in enumerate(others)},
        **{source: style for source, style in STYLES.items() if source in sources},
    }


def curves_figure(scores: xr.Dataset, metric: str, region: str) -> Figure:
    """Small panels of one metric by lead time, one for each headline row."""
    rows = headline_rows(scores)
    lines = -(-len(rows) // COLUMNS)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(10.5, 2.5 * lines + 0.3), layout="constrained")
        panels = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
        for axes, row in zip(panels, rows, strict=False):
            draw_curve(axes, scores, row, metric, region)
            axes.set_title(f"{short_label(*row)}  {long_label(*row)}", fontweight="normal")
            axes.set_ylabel(f"{metric.upper()} ({metric_units(scores, row, metric)})")
        for axes in panels[len(rows) :]:
            axes.remove()
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles[::-1], names[::-1], loc="outside upper left", ncols=2, frameon=False)
    return figure


def skill_figure(scores: xr.Dataset, region: str) -> Figure | None:
    """Skill against persistence by level and lead time; None where there are not two levels."""
    names = [
        str(name)
        for name, array in scores.data_vars.items()
        if "metric" in array.dims and "level" in array.dims and array.sizes["level"] > 1
    ]
    if not names or not has_persistence(scores):
        return None
    lines = -(-len(names) // COLUMNS)
    height = 0.9 + 0.2 * scores.sizes["level"]
    with matplotlib.rc_context({**_STYLE, "axes.grid": False}):
        figure = Figure(figsize=(10.5, height * lines + 0.6), layout="constrained")
        panels = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
        for axes, name in zip(panels, names, strict=False):
            image = _draw_skill(axes, scores, name, region)
        for axes in panels[len(names) :]:
            axes.remove()
        bar = figure.colorbar(
            image, ax=list(panels[: len(names)]), shrink=0.8, aspect=30, extend="min"
        )
        bar.set_label("1 − RMSE / RMSE of persistence")
    return figure


def _draw_skill(
    axes: Axes, scores: xr.Dataset, name: str, region: str
) -> matplotlib.cm.ScalarMappable:
    rows = [row for row in all_rows(scores) if row.variable == name]
    table = np.array([skill(scores, row, region).values for row in rows])
    leads = [hours(lead) for lead in scores["prediction_timedelta"].values]
    image = axes.imshow(
        table, aspect="auto", cmap=SKILL_COLOURS, vmin=-1, vmax=1, interpolation="nearest"
    )
    every = max(1, -(-len(leads) // 8))
    axes.set_xticks(range(0, len(leads), every), [f"{lead:g}" for lead in leads[::every]])
    axes.set_yticks(range(len(rows)), [str(row.level) for row in rows])
    axes.set_xlabel("lead time (h)")
    axes.set_ylabel("hPa")
    axes.set_title(long_label(name, None), fontweight="normal")
    if table.size <= 60:
        for (i, j), value in np.ndenumerate(table):
            colour = "white" if abs(value) > 0.6 else "#222"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", color=colour, size=7)
    return image


def svg_data_uri(figure: Figure) -> str:
    """The figure as the text that an `img` needs as its source."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
