"""What of a forecast can be held against a truth, and what cannot, by name.

Everything that does not fit is either an error in one sentence, or a note that goes into the
scores: nothing is dropped in silence.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from data.canonical.units import conversion
from data.variables import VARIABLES
from mesh.grid import LatLonGrid, same_points

FORECAST_DIMS = ("time", "prediction_timedelta", "latitude", "longitude")


@dataclass(frozen=True, eq=False)
class Pairing:
    """Forecast, truth and climatology with the same variables, levels and grid coordinates.

    `scored` says for each initial time and lead time whether the truth has the valid time.
    `persistence_lacks` names the initial times without truth, of those with a scored lead time.
    """

    forecast: xr.Dataset
    truth: xr.Dataset
    climatology: xr.Dataset | None
    notes: tuple[str, ...] = field(default=())

    @property
    def grid(self) -> LatLonGrid:
        """The grid that all are on."""
        return LatLonGrid.from_coordinates(
            self.forecast["latitude"].values, self.forecast["longitude"].values
        )

    @property
    def valid_time(self) -> xr.DataArray:
        """(time, prediction_timedelta): initial time plus lead time."""
        return self.forecast["time"] + self.forecast["prediction_timedelta"]

    @property
    def scored(self) -> xr.DataArray:
        """(time, prediction_timedelta): whether the truth has the valid time."""
        return self.valid_time.isin(self.truth["time"].values)

    @property
    def persistence_lacks(self) -> tuple[np.datetime64, ...]:
        """Initial times that have scored lead times and are not in the truth themselves."""
        started = self.forecast["time"][self.scored.any("prediction_timedelta").values]
        return tuple(started[~started.isin(self.truth["time"].values).values].values)


def pair(forecast: xr.Dataset, truth: xr.Dataset, climatology: xr.Dataset | None) -> Pairing:
    """Bring the three together.

    Raises:
        ValueError: the forecast is none; nothing in common in variables, levels or valid times;
            other grids; other units.
    """
    missing = [dim for dim in FORECAST_DIMS if dim not in forecast.dims]
    if missing:
        raise ValueError(
            f"a forecast has the dimensions {', '.join(FORECAST_DIMS)}, as `graphcast forecast` "
            f"writes them, and this one lacks {', '.join(missing)}"
        )
    if "time" not in truth.dims:
        raise ValueError("the truth must have a time dimension, and this one has none")
    both = Pairing(_north_up(forecast), _north_up(truth), climatology)
    both = _on_one_grid(_with_common_levels(_with_common_variables(both)))
    _check_units(both)
    if not both.scored.any():
        raise ValueError(_no_common_time(both))
    return replace(_with_climatology(both), notes=(*both.notes, *_notes_on_times(both)))


def _north_up(dataset: xr.Dataset) -> xr.Dataset:
    """Rows from south to north."""
    latitude = dataset["latitude"].values
    return dataset if latitude[0] < latitude[-1] else dataset.isel(latitude=slice(None, None, -1))


def _with_common_variables(both: Pairing) -> Pairing:
    names = [
        str(n) for n in both.forecast.data_vars if set(FORECAST_DIMS) <= set(both.forecast[n].dims)
    ]
    common = [name for name in names if name in both.truth.data_vars]
    lacking = [name for name in names if name not in common]
    if not common:
        raise ValueError(
            f"the truth has none of the forecast's variables ({', '.join(names)}); it has "
            f"{', '.join(map(str, both.truth.data_vars))}"
        )
    notes = (f"not in the truth, not scored: {', '.join(lacking)}",) if lacking else ()
    return replace(
        both, forecast=both.forecast[common], truth=both.truth[common], notes=both.notes + notes
    )


def _with_common_levels(both: Pairing) -> Pairing:
    if "level" not in both.forecast.dims or "level" not in both.truth.dims:
        return both
    ours, theirs = both.forecast["level"].values, both.truth["level"].values
    common = [level for level in ours if level in theirs]
    lacking = [level for level in ours if level not in theirs]
    if not common:
        raise ValueError(
            f"the truth has none of the forecast's levels ({_listed(ours)} hPa); it has "
            f"{_listed(theirs)} hPa"
        )
    notes = (f"levels not in the truth, not scored: {_listed(lacking)} hPa",) if lacking else ()
    forecast = both.forecast if not lacking else both.forecast.sel(level=common)
    return replace(
        both, forecast=forecast, truth=both.truth.sel(level=common), notes=both.notes + notes
    )


def _on_one_grid(both: Pairing) -> Pairing:
    """The truth with the forecast's coordinates, where they differ by rounding only."""
    return replace(both, truth=_regridded_by_rounding(both.forecast, both.truth, "truth"))


