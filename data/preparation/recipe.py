"""What is done to each time of a dataset on the way from its source: a `Recipe`, and its steps.

Names, six-hour precipitation, levels, grid. Everything is lazy until `loaded`.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import xarray as xr

from data.canonical.precipitation import HOURLY, SIX_HOURLY, hours_needed, total
from data.forcings import FORCINGS
from data.regrid import regrid
from data.regrid.levels import interpolate_levels, select_levels
from data.sources.grids import grid_named
from data.sources.network import download
from data.sources.series.collection import Series
from data.sources.series.opening import missing_times, open_series
from data.task import LEVELS_13, STEP, TASKS, Task
from data.variables import VARIABLES


@dataclass(frozen=True)
class Recipe:
    """What is done to each time.

    ``variables`` of the catalogue that vary in time; ``levels`` in hPa, or those of the source;
    ``grid`` as ``data.sources.grids.grid_named`` reads it, or that of the source; ``statics`` are
    files to take these from. With ``repeat_single`` the one time that the source has stands six
    hours earlier, too.
    """

    source: str
    variables: tuple[str, ...] = ()
    levels: tuple[int, ...] | None = None
    interpolate_levels: bool = False
    grid: str | None = None
    method: str = "conservative"
    statics: tuple[str, ...] = ()
    repeat_single: bool = False
    threads: int | None = None


def variables_of(task: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a dataset for a task holds: variables that vary in time, and statics.

    Forcings that are computed from the date are not stored.
    """
    needed = {*task.inputs, *task.targets, *task.forcings} - FORCINGS.keys()
    varying = sorted(name for name in needed if VARIABLES[name].varies_in_time)
    return tuple(varying), tuple(sorted(needed - {*varying}))


def fields(recipe: Recipe, times: np.ndarray, downloads: Path) -> xr.Dataset:
    """The recipe's variables at these times: lazy, on its levels and grid."""
    dataset = _read(recipe, times, downloads)
    missing = [name for name in recipe.variables if name not in dataset]
    if missing:
        has = (
            ", ".join(sorted(str(name) for name in dataset.data_vars)) or "none of those asked for"
        )
        raise ValueError(
            f"a dataset holds every variable of its task, and {recipe.source} lacks"
            f" {', '.join(missing)} (of these it has {has}); choose another task (--task) or source"
        )
    dataset = dataset[list(recipe.variables)]
    for name, array in dataset.data_vars.items():
        stated = array.attrs.get("units", VARIABLES[str(name)].units)
        if stated != VARIABLES[str(name)].units:
            raise ValueError(
                f"{name} must be in {VARIABLES[str(name)].units}, and {recipe.source} states"
                f" {stated!r}, which cannot be converted; correct its attribute 'units'"
            )
    if recipe.levels is not None:
        take = interpolate_levels if recipe.interpolate_levels else select_levels
        dataset = take(dataset, recipe.levels)
    if recipe.grid is not None:
        dataset = regrid(dataset, _grid(recipe.grid), method=recipe.method)
    return dataset


_grid = lru_cache(maxsize=1)(grid_named)


_opened = lru_cache(maxsize=1)(open_series)


def source_of(recipe: Recipe) -> Series:
    """The source, opened once in each process until ``reopen``."""
    series = _opened(recipe.source)
    return series if recipe.levels is None else series.on(recipe.levels)


def reopen() -> None:
    """Have sources opened anew: they may have grown since."""
    _opened.cache_clear()
    _grid.cache_clear()


def with_whole_paths(recipe: Recipe) -> Recipe:
    """The recipe with whole paths, for workers that stand in another folder."""
    grid = None if recipe.grid is None else _whole_path(recipe.grid)
    return replace(recipe, source=_whole_path(recipe.source), grid=grid)


def _whole_path(name: str) -> str:
    return str(Path(name).absolute()) if Path(name).exists() else name


