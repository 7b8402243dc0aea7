"""Maps of bias and root-mean-square error at each point, for the page."""

import base64
import io
from typing import NamedTuple

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from PIL import Image

from data.channels import Channel
from data.maps.appearance import Shown, shown
from data.maps.drawing import colour_bar, draw_map, new_map
from data.maps.fields import converted
from data.maps.labels import lead_label, long_label
from data.maps.projection import GLOBE, Extent
from verification.alignment import Alignment
from verification.scorecard.picture import Picture
from verification.scorecard.selection import HEADLINES

FIELDS = 3  # headline fields that are drawn
LEAD = np.timedelta64(72, "h")  # or the nearest that was scored
MOST = 40  # init times that are averaged; maps change little with more
WIDE, TALL = 3.6, 2.5  # inches: on a phone of 360 pixels letters are 10 pixels high
DPI = 160
COLOURS = 96  # of a picture; it has no more
ERRORS = "YlOrBr"  # of sizes of errors: from light to dark


class _Errors(NamedTuple):
    bias: xr.DataArray
    rmse: xr.DataArray
    n: int


def error_pictures(both: Alignment) -> list[Picture]:
    """Bias and RMSE of the headline fields on maps, a picture each.

    Args:
        both: a forecast and the truth. Of a forecast with members, the first is drawn.
    """
    lead = _lead(both)
    if lead is None:
        return []
    pictures = []
    for row in _rows(both):
        errors = _errors(both, row, lead)
        looks = shown(row.variable, str(both.truth[row.variable].attrs.get("units", "")), row.level)
        differences = looks.of_differences
        sizes = Shown(differences.units, differences.factor, colours=ERRORS, least=0.0)
        at = f"{long_label(*row)} at {lead_label(lead)}, {errors.n} init time{'s' * (errors.n > 1)}"
        for name, field, drawn in (
            ("Bias", errors.bias, differences),
            ("RMSE", errors.rmse, sizes),
        ):
            source = _drawn(converted(field, drawn), drawn, _extent(both))
            pictures.append(Picture(f"{name} of {at}", f"map of the {name} of {at}", source))
    return pictures


def _rows(both: Alignment) -> list[Channel]:
    there = [
        row
        for row in HEADLINES
        if row.variable in both.variables
        and (row.level is None or row.level in both.forecast["level"].values)
    ]
    return there[:FIELDS]


def _lead(both: Alignment) -> np.timedelta64 | None:
    """The lead time nearest to `LEAD` that was scored at all."""
    scored = both.scored.transpose("time", "prediction_timedelta")
    leads = scored["prediction_timedelta"].values[scored.values.any(axis=0)]
    if not leads.size:
        return None
    nearest: np.timedelta64 = leads[np.argmin(np.abs(leads - LEAD))]
    return nearest


def _errors(both: Alignment, row: Channel, lead: np.timedelta64) -> _Errors:
    """Mean error and root mean square at each point, one init time after the other."""
    scored = both.scored.sel(prediction_timedelta=lead)
    times = scored["time"].values[scored.values]
    chosen = times[np.unique(np.linspace(0, len(times) - 1, MOST).round().astype(int))]
    at = {} if row.level is None else {"level": row.level}
    forecast = both.forecast[row.variable].sel({"prediction_timedelta": lead, **at})
    if "number" in forecast.dims:
        forecast = forecast.isel(number=0)
    truth = both.truth[row.variable].sel(at)
    space = ("latitude", "longitude")
    template = truth.isel(time=0, drop=True).transpose(*space)
    total, squares = np.zeros(template.shape), np.zeros(template.shape)
    for time in chosen:
        predicted = forecast.sel(time=time).transpose(*space).values.astype(np.float64)
        error = predicted - truth.sel(time=time + lead).transpose(*space).values
        total += error
        squares += error**2
    count = len(chosen)
    return _Errors(
        template.copy(data=total / count), template.copy(data=np.sqrt(squares / count)), count
    )


def _extent(both: Alignment) -> Extent:
    """The globe, or the grid's own box where it is not global."""
    λ, φ = both.forecast["longitude"].values, both.forecast["latitude"].values
    if np.ptp(λ) > 300 and np.ptp(φ) > 150:
        return GLOBE
    return Extent(float(φ.min()), float(φ.max()), float(λ.min()), float(λ.max()))


def _drawn(field: xr.DataArray, looks: Shown, extent: Extent) -> str:
    with matplotlib.rc_context({"font.size": 8}):
        figure = Figure(figsize=(WIDE, TALL), layout="constrained", dpi=DPI)
        axes = new_map(figure, figure.add_gridspec(1, 1)[0], extent)
        limits = _limits(field.values)
        colour_bar(figure, draw_map(axes, field, looks, extent, limits), [axes], looks.units)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
    with Image.open(buffer) as picture:
        small = io.BytesIO()
        picture.convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(small.getvalue()).decode()


def _limits(values: np.ndarray) -> tuple[float, float]:
    """All but the outermost thousandth at each end, so that one point does not bleach the map."""
    low, high = np.quantile(values, [0.001, 0.999])
    return float(low), float(high)
