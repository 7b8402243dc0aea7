"""The page of a training run, for people: curves, skill, and maps of a forecast."""

import base64
import io
from typing import Any

import numpy as np
import xarray as xr
from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from data.channels import Channel
from data.wording import hour, hours
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
    shown = _shown(rows)
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
        skill=_png(_skill(rows, shown)) if rows else None,
        rows=[{**row, "label": str(_channel(row))} for row in rows if _is_listed(row, shown)],
        maps=None if example is None else _png(_maps(example, shown)),
        facts=facts,
    )


def _channel(row: dict[str, Any]) -> Channel:
    return Channel(row["variable"], row["level"])


def _shown(rows: list[dict[str, Any]]) -> list[Channel]:
    present = list(dict.fromkeys(map(_channel, rows)))
    chosen = [channel for channel in HEADLINES if channel in present]
    others = [channel for channel in present if channel not in chosen]
    return [*chosen, *others][:MOST_SHOWN]


def _is_listed(row: dict[str, Any], shown: list[Channel]) -> bool:
    """Headlines at whole days alone."""
    return _channel(row) in shown and row["lead_hours"] % 24 == 0


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


def _skill(rows: list[dict[str, Any]], shown: list[Channel]) -> Figure:
    columns = min(3, len(shown))
    lines = -(-len(shown) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.5 * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).flat
    for axis, channel in zip(axes, shown, strict=False):
        of_channel = [row for row in rows if _channel(row) == channel]
        leads = [row["lead_hours"] / 24 for row in of_channel]
        for name, style in (("rmse", "C0-"), ("persistence", "C1--"), ("climatology", "k:")):
            label = "forecast" if name == "rmse" else name
            axis.plot(leads, [row[name] for row in of_channel], style, label=label)
        axis.set(title=str(channel), xlabel="days", ylabel=f"RMSE ({of_channel[0]['units']})")
        axis.set_ylim(bottom=0)
        axis.title.set_fontsize(9)
    for axis in list(axes)[len(shown) :]:
        axis.set_visible(False)
    figure.axes[0].legend(fontsize=8)
    return figure


def _maps(example: Example, shown: list[Channel]) -> Figure:
    channels = shown[:2]
    figure = Figure(figsize=(10, 2.2 * len(channels) + 0.5), layout="constrained")
    grid = figure.subplots(len(channels), 3, squeeze=False)
    for axes, (name, level) in zip(grid, channels, strict=True):
        forecast, truth = (
            (fields[name] if level is None else fields[name].sel(level=level)).transpose(
                "latitude", "longitude"
            )
            for fields in (example.forecast, example.truth)
        )
        low, high = float(truth.min()), float(truth.max())
        error = forecast - truth
        most = float(np.abs(error).max()) or 1.0
        for axis, field, title, style in (
            (axes[0], forecast, "forecast", {"vmin": low, "vmax": high, "cmap": "viridis"}),
            (axes[1], truth, "what happened", {"vmin": low, "vmax": high, "cmap": "viridis"}),
            (axes[2], error, "difference", {"vmin": -most, "vmax": most, "cmap": "RdBu_r"}),
        ):
            _map(axis, field, style)
            axis.set_title(f"{Channel(name, level)}, {title}", fontsize=8)
    lead = f"{hours(example.lead):g} h"
    figure.suptitle(f"From {hour(example.init_time)} UTC, {lead} ahead", fontsize=10)
    return figure


def _map(axis: Any, field: xr.DataArray, style: dict[str, Any]) -> None:
    drawn = axis.pcolormesh(
        field["longitude"].values,
        field["latitude"].values,
        field.values,
        shading="nearest",
        **style,
    )
    axis.set_xticks([])
    axis.set_yticks([])
    axis.figure.colorbar(drawn, ax=axis, shrink=0.8).ax.tick_params(labelsize=7)


def _png(figure: Figure) -> str:
    """A figure as base64, for the page."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return base64.b64encode(file.getvalue()).decode()
