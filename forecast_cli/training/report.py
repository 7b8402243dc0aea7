"""The page of a training run, for people: curves, skill, and maps of a forecast."""

import base64
import io
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from data.channels import Channel
from data.maps.appearance import shown
from data.maps.drawing import colour_bar, draw_map, new_map
from data.maps.fields import converted
from data.maps.labels import lead_label, short_label, time_label
from data.maps.projection import GLOBE
from data.wording import hour
from forecast_cli.training.validation import Example
from graphcast.training.folder import UPDATE, VALIDATION, RunFolder

# Shown if the task has them, in this order; at most `MOST_SHOWN` of what it has.
HEADLINES = (
    Channel("geopotential", 500),
    Channel("temperature", 850),
    Channel("2m_temperature"),
    Channel("u_component_of_wind", 850),
    Channel("specific_humidity", 700),
    Channel("mean_sea_level_pressure"),
)
MOST_SHOWN = 6
MAPS = 2  # of the first of them
MOST_POINTS = 400  # of a curve; the median of the updates between two


def page(
    folder: RunFolder, init_times: np.ndarray, example: Example | None, facts: dict[str, str]
) -> str:
    """The page as HTML, which needs nothing else.

    Args:
        folder: the run.
        init_times: of the validation's forecasts.
        example: a forecast of the last validation.
        facts: what was trained, name → text.
    """
    updates, validations = folder.metrics(UPDATE), folder.metrics(VALIDATION)
    best = folder.best()
    rows = [] if best is None else best["rows"]
    channels = _shown(rows)
    done = updates[-1]["update"] if updates else 0
    environment = Environment(loader=PackageLoader("forecast_cli.training"), autoescape=True)
    template = environment.get_template("report.html")
    return template.render(
        title=f"Training of {facts['model']}",
        summary=f"{done} updates are done; the best weights so far are in checkpoint.safetensors.",
        curves=_png(_curves(updates, validations)),
        validations=validations,
        best=None if best is None else best["update"],
        init_times=[hour(time) for time in init_times],
        skill=_png(_skill(rows, channels)) if rows else None,
        rows=[{**row, "label": str(_channel(row))} for row in rows if _is_listed(row, channels)],
        maps=None if example is None or not channels else _png(_maps(example, channels)),
        facts=facts,
    )


def _channel(row: dict[str, Any]) -> Channel:
    return Channel(row["variable"], row["level"])


def _shown(rows: list[dict[str, Any]]) -> list[Channel]:
    present = list(dict.fromkeys(map(_channel, rows)))
    chosen = [channel for channel in HEADLINES if channel in present]
    others = [channel for channel in present if channel not in chosen]
    return [*chosen, *others][:MOST_SHOWN]


def _is_listed(row: dict[str, Any], channels: list[Channel]) -> bool:
    """Headlines at whole days alone."""
    return _channel(row) in channels and row["lead_hours"] % 24 == 0


def _curves(updates: list[dict[str, Any]], validations: list[dict[str, Any]]) -> Figure:
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    numbers, losses, rates = (
        np.array([line[name] for line in updates], float)
        for name in ("update", "loss", "learning_rate")
    )
    parts = np.array_split(np.arange(len(numbers)), min(MOST_POINTS, max(len(numbers), 1)))
    if len(numbers):
        medians = [np.median(losses[part]) for part in parts]
        left.semilogy([numbers[part].mean() for part in parts], medians, lw=1)
    left.set(xlabel="update", ylabel="loss", title="Loss, median of neighbouring updates")
    rate = left.twinx()
    rate.plot(numbers, rates, color="0.6", lw=0.8)
    rate.set_ylabel("learning rate", color="0.4")
    judged = [line for line in validations if line["score"] is not None]
    right.plot([v["update"] for v in judged], [v["score"] for v in judged], "o-")
    right.axhline(1, color="0.6", lw=0.8, ls="--")
    right.set(xlabel="update", ylabel="score", title="RMSE over that of persistence")
    return figure


def _skill(rows: list[dict[str, Any]], channels: list[Channel]) -> Figure:
    columns = min(3, len(channels))
    lines = -(-len(channels) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.5 * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).flat
    for axis, channel in zip(axes, channels, strict=False):
        of_channel = [row for row in rows if _channel(row) == channel]
        leads = [row["lead_hours"] / 24 for row in of_channel]
        for name, style in (("rmse", "C0-"), ("persistence", "C1--"), ("climatology", "k:")):
            label = "forecast" if name == "rmse" else name
            axis.plot(leads, [row[name] for row in of_channel], style, label=label)
        axis.set(title=str(channel), xlabel="days", ylabel=f"RMSE ({of_channel[0]['units']})")
        axis.set_ylim(bottom=0)
        axis.title.set_fontsize(9)
    for axis in list(axes)[len(channels) :]:
        axis.set_visible(False)
    figure.axes[0].legend(fontsize=8)
    return figure


def _maps(example: Example, channels: list[Channel]) -> Figure:
    """Forecast, what happened and the difference, a row for each of the first channels."""
    chosen = channels[:MAPS]
    figure = Figure(figsize=(12, 2.9 * len(chosen)), layout="constrained")
    grid = figure.add_gridspec(len(chosen), 3)
    for row, (name, level) in enumerate(chosen):
        forecast, truth = (
            fields[name] if level is None else fields[name].sel(level=level)
            for fields in (example.forecast, example.truth)
        )
        looks = shown(name, forecast.attrs["units"], level)
        both = [converted(field, looks) for field in (forecast, truth)]
        limits = float(min(f.min() for f in both)), float(max(f.max() for f in both))
        most = float(np.abs(both[0] - both[1]).max()) or 1.0
        error = looks.of_differences
        titles = ("forecast", "what happened", "forecast − what happened")
        drawn = []
        for column, (field, title) in enumerate(
            zip((*both, both[0] - both[1]), titles, strict=True)
        ):
            axes = new_map(figure, grid[row, column], GLOBE)
            fields = (looks, limits) if column < 2 else (error, (-most, most))
            filled = draw_map(axes, field, fields[0], GLOBE, fields[1])
            axes.set_title(f"{short_label(name, level)}, {title}", fontsize=9)
            drawn.append((axes, filled))
        colour_bar(figure, drawn[0][1], [drawn[0][0], drawn[1][0]], looks.units)
        colour_bar(figure, drawn[2][1], [drawn[2][0]], error.units)
    lead = lead_label(example.lead)
    figure.suptitle(f"From {time_label(example.init_time)}, {lead} ahead", fontsize=10)
    return figure


def _png(figure: Figure) -> str:
    """A figure as base64, for the page."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return base64.b64encode(file.getvalue()).decode()
