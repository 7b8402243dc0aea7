"""`Alignment`: the parts of a forecast that can be compared with a truth.

Everything else is refused with an error, or left out with a note in the scores. Nothing is dropped
silently.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr

from data.canonical.units import conversion
from data.grids import grid_of
from data.variables import VARIABLES
from data.wording import hour, hours, listed
from mesh.grid import LatLonGrid, same_points
from verification.climatology import check_seasons
from verification.regions import Surface

SEEPS = "_seeps_"  # in WeatherBench 2's names of what SEEPS needs of a climatology
FORECAST_DIMS = ("time", "prediction_timedelta", "latitude", "longitude")


@dataclass(frozen=True, eq=False)
class Alignment:
    """Forecast, truth and climatology with the same variables, levels and grid coordinates.

    Attributes:
        forecast: (time, [number,] prediction_timedelta, [level,] latitude, longitude), `time` the
            init time.
        truth: (time, [level,] latitude, longitude), `time` the valid time.
        climatology: as `climatology.places_at` takes it.
        notes: what is not scored, and why, one sentence each.
        derived: variables that are computed from those of forecast and truth.
        surface: land and height of the grid's points, where truth or forecast has them.
    """

    forecast: xr.Dataset
    truth: xr.Dataset
    climatology: xr.Dataset | None
    notes: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    surface: Surface | None = None

    @cached_property
    def grid(self) -> LatLonGrid:
        """The grid that all are on."""
        return grid_of(self.forecast)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that can be scored."""
        return (*map(str, self.forecast.data_vars), *self.derived)

    @property
    def levels(self) -> tuple[int | float, ...]:
        """Pressure levels (hPa); none where no variable has them."""
        return tuple(self.forecast["level"].values.tolist()) if "level" in self.forecast else ()

    @property
    def members(self) -> tuple[int, ...] | None:
        """Labels of the members, None for a forecast without."""
        if "number" not in self.forecast.dims:
            return None
        number = self.forecast.get("number", np.arange(self.forecast.sizes["number"]))
        return tuple(np.asarray(number).tolist())

    @cached_property
    def valid_time(self) -> xr.DataArray:
        """(time, prediction_timedelta): init time plus lead time."""
        return self.forecast["time"] + self.forecast["prediction_timedelta"]

    @cached_property
    def scored(self) -> xr.DataArray:
        """(time, prediction_timedelta): whether the truth has the valid time."""
        return self.valid_time.isin(self.truth["time"].values)

    @cached_property
    def init_times(self) -> tuple[np.datetime64, ...]:
        """Init times with at least one lead time that can be scored."""
        return tuple(self.forecast["time"].values[self.scored.any("prediction_timedelta").values])

    @cached_property
    def without_start(self) -> tuple[np.datetime64, ...]:
        """The `init_times` that the truth lacks, where persistence cannot start."""
        times = np.array(self.init_times)
        return tuple(times[~np.isin(times, self.truth["time"].values)])


def align(forecast: xr.Dataset, truth: xr.Dataset, climatology: xr.Dataset | None) -> Alignment:
    """Bring forecast, truth and climatology to the same variables, levels and coordinates.

    Args:
        forecast: (time, [number,] prediction_timedelta, [level,] latitude, longitude).
        truth: canonical analyses (time, [level,] latitude, longitude).
        climatology: as `climatology.places_at` takes it; None for none.

    Raises:
        ValueError: the forecast lacks a dimension or repeats a time; forecast and truth have no
            variable, level or valid time in common; their grids or units differ; the climatology
            lacks something.
    """
    missing = [dim for dim in FORECAST_DIMS if dim not in forecast.dims]
    if missing:
        raise ValueError(
            f"a forecast has the dimensions {', '.join(FORECAST_DIMS)}, as `graphcast forecast` "
            f"writes them, and this one lacks {', '.join(missing)}"
        )
    if "time" not in truth.dims:
        raise ValueError("the truth must have a time dimension, and this one has none")
    _check_no_repeats(forecast)
    both = Alignment(_north_up(forecast), _north_up(truth), climatology)
    both = replace(both, surface=_surface(both))
    both = _on_one_grid(_with_common_levels(_with_common_variables(both)))
    _check_units(both)
    if not both.scored.any():
        raise ValueError(_no_common_time(both))
    both = _with_climatology(both)
    if both.climatology is not None:
        check_seasons(both.climatology, both.valid_time.values[both.scored.values])
    return replace(both, notes=(*both.notes, *_notes_on_times(both)))


def _north_up(dataset: xr.Dataset) -> xr.Dataset:
    """Rows from south to north."""
    latitude = dataset["latitude"].values
    return dataset if latitude[0] < latitude[-1] else dataset.isel(latitude=slice(None, None, -1))


def _check_no_repeats(forecast: xr.Dataset) -> None:
    """Refuse repeated times, which would count twice."""
    for dim, name in (("time", "init times"), ("prediction_timedelta", "lead times")):
        index = forecast.indexes[dim]
        if index.has_duplicates:
            repeated = index[index.duplicated()][0]
            raise ValueError(
                f"a forecast's {name} must differ from one another, and {repeated} comes more than "
                "once; drop the repeated ones"
            )


def _with_common_variables(both: Alignment) -> Alignment:
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


