"""One forecast on a map beside the truth, and its error by lead time."""

from typing import NamedTuple

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from data.channels import Channel
from data.wording import hours
from verification.scorecard.curves import draw_curve
from verification.scorecard.labels import (
    lead_label,
    long_label,
    number,
    short_label,
    time_label,
)
from verification.scorecard.selection import shown_in, values

FIELD_COLOURS = "viridis"  # perceptually uniform
ERROR_COLOURS = "RdBu_r"  # diverging, symmetric about 0: red too high, blue too low
COAST = 0.5  # the land fraction at which coasts are drawn


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

    Coasts are drawn if forecast or truth has a `land_sea_mask`.

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
    factor, units = shown_in(scores, row)
    fields = _chosen(forecast, truth, row, lead, factor)
    name = short_label(variable, level)
    with matplotlib.rc_context({"font.size": 9, "axes.titlesize": 10}):
        figure = Figure(figsize=(12.5, 7), layout="constrained", dpi=130)
        figure.suptitle(
            f"{long_label(variable, level)}: forecast from {time_label(fields.init_time)}, "
            f"valid {time_label(fields.valid_time)} (+{lead_label(lead)})",
            fontsize=12,
        )
        # A picture travels without its store, so it names the source of the forecast.
        figure.supxlabel(str(forecast.attrs.get("source", "")), fontsize=8, color="0.35")
        (ax_forecast, ax_truth), (ax_error, ax_curve) = figure.subplots(2, 2)
        low = min(float(fields.forecast.min()), float(fields.truth.min()))
        high = max(float(fields.forecast.max()), float(fields.truth.max()))
        coast = _coast(forecast, truth)
        error = fields.forecast - fields.truth
        limit = float(np.abs(error).max()) or 1.0
        for axes, field, colours, limits, label in (
            (ax_forecast, fields.forecast, FIELD_COLOURS, (low, high), name),
            (ax_truth, fields.truth, FIELD_COLOURS, (low, high), name),
            (ax_error, error, ERROR_COLOURS, (-limit, limit), f"error of {name}"),
        ):
            image = _draw_map(axes, field, colours, limits, coast)
            figure.colorbar(image, ax=axes, label=f"{label} ({units})", aspect=30, pad=0.02)
        ax_forecast.set_title(f"forecast, +{lead_label(lead)}")
        ax_truth.set_title(f"truth, {time_label(fields.valid_time)}")
        region = "global" if "global" in scores["region"] else str(scores["region"].values[0])
        ax_error.set_title(_error_title(scores, row, region, lead, units))
        _draw_errors(ax_curve, scores, row, region, lead)
        ax_curve.set_ylabel(f"RMSE of {name} ({units})")
        ax_curve.set_title(f"error by lead time, {region}")
    return figure


def _chosen(
    forecast: xr.Dataset, truth: xr.Dataset, row: Channel, lead: np.timedelta64, factor: float
) -> _Fields:
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
        _greenwich_centred(predicted.transpose(*order)).load() * factor,
        _greenwich_centred(observed.transpose(*order)).load() * factor,
        init,
        init + lead,
    )


def _greenwich_centred(field: xr.DataArray) -> xr.DataArray:
    """Latitude ascending, longitude from -180°."""
    longitude = (field["longitude"] + 180) % 360 - 180
    centred = field.assign_coords(longitude=longitude).sortby(["latitude", "longitude"])
    return centred.drop_vars([n for n in centred.coords if n not in centred.dims])


def _coast(*datasets: xr.Dataset) -> xr.DataArray | None:
    for dataset in datasets:
        if "land_sea_mask" in dataset:
            return _greenwich_centred(dataset["land_sea_mask"].transpose("latitude", "longitude"))
    return None


def _draw_map(
    axes: Axes,
    field: xr.DataArray,
    colours: str,
    limits: tuple[float, float],
    coast: xr.DataArray | None,
) -> QuadMesh:
    longitude, latitude = field["longitude"].values, field["latitude"].values
    image = axes.pcolormesh(
        longitude, latitude, field.values, cmap=colours, vmin=limits[0], vmax=limits[1],
        shading="nearest", rasterized=True,
    )  # fmt: skip
    if coast is not None:
        axes.contour(longitude, latitude, coast.values, [COAST], colors="k", linewidths=0.6)
    axes.set_xticks(range(-120, 121, 60), ["120°W", "60°W", "0°", "60°E", "120°E"])
    axes.set_yticks(range(-90, 91, 30), ["90°S", "60°S", "30°S", "0°", "30°N", "60°N", "90°N"])
    half = (longitude[1] - longitude[0]) / 2
    axes.set_xlim(longitude[0] - half, longitude[-1] + half)
    axes.set_ylim(-90, 90)
    axes.set_xlabel("longitude")
    axes.set_ylabel("latitude")
    return image


def _error_title(
    scores: xr.Dataset, row: Channel, region: str, lead: np.timedelta64, units: str
) -> str:
    """The title of the error map, with the RMSE if the scores are of this forecast alone."""
    if scores.attrs.get("initial_time_count", 1) != 1 or lead not in scores["prediction_timedelta"]:
        return "forecast minus truth"
    rmse = values(scores, row, "rmse", "forecast", region).sel(prediction_timedelta=lead)
    return f"forecast minus truth, RMSE {number(float(rmse))} {units} ({region})"


def _draw_errors(
    axes: Axes, scores: xr.Dataset, row: Channel, region: str, lead: np.timedelta64
) -> None:
    draw_curve(axes, scores, row, "rmse", region)
    axes.axvline(hours(lead), color="#bbb", lw=1, zorder=0)
    axes.grid(color="#e4e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
