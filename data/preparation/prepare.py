"""From a source of analyses to a training dataset: names, levels, grid, checks, store.

`prepare` is the whole of it. A `Recipe` says what is done to each time; it is small and can be sent
to another process, which opens the source itself. Times go in groups (`DatasetHeader.group_times`):
one is read, put on its levels and grid, checked and written, and nothing of it is kept, so memory
does not depend on how many there are.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from data.grids import grid_of
from data.malloc import share_heaps
from data.plausibility import check_values
from data.preparation.recipe import (
    Recipe,
    completed,
    fields,
    hour,
    loaded,
    reopen,
    source_of,
    times_of,
    variables_of,
    with_whole_paths,
)
from data.preparation.statics import read_statics, statics_on
from data.sources.network import download
from data.sources.series.opening import open_series
from data.stores.analyses.files import write_shard
from data.stores.analyses.header import GROUP_BYTES, DatasetHeader
from data.stores.analyses.store import (
    DOWNLOADS,
    DatasetStore,
    check_target,
    is_complete,
)
from data.stores.building import partial_path
from data.stores.workers import Fleet
from data.task import Task
from data.variables import VARIABLES
from mesh.grid import LatLonGrid

_PACKAGES = ("graphcast", "xarray", "zarr", "numcodecs", "numpy")


class Prepared(NamedTuple):
    """What `prepare` did: how many times are in the dataset and how many came with this run."""

    path: Path
    header: DatasetHeader
    times: np.ndarray
    written: int


def prepare(
    recipe: Recipe,
    output: Path,
    *,
    times: np.ndarray | None = None,
    task: Task | None = None,
    overwrite: bool = False,
    group_bytes: int = GROUP_BYTES,
    fleet: Fleet | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Prepared:
    """Write the analyses at ``times`` (or all that the source has) as a training dataset.

    With a ``task``, its variables and levels; without, everything that the catalogue knows (of a
    service, the variables of the published task). The groups, of ``group_bytes`` at most, are
    written by ``fleet``, or one after the other. ``progress(done, of)`` counts times. A dataset
    that is there, made the same way, and has exactly these times, is left as it is.

    Raises:
        FileExistsError: another dataset is there, or it has later times, or is something else.
        ValueError, OSError: anything wrong with the source, the request or the output.
    """
    share_heaps()
    output = output.absolute()
    check_target(output)
    downloads = partial_path(output) / DOWNLOADS
    reopen()
    recipe, constant = completed(recipe, task)
    series = source_of(recipe)
    wanted = times_of(recipe, series, times)
    try:
        template = fields(recipe, wanted[:1], downloads)
        fixed = _statics(recipe, constant, template, wanted[0], downloads, task)
        header = _header(recipe, task, template, fixed, group_bytes)
    finally:
        _remove_if_empty(partial_path(output))
    values = {str(name): array.values.astype(np.float32) for name, array in fixed.items()}
    versions = {name: version(name) for name in _PACKAGES}
    if not overwrite and is_complete(output, header, wanted):
        return Prepared(output, header, wanted, 0)
    with DatasetStore.open_or_create(
        output, header, wanted, values, versions=versions, overwrite=overwrite
    ) as store:
        work = Work(
            with_whole_paths(recipe), header, store.working_path, output, store.base, downloads
        )
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
                earliest = jobs[open_groups[0]][0].astype("datetime64[D]") - np.timedelta64(1, "D")
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
        """Read, check and write one group, ``times`` of which are not in the target yet.

        As many variables at once as there are threads; what is left of threads reads each.
        """
        share_heaps()  # a worker may be another process
        read = fields(self.recipe, times, self.downloads)
        threads = self.recipe.threads or os.cpu_count() or 1
        each = replace(self.recipe, threads=math.ceil(threads / len(self.header.variables)))

        def make(name: str) -> None:
            field = loaded(read[[name]], each)[name]
            _check(field, self.header, read)
            write_shard(
                self.working_path,
                self.header,
                group,
                name,
                field.values,
                existing=self.target,
                base=self.base,
            )

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(make, self.header.variables))
        return group


def _statics(
    recipe: Recipe,
    names: Sequence[str],
    template: xr.Dataset,
    time: np.datetime64,
    downloads: Path,
    task: Task | None,
) -> xr.Dataset:
    """The statics on the dataset's grid, from the files first, then from the source; loaded."""
    grid = grid_of(template, recipe.source)
    in_files = _found_in(recipe.statics)
    names = sorted({*names, *(variables_of(task)[1] if task else in_files)})
    given = [name for name in names if name in in_files]
    found = read_statics(recipe.statics, given, grid) if given else xr.Dataset()
    rest = [name for name in names if name not in found]
    if not rest:
        return found
    series = source_of(recipe)
    there = [n for n in rest if series.names is None or n in series.names]
    stored = series.at(np.array([time]), there, downloads) if there else xr.Dataset()
    missing = [name for name in rest if name not in stored]
    if missing:
        raise ValueError(
            f"a dataset for task {task.name if task else 'graphcast'!r} needs"
            f" {', '.join(missing)}, which {recipe.source} lacks; name a file that has them"
            " (--statics)"
        )
    own = loaded(stored, recipe).drop_vars("time", errors="ignore")
    placed = own.map(lambda a: a.isel(time=0, drop=True) if "time" in a.dims else a)
    return found.merge(statics_on(placed, grid), join="override")