def _regridded_by_rounding(forecast: xr.Dataset, other: xr.Dataset, role: str) -> xr.Dataset:
    for dim in ("latitude", "longitude"):
        ours, theirs = forecast[dim].values, other[dim].values
        if not same_points(ours, theirs):
            raise ValueError(
                f"forecast and {role} must be on the same grid, and their {dim}s differ: "
                f"{len(ours)} from {ours[0]:g} to {ours[-1]:g} against {len(theirs)} from "
                f"{theirs[0]:g} to {theirs[-1]:g}; bring the {role} to the forecast's grid first"
            )
    return other.assign_coords(
        latitude=forecast["latitude"].values, longitude=forecast["longitude"].values
    )


def _check_units(both: Pairing) -> None:
    """Both in one unit, as far as they state it."""
    for name in both.forecast.data_vars:
        ours, theirs = (ds[name].attrs.get("units") for ds in (both.forecast, both.truth))
        if ours is None or theirs is None or ours == theirs:
            continue
        catalogue = VARIABLES[str(name)].units if name in VARIABLES else ours
        converted = [conversion(unit, catalogue) for unit in (ours, theirs)]
        if None in converted or converted[0] != converted[1]:
            raise ValueError(
                f"forecast and truth must be in the same units, and {name} is in {ours!r} in the "
                f"forecast and in {theirs!r} in the truth; convert the truth first"
            )


def _with_climatology(both: Pairing) -> Pairing:
    if both.climatology is None:
        return both
    climatology = _regridded_by_rounding(both.forecast, _north_up(both.climatology), "climatology")
    lacking = [str(name) for name in both.forecast.data_vars if name not in climatology]
    if lacking:
        raise ValueError(
            f"the climatology must have every variable that is scored, and lacks "
            f"{', '.join(lacking)}; score without it, or add them"
        )
    if "level" in both.forecast.dims:
        levels = both.forecast["level"].values
        has_levels = "level" in climatology
        absent = np.setdiff1d(levels, climatology["level"]) if has_levels else levels[:0]
        if absent.size:
            raise ValueError(
                "the climatology must have every level that is scored, and lacks "
                f"{_listed(absent)} hPa; score without it, or add them"
            )
        if has_levels:
            climatology = climatology.sel(level=levels)
    return replace(both, climatology=climatology[list(both.forecast.data_vars)])


def _notes_on_times(both: Pairing) -> tuple[str, ...]:
    notes = []
    inits = len(both.forecast["time"])
    for lead, count in zip(
        both.forecast["prediction_timedelta"].values, both.scored.sum("time").values, strict=True
    ):
        if count < inits:
            hours = lead / np.timedelta64(1, "h")
            what = "not scored" if count == 0 else f"scored for {count} of {inits} initial times"
            notes.append(f"+{hours:g} h: no truth at the valid time, {what}")
    if both.persistence_lacks:
        times = ", ".join(np.datetime_as_string(t, "h") for t in both.persistence_lacks)
        notes.append(f"persistence is not scored: no truth at the initial time {times}")
    if both.climatology is None:
        notes.append("anomaly correlation is not reported: no climatology was given")
    return tuple(notes)


def _no_common_time(both: Pairing) -> str:
    valid, times = both.valid_time.values, both.truth["time"].values
    return (
        "the truth has none of the forecast's valid times: they go from "
        f"{np.datetime_as_string(valid.min(), 'h')} to {np.datetime_as_string(valid.max(), 'h')} "
        f"UTC, the truth from {np.datetime_as_string(times.min(), 'h')} to "
        f"{np.datetime_as_string(times.max(), 'h')} UTC"
    )


def _listed(values: "np.ndarray | list[np.generic]") -> str:
    return ", ".join(f"{value:g}" for value in values)
