"""From a source of analyses to a training dataset: names, levels, grid, checks, store.

`prepare` is the whole of it. A `Recipe` says what is done to each time; it is small and can be sent
to another process, which opens the source itself. Times go in groups (`DatasetHeader.group_times`):
one is read, put on its levels and grid, checked and written, and nothing of it is kept, so memory
does not depend on how many there are.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import dask
import numpy as np
import xarray as xr

from data.accumulation import SIX_HOURLY, hours_needed, with_six_hour_precipitation
from data.fleet import Fleet
from data.formats.dataset import (
    DOWNLOADS,
    DatasetStore,
    check_target,
    partial_path,
    write_group,
)
from data.formats.dataset_header import DatasetHeader
from data.forcings import FORCINGS
from data.levels import interpolate_levels, select_levels
from data.plausibility import check_values
from data.regrid import grid_named, regrid
from data.sources import download
from data.sources.collection import Series
from data.sources.series import missing_times, open_series
from data.statics import read_statics, statics_on
from data.task import LEVELS_13, STEP, TASKS, Task
from data.variables import VARIABLES

HOURLY = "total_precipitation"
_PACKAGES = ("graphcast", "xarray", "zarr", "numcodecs", "numpy")


@dataclass(frozen=True)
class Recipe:
    """What is done to each time.

    ``variables`` of the catalogue that vary in time; ``levels`` in hPa, or those of the source;
    ``grid`` as ``data.regrid.grid_named`` reads it, or that of the source. With ``repeat_single``
    the one time that the source has stands six hours earlier, too.
    """

    source: str
    variables: tuple[str, ...] = ()
    levels: tuple[int, ...] | None = None
    interpolate_levels: bool = False
    grid: str | None = None
    method: str = "conservative"
    repeat_single: bool = False
    threads: int | None = None


class Prepared(NamedTuple):
    """What `prepare` did: how many times are in the dataset and how many came with this run."""

    path: Path
    header: DatasetHeader
    times: np.ndarray
    written: int


def variables_of(task: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a dataset for a task holds: variables that vary in time, and statics.

    Forcings that are computed from the date are not stored.
    """
    needed = {*task.inputs, *task.targets, *task.forcings} - FORCINGS.keys()
    varying = sorted(name for name in needed if VARIABLES[name].varies_in_time)
    return tuple(varying), tuple(sorted(needed - {*varying}))


