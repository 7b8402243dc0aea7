"""One forecast on a map beside the truth, and its error by lead time."""

from typing import NamedTuple

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from data.channels import Channel
from data.maps.appearance import shown
from data.maps.drawing import colour_bar, draw_map, new_map
from data.maps.fields import converted
from data.maps.labels import lead_label, long_label, number, short_label, time_label
from data.maps.projection import GLOBE
from data.wording import hours
from verification.scorecard.selection import best, shown_in, values

STYLES = {"persistence": ("#8a8f98", "--"), "forecast": ("#1f5fa8", "-")}  # the last on top
OTHER_STYLES = (("#b5651d", "-."), ("#4d7f39", ":"), ("#7a4f9a", "-."))  # of further entrants


class _Fields(NamedTuple):
    forecast: xr.DataArray
    truth: xr.DataArray
    init_time: np.datetime64
    valid_time: np.datetime64


def forecast_figure(
    forecast: xr.Dataset,
    truth: xr.Dataset,
    scores: xr.Dataset,
    *,
    variable: str,
    level: int | None,
    lead: np.timedelta64,
) -> Figure:
    """Maps of forecast, truth and error at a lead time, and RMSE by lead time.

    Args:
        forecast: as in the forecast store; its first init time and first member are drawn.
        truth: canonical analyses.
        scores: of this forecast, as `verification.score` returns them; the region "global" is
            drawn if it was scored, else the first.
        variable: a name of `data.variables`.
        level: hPa; None for a variable without levels.
        lead: the lead time of the maps.

    Raises:
        ValueError: the forecast has no such variable, level or lead time, or the truth no such
            valid time.
    """
    row = Channel(variable, level)
    if variable not in scores:
        raise ValueError(f"cannot draw {variable}: it is not among the scores")
    looks = shown(variable, str(scores[variable].attrs["units"]), level)
    fields = _chosen(forecast, truth, row, lead)
    forecast_map, truth_map = (converted(f, looks) for f in (fields.forecast, fields.truth))
    error = converted(fields.forecast - fields.truth, looks.of_differences)
    limits = _limits(forecast_map, truth_map)
    limit = float(np.abs(error).max()) or 1.0
    name = short_label(variable, level)
    with matplotlib.rc_context({"font.size": 9, "axes.titlesize": 10}):
        figure = Figure(figsize=(12.5, 8), layout="constrained", dpi=130)
        figure.suptitle(
            f"{long_label(variable, level)}: forecast from {time_label(fields.init_time)}, "
            f"valid {time_label(fields.valid_time)} (+{lead_label(lead)})",
            fontsize=12,
        )
        # A picture travels without its store, so it names the source of the forecast.
        figure.supxlabel(str(forecast.attrs.get("source", "")), fontsize=8, color="0.35")
        places = figure.add_gridspec(2, 2)
        truth_title = f"truth, {time_label(fields.valid_time)}"
        region = "global" if "global" in scores["region"] else str(scores["region"].values[0])
        for place, field, drawn, within, label, title in (
            (places[0, 0], forecast_map, looks, limits, name, f"forecast, +{lead_label(lead)}"),
            (
                places[0, 1],
                truth_map,
                looks,
                limits,
                name,
                truth_title,
            ),
            (
                *(places[1, 0], error, looks.of_differences, (-limit, limit)),
                *(f"error of {name}", _error_title(scores, row, region, lead)),
            ),
        ):
            axes = new_map(figure, place, GLOBE)
            image = draw_map(axes, field, drawn, GLOBE, within)
            axes.set_title(title)
            colour_bar(figure, image, [axes], f"{label} ({drawn.units})")
        curve = figure.add_subplot(places[1, 1])
        _draw_errors(curve, scores, row, region, lead)
        curve.set_ylabel(f"RMSE of {name} ({looks.of_differences.units})")
        curve.set_title(f"error by lead time, {region}")
    return figure


def _chosen(forecast: xr.Dataset, truth: xr.Dataset, row: Channel, lead: np.timedelta64) -> _Fields:
    variable, level = row
    init = forecast["time"].values[0]
    where = {"time": init, "prediction_timedelta": lead}
    at_level = {} if level is None else {"level": level}
    try:
        predicted = forecast[variable].sel({**where, **at_level})
        observed = truth[variable].sel({"time": init + lead, **at_level})
    except KeyError as error:
        raise ValueError(
            f"cannot draw {long_label(variable, level)} at +{lead_label(lead)} from "
            f"{time_label(init)}: forecast or truth lacks {error}"
        ) from error
    if "number" in predicted.dims:
        predicted = predicted.isel(number=0)
    order = ("latitude", "longitude")
    return _Fields(
        predicted.transpose(*order).load(),
        observed.transpose(*order).load(),
        init,
        init + lead,
    )


def _limits(*fields: xr.DataArray) -> tuple[float, float]:
    return min(float(f.min()) for f in fields), max(float(f.max()) for f in fields)


def _error_title(scores: xr.Dataset, row: Channel, region: str, lead: np.timedelta64) -> str:
    """The title of the error map, with the RMSE if the scores are of this forecast alone."""
    if scores.attrs.get("initial_time_count", 1) != 1 or lead not in scores["prediction_timedelta"]:
        return "forecast minus truth"
    rmse = values(scores, row, "rmse", "forecast", region).sel(prediction_timedelta=lead)
    return f"forecast minus truth, RMSE {number(float(rmse))} {shown_in(scores, row)[1]} ({region})"


def _draw_errors(
    axes: Axes, scores: xr.Dataset, row: Channel, region: str, lead: np.timedelta64
) -> None:
    draw_curve(axes, scores, row, "rmse", region)
    axes.axvline(hours(lead), color="#bbb", lw=1, zorder=0)
    axes.grid(color="#e4e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


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
