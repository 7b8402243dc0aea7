"""Forecasts and climatologies in canonical form, as `conventions` has analyses.

A forecast has the dimensions `time` (init time), `number` where it has members,
`prediction_timedelta`, `level`, `latitude` and `longitude`; a climatology those of space, and
`dayofyear` and `hour` where it has seasons.
"""

import xarray as xr

from data.canonical.axes import ascending, check_known, with_levels
from data.canonical.conventions import (
    on_canonical_grid,
    with_canonical_variables,
    with_member_dimension,
)
from data.canonical.lead_times import with_init_and_lead
from data.canonical.preliminary import final_first
from data.canonical.time_axis import dated
from data.provenance import remarked
from data.variables import VARIABLES
from data.wording import hour, hours, listed

FORECAST_DIMENSIONS = (
    *("time", "number", "prediction_timedelta"),
    *("level", "latitude", "longitude"),
)
CLIMATOLOGY_DIMENSIONS = ("hour", "dayofyear", "level", "latitude", "longitude")
_SEASONS = {"dayofyear": ("day_of_year", "doy"), "hour": ("hour_of_day", "hourofday")}


def canonical_forecast(dataset: xr.Dataset) -> xr.Dataset:
    """A forecast as anybody writes it, with the catalogue's names and units; lazy.

    Units that are not stated are the catalogue's, which a remark says.

    Raises:
        ValueError: as `conventions.canonical`; there are no lead times, nothing says whether times
            are init or valid times, or one of them comes twice.
    """
    dataset = with_init_and_lead(dated(on_canonical_grid(dataset)))
    dataset = final_first(with_member_dimension(dataset))
    for axis, noun, written in (
        ("time", "init times", hour),
        ("prediction_timedelta", "lead times", lambda lead: f"{hours(lead):g} h"),
    ):
        check_known(dataset, axis)
        index = dataset.indexes[axis]
        if index.has_duplicates:
            repeated = written(index[index.duplicated()][0].to_numpy())
            raise ValueError(
                f"a forecast's {noun} must differ from one another, and {repeated} comes more than"
                " once; drop the repeated ones"
            )
        dataset = ascending(dataset, axis)
    dims = [d for d in FORECAST_DIMENSIONS if d != "number" or "number" in dataset.dims]
    return _with_assumed_units(with_canonical_variables(with_levels(dataset), dims))


def canonical_climatology(dataset: xr.Dataset) -> xr.Dataset:
    """A climatology as anybody writes it, with the catalogue's names and units; lazy.

    Raises:
        ValueError: as `conventions.canonical`.
    """
    aliases = {a: name for name, others in _SEASONS.items() for a in others if a in dataset.dims}
    dataset = with_levels(on_canonical_grid(dataset.rename(aliases)))
    dims = [*CLIMATOLOGY_DIMENSIONS, *(("time",) if "time" in dataset.dims else ())]
    return _with_assumed_units(with_canonical_variables(dataset, dims))


def _with_assumed_units(dataset: xr.Dataset) -> xr.Dataset:
    """Variables of the catalogue with its units where the file states none."""
    silent = [str(n) for n, a in dataset.items() if n in VARIABLES and not a.attrs.get("units")]
    if not silent:
        return dataset
    assumed = {name: dataset[name].assign_attrs(units=VARIABLES[name].units) for name in silent}
    each = listed([f"{name} in {VARIABLES[name].units}" for name in silent], len(silent))
    return remarked(
        dataset.assign(assumed), f"no unit is stated, and the catalogue's is assumed: {each}"
    )