def prepare(
    recipe: Recipe,
    output: Path,
    *,
    times: np.ndarray | None = None,
    task: Task | None = None,
    statics: Sequence[str] = (),
    overwrite: bool = False,
    fleet: Fleet | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Prepared:
    """Write the analyses at ``times`` (or all that the source has) as a training dataset.

    With a ``task``, its variables and levels; without, everything that the catalogue knows (of a
    service, the variables of the published task). ``statics`` are files to take these from. The
    groups are written by ``fleet``, or one after the other. ``progress(done, of)`` counts times.

    Raises:
        FileExistsError: the dataset is there and has these times, or is something else.
        ValueError, OSError: anything wrong with the source, the request or the output.
    """
    output = output.absolute()
    check_target(output, overwrite=overwrite)
    downloads = partial_path(output) / DOWNLOADS
    _series.cache_clear()  # a source may have grown since this process read it
    recipe, constant = _completed(recipe, task)
    series = _series(recipe)
    wanted = _times(recipe, series, times)
    try:
        template = fields(recipe, wanted[:1], downloads)
        fixed = _statics(recipe, constant, statics, template, wanted[0], downloads, task)
        header = _header(recipe, task, statics, template, fixed, series.credit)
    except BaseException:
        _remove_if_empty(partial_path(output))
        raise
    values = {str(name): array.values.astype(np.float32) for name, array in fixed.items()}
    versions = {name: version(name) for name in _PACKAGES}
    with DatasetStore.open_or_create(
        output, header, wanted, values, versions=versions, overwrite=overwrite
    ) as store:
        work = Work(_findable(recipe), header, store.working_path, output, store.base, downloads)
        done = wanted.size - sum(store.group_times(g).size for g in store.missing)
        before = done
        progress(done, wanted.size)
        jobs = {group: store.group_times(group) for group in store.missing}
        open_groups = sorted(jobs)
        for group in (fleet or Fleet()).run(work, jobs):
            store.commit(group)
            done += jobs[group].size
            open_groups.remove(group)
            if open_groups:
                earliest = jobs[open_groups[0]][0].astype("datetime64[D]") - 1
                download.forget(downloads, str(earliest).replace("-", ""))
            progress(done, wanted.size)
        store.finish()
    return Prepared(output, header, wanted, done - before)


@dataclass(frozen=True)
class Work:
    """What it takes to make any one group of a dataset, in any process."""

    recipe: Recipe
    header: DatasetHeader
    working_path: Path
    target: Path
    base: int
    downloads: Path

    def __call__(self, group: int, times: np.ndarray) -> int:
        """Read, check and write one group, ``times`` of which are not in the target yet."""
        loaded = _loaded(fields(self.recipe, times, self.downloads), self.recipe)
        for name in self.header.variables:
            _check(loaded[name], self.header)
        arrays = {name: loaded[name].values for name in self.header.variables}
        write_group(
            self.working_path, self.header, group, arrays, existing=self.target, base=self.base
        )
        return group


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
        grid = _grid(recipe.grid)
        dataset = regrid(dataset, grid.latitude, grid.longitude, method=recipe.method)
    return dataset


_grid = lru_cache(maxsize=1)(grid_named)


@lru_cache(maxsize=1)
def _series(recipe: Recipe) -> Series:
    """The source, opened once in each process."""
    series = open_series(recipe.source)
    on = getattr(series, "on", None)  # services are asked for levels; others are cut
    opened: Series = on(recipe.levels) if on is not None and recipe.levels is not None else series
    return opened


def _findable(recipe: Recipe) -> Recipe:
    """The recipe with whole paths, for workers that stand in another folder."""
    names = {part: getattr(recipe, part) for part in ("source", "grid")}
    return replace(recipe, **{k: str(Path(v).absolute()) for k, v in names.items() if _is_path(v)})


def _is_path(name: str | None) -> bool:
    return name is not None and Path(name).exists()


def _read(recipe: Recipe, times: np.ndarray, downloads: Path) -> xr.Dataset:
    """The variables at these times as the source has them."""
    series = _series(recipe)
    there = np.repeat(series.times, times.size) if recipe.repeat_single else times
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
        dataset = dataset.merge(
            with_six_hour_precipitation(rain, np.unique(there))[[SIX_HOURLY]], join="exact"
        )
    if recipe.repeat_single:
        dataset = dataset.isel(time=[0] * times.size).assign_coords(time=times)
    return dataset


def _gives_six_hours(series: Series) -> bool:
    """Whether six-hour precipitation is read as it is; ERA5's hours have to be summed."""
    if series.names is None:
        return "ERA5" not in series.credit
    return SIX_HOURLY in series.names or HOURLY not in series.names


def _completed(recipe: Recipe, task: Task | None) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe with variables and levels, and the names of the statics."""
    series = _series(recipe)
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


def _times(recipe: Recipe, series: Series, asked: np.ndarray | None) -> np.ndarray:
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
                f" first is {_hour(lacking[0])}; it has {_span(series.times)}"
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


def _statics(
    recipe: Recipe,
    names: Sequence[str],
    files: Sequence[str],
    template: xr.Dataset,
    time: np.datetime64,
    downloads: Path,
    task: Task | None,
) -> xr.Dataset:
    """The statics on the dataset's grid, from the files first, then from the source; loaded."""
    latitude, longitude = template["latitude"].values, template["longitude"].values
    names = sorted({*names, *(variables_of(task)[1] if task else ())})
    given = _found_in(files, names)
    found = read_statics(files, given, latitude, longitude) if given else xr.Dataset()
    rest = [name for name in names if name not in found]
    if not rest:
        return found
    series = _series(recipe)
    there = [n for n in rest if series.names is None or n in series.names]
    stored = series.at(np.array([time]), there, downloads) if there else xr.Dataset()
    missing = [name for name in rest if name not in stored]
    if missing:
        raise ValueError(
            f"a dataset for task {task.name if task else 'graphcast'!r} needs"
            f" {', '.join(missing)}, which {recipe.source} lacks; name a file that has them"
            " (--statics)"
        )
    own = _loaded(stored, recipe).drop_vars("time", errors="ignore")
    placed = own.map(lambda a: a.isel(time=0, drop=True) if "time" in a.dims else a)
    return found.merge(statics_on(placed, latitude, longitude), join="override")


def _found_in(files: Sequence[str], names: Sequence[str]) -> list[str]:
    """Those of the names that a file of statics has."""
    known = [open_series(path).names or frozenset() for path in files]
    return [name for name in names if any(name in there for there in known)]


def _header(
    recipe: Recipe,
    task: Task | None,
    files: Sequence[str],
    template: xr.Dataset,
    fixed: xr.Dataset,
    credit: str,
) -> DatasetHeader:
    _check_global(template, recipe)
    digest = hashlib.sha256()
    for name in sorted(str(name) for name in fixed.data_vars):
        digest.update(fixed[name].values.astype(np.float32).tobytes())
    notes = [
        (str(n), str(a.attrs.get("cell_methods", "")), str(a.attrs.get("provenance", "")))
        for n, a in [*template.data_vars.items(), *fixed.data_vars.items()]
    ]
    asked = {k: v for k, v in asdict(recipe).items() if k != "threads"}
    made = {"recipe": asked, "task": None if task is None else asdict(task), "statics": [*files]}
    repeated = (
        "One analysis stands at both times: there was no other. It was repeated on request, and"
        " its tendencies are zero."
    )
    return DatasetHeader(
        variables=recipe.variables,
        statics=tuple(sorted(str(name) for name in fixed.data_vars)),
        levels=tuple(int(level) for level in template["level"]) if "level" in template else (),
        latitude=tuple(template["latitude"].values.tolist()),
        longitude=tuple(template["longitude"].values.tolist()),
        title="Analyses for GraphCast",
        source=credit,
        comment=repeated if recipe.repeat_single else "",
        notes=tuple(note for note in sorted(notes) if note[1:] != ("", "")),
        statics_sha256=digest.hexdigest() if fixed.data_vars else "",
        provenance=json.dumps(made, sort_keys=True),
    )


def _check_global(dataset: xr.Dataset, recipe: Recipe) -> None:
    longitude = np.asarray(dataset["longitude"].values, dtype=np.float64)
    around = np.diff(longitude, append=longitude[:1] + 360)
    # a tenth of the spacing: files round their coordinates, a missing column doubles one spacing
    if longitude.size < 2 or np.ptp(around) > 0.1 * around.min():
        raise ValueError(
            f"a dataset covers the whole globe, and {recipe.source} runs from {longitude[0]:g}° to"
            f" {longitude[-1]:g}° east in {longitude.size} columns; give the whole globe"
        )


def _loaded(dataset: xr.Dataset, recipe: Recipe) -> xr.Dataset:
    """The fields in memory; sources on a network are asked several times."""

    def attempt() -> xr.Dataset:
        with dask.config.set(scheduler="threads", num_workers=recipe.threads):
            return dataset.compute()

    try:
        if _series(recipe).remote:
            return download.patiently(attempt, recipe.source, (Exception,))
        return attempt()
    except OSError:
        raise
    except Exception as error:  # each format's library has its own; all mean the same here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"the fields of {recipe.source} could not be read ({reason}); fetch it again"
        ) from error


def _check(array: xr.DataArray, header: DatasetHeader) -> None:
    """Refuse gaps, wrong units and another grid, naming the time; nothing is written before."""
    for axis in ("latitude", "longitude"):
        if array[axis].values.tolist() != list(getattr(header, axis)):
            raise ValueError(
                f"all times of a dataset share one grid, and {axis} differs at"
                f" {_hour(array['time'].values[0])}; regrid to one (--grid)"
            )
    for index, time in enumerate(array["time"].values):
        try:
            check_values(array.isel(time=[index]))
        except ValueError as error:
            raise ValueError(f"at {_hour(time)}: {error}") from error


def _remove_if_empty(partial: Path) -> None:
    """Leave nothing behind of a request that could not begin."""
    for folder in (partial / DOWNLOADS, partial):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _span(times: np.ndarray) -> str:
    if not times.size:
        return "no times"
    if times.size == 1:
        return f"one time, {_hour(times[0])}"
    return f"{times.size} times from {_hour(times[0])} to {_hour(times[-1])}"


def _hour(time: np.datetime64) -> str:
    return str(time.astype("datetime64[m]")).removesuffix(":00")