def _found_in(files: Sequence[str]) -> frozenset[str]:
    """The statics that files have."""
    names = frozenset().union(*(open_series(path).names or frozenset() for path in files))
    return frozenset(name for name in names if VARIABLES[name].kind == "static")


def _header(
    recipe: Recipe,
    task: Task | None,
    template: xr.Dataset,
    fixed: xr.Dataset,
    group_bytes: int,
) -> DatasetHeader:
    grid = grid_of(template, recipe.source)
    digest = hashlib.sha256()
    for name in sorted(str(name) for name in fixed.data_vars):
        digest.update(fixed[name].values.astype(np.float32).tobytes())
    notes = [
        (str(n), str(a.attrs.get("cell_methods", "")), str(a.attrs.get("provenance", "")))
        for n, a in [*template.data_vars.items(), *fixed.data_vars.items()]
    ]
    asked = {k: v for k, v in asdict(recipe).items() if k != "threads"}
    made = {"recipe": asked, "task": None if task is None else json.loads(task.to_json())}
    repeated = (
        "One analysis stands at both times: there was no other. It was repeated on request, and"
        " its tendencies are zero."
    )
    return DatasetHeader(
        variables=recipe.variables,
        statics=tuple(sorted(str(name) for name in fixed.data_vars)),
        levels=tuple(int(level) for level in template["level"]) if "level" in template else (),
        latitude=grid.latitude,
        longitude=grid.longitude,
        title="Analyses for GraphCast",
        source=source_of(recipe).credit,
        comment=repeated if recipe.repeat_single else "",
        notes=tuple(note for note in sorted(notes) if note[1:] != ("", "")),
        statics_sha256=digest.hexdigest() if fixed.data_vars else "",
        test_period=task.test_period if task else "",
        provenance=json.dumps(made, sort_keys=True),
        group_bytes=group_bytes,
    )


def _check(array: xr.DataArray, header: DatasetHeader, read: xr.Dataset) -> None:
    """Refuse gaps, wrong units and another grid, naming the time; ``read`` has all variables."""
    if not grid_of(array).matches(LatLonGrid(header.latitude, header.longitude)):
        raise ValueError(
            "all times of a dataset share one grid, and another comes at"
            f" {hour(array['time'].values[0])}; regrid to one (--grid)"
        )
    try:
        check_values(array)
    except ValueError:
        _check_each_time(array, read)
        raise


def _check_each_time(array: xr.DataArray, read: xr.Dataset) -> None:
    for index, time in enumerate(array["time"].values):
        try:
            check_values(array.isel(time=[index]))
        except ValueError as error:
            remedy = _levels_that_are_whole(read)
            raise ValueError(f"at {hour(time)}: {error}{remedy}") from error


def _levels_that_are_whole(read: xr.Dataset) -> str:
    """What to ask for where a variable is not there on some of the levels; else nothing."""
    if "level" not in read.dims:
        return ""
    upper = read[[name for name, array in read.items() if "level" in array.dims]]
    there = upper.notnull().any(("latitude", "longitude")).to_array().all(("variable", "time"))
    whole = read["level"].values[there.values]
    if not 0 < whole.size < read.sizes["level"]:
        return ""
    return f", or ask for the levels that all have (--levels {','.join(map(str, whole))})"


def _remove_if_empty(partial: Path) -> None:
    """Leave nothing behind of a request that could not begin, or was killed at its very end."""
    for folder in (partial / DOWNLOADS, partial):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
