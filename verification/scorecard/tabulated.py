"""The scores of `verification.score` as flat `Results`."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from data.wording import hours
from verification.results import Results, Score

UNITS = {"field": "{}", "squared": "({})2", "1": "1"}  # of a metric, from those of the variable
NOT_PROTOCOL = ("title", "graphcast_store", "initial_time_count")


def tabulated(scores: xr.Dataset) -> Results:
    """All scores, row by row, and the attributes as the protocol."""
    metrics = [str(name) for name in scores["metric"].values]
    best = dict(zip(metrics, str(scores["metric"].attrs["best"]).split(), strict=True))
    protocol = {k: v for k, v in scores.attrs.items() if k not in NOT_PROTOCOL}
    return Results(protocol, tuple(_rows(scores)), (), best)


def _rows(scores: xr.Dataset) -> Iterator[Score]:
    units = dict(
        zip(
            scores["metric"].values, str(scores["metric"].attrs["value_units"]).split(), strict=True
        )
    )
    leads = [hours(lead) for lead in scores["prediction_timedelta"].values]
    counts = scores["sample_count"].values
    for name, array in scores.data_vars.items():
        if "metric" not in array.dims:
            continue
        levelled = array if "level" in array.dims else array.expand_dims(level=[np.nan])
        order = ("source", "metric", "level", "region", "prediction_timedelta")
        values = levelled.transpose(*order).values
        labels = [levelled[dim].values for dim in order[:-1]]
        for place in np.ndindex(values.shape[:-1]):
            source, metric, level, region = (a[i] for a, i in zip(labels, place, strict=True))
            unit = UNITS[units[metric]].format(array.attrs["units"])
            for lead, value, n in zip(leads, values[place], counts, strict=True):
                at = None if np.isnan(level) else float(level)
                names = (str(source), str(metric), str(name))
                yield Score(*names, at, str(region), lead, float(value), int(n), unit)