def _with_common_levels(both: Alignment) -> Alignment:
    if "level" not in both.forecast.dims or "level" not in both.truth.dims:
        return both
    levels, available = both.forecast["level"].values, both.truth["level"].values
    common = [level for level in levels if level in available]
    lacking = [level for level in levels if level not in available]
    if not common:
        raise ValueError(
            f"the truth has none of the forecast's levels ({listed(levels)} hPa); it has "
            f"{listed(available)} hPa"
        )
    notes = (
        (f"levels not in the truth, not scored: {listed(lacking, len(lacking))} hPa",)
        if lacking
        else ()
    )
    forecast = both.forecast if not lacking else both.forecast.sel(level=common)
    return replace(
        both, forecast=forecast, truth=both.truth.sel(level=common), notes=both.notes + notes
    )


def _on_one_grid(both: Alignment) -> Alignment:
    return replace(both, truth=_on_the_grid_of(both.forecast, both.truth, "truth"))


def _on_the_grid_of(forecast: xr.Dataset, other: xr.Dataset, role: str) -> xr.Dataset:
    """`other` with the forecast's coordinates, from which its own differ by rounding at most."""
    grid, other_grid = grid_of(forecast, "the forecast"), grid_of(other, f"the {role}")
    if not grid.matches(other_grid):
        same_latitudes = same_points(np.array(grid.latitude), np.array(other_grid.latitude))
        axis = "longitude" if same_latitudes else "latitude"
        raise ValueError(
            f"forecast and {role} must be on the same grid, and their {axis}s differ: "
            f"{_extent(getattr(grid, axis))} against {_extent(getattr(other_grid, axis))}; bring "
            f"the {role} to the forecast's grid first"
        )
    return other.assign_coords(
        latitude=forecast["latitude"].values, longitude=forecast["longitude"].values
    )


def _surface(both: Alignment) -> Surface | None:
    """Land and height, of the truth or else of the forecast."""
    found: list[np.ndarray | None] = []
    for name in ("land_sea_mask", "geopotential_at_surface"):
        fields = [d[name] for d in (both.truth, both.forecast) if name in d]
        for array in fields[:1]:
            first = array.isel({d: 0 for d in array.dims if d not in ("latitude", "longitude")})
            found.append(first.transpose("latitude", "longitude").values.astype(np.float64))
        found += [None] * (not fields)
    return Surface(*found) if any(field is not None for field in found) else None


def _extent(axis: tuple[int | float, ...]) -> str:
    return f"{len(axis)} from {axis[0]:g} to {axis[-1]:g}"


def _check_units(both: Alignment) -> None:
    """Refuse variables whose stated units differ."""
    for name in both.variables:
        units, truth_units = (ds[name].attrs.get("units") for ds in (both.forecast, both.truth))
        if units is None or truth_units is None or units == truth_units:
            continue
        catalogue = VARIABLES[name].units if name in VARIABLES else units
        converted = [conversion(unit, catalogue) for unit in (units, truth_units)]
        if None in converted or converted[0] != converted[1]:
            raise ValueError(
                f"forecast and truth must be in the same units, and {name} is in {units!r} "
                f"in the forecast and in {truth_units!r} in the truth; convert the truth first"
            )


def _with_climatology(both: Alignment) -> Alignment:
    if both.climatology is None:
        return both
    climatology = _on_the_grid_of(both.forecast, _north_up(both.climatology), "climatology")
    lacking = [name for name in map(str, both.forecast.data_vars) if name not in climatology]
    if lacking:
        raise ValueError(
            f"the climatology must have every variable that is scored, and lacks "
            f"{', '.join(lacking)}; score without it, or add them"
        )
    if "level" in both.forecast.dims and "level" in climatology:
        levels = both.forecast["level"].values
        absent = np.setdiff1d(levels, climatology["level"])
        if absent.size:
            raise ValueError(
                "the climatology must have every level that is scored, and lacks "
                f"{listed(absent)} hPa; score without it, or add them"
            )
        climatology = climatology.sel(level=levels)
    kept = [*both.forecast.data_vars, *(n for n in climatology.data_vars if SEEPS in str(n))]
    return replace(both, climatology=climatology[kept])


def _notes_on_times(both: Alignment) -> tuple[str, ...]:
    notes = [*_notes_on_leads(both)]
    if both.without_start:
        times = listed(map(hour, both.without_start))
        notes.append(f"persistence is not scored: no truth at the initial time {times}")
    if both.climatology is None:
        notes.append("anomaly correlation is not reported: no climatology was given")
    return tuple(notes)


def _notes_on_leads(both: Alignment) -> Iterator[str]:
    """One note for all lead times that some init times have no truth for, one for the others."""
    inits = len(both.forecast["time"])
    leads, counts = both.forecast["prediction_timedelta"].values, both.scored.sum("time").values
    partly = (counts > 0) & (counts < inits)
    if partly.any():
        extent = " to ".join(map(str, sorted({counts[partly].min(), counts[partly].max()})))
        yield f"{_named(leads[partly])}, scored for {extent} of {inits} initial times"
    if (counts == 0).any():
        yield f"{_named(leads[counts == 0])}, not scored"


def _named(leads: np.ndarray) -> str:
    plural = "s" * (leads.size > 1)
    which = listed(f"+{hours(lead):g}" for lead in leads)
    return f"{which} h: no truth at the valid time{plural}"


def _no_common_time(both: Alignment) -> str:
    valid, times = both.valid_time.values, both.truth["time"].values
    return (
        f"the truth has none of the forecast's valid times: they go from {hour(valid.min())} to "
        f"{hour(valid.max())} UTC, the truth from {hour(times.min())} to {hour(times.max())} UTC"
    )