def _read(recipe: Recipe, times: np.ndarray, downloads: Path) -> xr.Dataset:
    """The variables at these times as the source has them."""
    series = source_of(recipe)
    there = times
    if recipe.repeat_single:
        assert series.times is not None  # checked by times_of
        there = series.times
    names = list(recipe.variables)
    summed = SIX_HOURLY in names and not _gives_six_hours(series)
    if summed:
        names.remove(SIX_HOURLY)
    dataset = series.at(np.unique(there), names, downloads) if names else xr.Dataset()
    if summed:
        hours = hours_needed(np.unique(there))
        if missing_times(series, hours).size:
            lacking = missing_times(series, hours)[0].astype("datetime64[h]")
            raise ValueError(
                f"precipitation over six hours is summed from hours, and {recipe.source} has no"
                f" {lacking}; begin later (--time)"
            )
        rain = series.at(hours, [HOURLY], downloads)
        dataset = dataset.merge(total(rain[HOURLY], np.unique(there)).to_dataset(), join="exact")
    if recipe.repeat_single:
        dataset = dataset.isel(time=[0] * times.size).assign_coords(time=times)
    return dataset


def _gives_six_hours(series: Series) -> bool:
    """Whether six-hour precipitation is read as it is; ERA5's hours have to be summed."""
    if series.names is None:
        return "ERA5" not in series.credit
    return SIX_HOURLY in series.names or HOURLY not in series.names


def completed(recipe: Recipe, task: Task | None) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe with variables and levels, and the names of the statics."""
    series = source_of(recipe)
    if task is None and series.names is None:
        task = replace(TASKS["graphcast"], levels=LEVELS_13)
    if task is not None:
        varying, constant = variables_of(task)
        return replace(recipe, variables=varying, levels=recipe.levels or task.levels or None), (
            constant
        )
    assert series.names is not None
    known = sorted(series.names - FORCINGS.keys())
    varying = tuple(name for name in known if VARIABLES[name].varies_in_time)
    if not varying:
        raise ValueError(
            f"a dataset holds variables that data/variables.py knows, and {recipe.source} has none"
        )
    return replace(recipe, variables=varying), tuple(n for n in known if n not in varying)


def times_of(recipe: Recipe, series: Series, asked: np.ndarray | None) -> np.ndarray:
    """The times of the dataset, every one of which the source has."""
    if recipe.repeat_single:
        if series.times is None or series.times.size != 1:
            count = "any" if series.times is None else str(series.times.size)
            raise ValueError(
                f"only a source with one time can have it repeated, and {recipe.source} has"
                f" {count}; leave --repeat-single-time away"
            )
        return np.concatenate([series.times - STEP, series.times])
    if asked is not None:
        lacking = missing_times(series, asked)
        if lacking.size:
            assert series.times is not None
            raise ValueError(
                f"{recipe.source} lacks {lacking.size} of the {asked.size} times asked for, the"
                f" first is {hour(lacking[0])}; it has {_span(series.times)}"
            )
        return asked.astype("datetime64[ns]")
    if series.times is None:
        raise ValueError(
            f"{recipe.source} has to be asked for times; name them (--time"
            " 2018-01-01/2018-12-31T18/6h)"
        )
    if series.times.size < 2:
        raise ValueError(
            f"a dataset starts forecasts from two times 6 h apart, and {recipe.source} has"
            f" {_span(series.times)}; add another time, or, to try things out, let the one stand"
            " for both (--repeat-single-time)"
        )
    gaps = np.unique(np.diff(series.times))
    if gaps.tolist() != [STEP.astype("timedelta64[ns]").astype(int)]:
        hours = ", ".join(f"{gap / np.timedelta64(1, 'h'):g}" for gap in gaps[:4])
        raise ValueError(
            f"a dataset has a time every 6 h, and those of {recipe.source} ({_span(series.times)})"
            f" are {hours} h apart; choose some (--time START/END/6h), or another source"
        )
    return series.times


def loaded(dataset: xr.Dataset, recipe: Recipe) -> xr.Dataset:
    """The fields in memory; sources on a network are asked several times."""

    def attempt() -> xr.Dataset:
        return dataset.compute(scheduler="threads", num_workers=recipe.threads)

    try:
        if source_of(recipe).remote:
            return download.patiently(attempt, recipe.source, (Exception,))
        return attempt()
    except OSError:
        raise
    except Exception as error:  # each format's library has its own; all mean the same here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"the fields of {recipe.source} could not be read ({reason}); fetch it again"
        ) from error


def _span(times: np.ndarray) -> str:
    if not times.size:
        return "no times"
    if times.size == 1:
        return f"one time, {hour(times[0])}"
    return f"{times.size} times from {hour(times[0])} to {hour(times[-1])}"


def hour(time: np.datetime64) -> str:
    """``2024-06-03T06``, with minutes only where there are any."""
    return str(time.astype("datetime64[m]")).removesuffix(":00")
