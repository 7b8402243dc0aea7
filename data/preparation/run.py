"""From a source of analyses to a training dataset: names, levels, grid, checks, store.

Times go in groups (`DatasetHeader.group_times`). One group is read, put on its levels and grid,
checked, written and freed, so memory does not depend on the number of groups.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from data.canonical.preliminary import preliminary_remark
from data.doctor import Examination
from data.grids import grid_of
from data.malloc import share_arena
from data.preparation.checks import check_field
from data.preparation.door import Door
from data.preparation.opened import Opened
from data.preparation.recipe import Recipe, completed, variables_of
from data.preparation.statics import read_statics, statics_on
from data.sources import Series, open_series
from data.sources.network import download
from data.stores.analyses.files import write_shard
from data.stores.analyses.header import GROUP_BYTES, DatasetHeader
from data.stores.analyses.store import (
    DOWNLOADS,
    DatasetStore,
    check_target,
    is_complete,
)
from data.stores.partial import partial_path
from data.stores.workers import Fleet
from data.task import STEP, Task
from data.variables import VARIABLES

_PACKAGES = ("graphcast", "xarray", "zarr", "numcodecs", "numpy")
_REPEATED = (
    "One analysis stands at both times: there was no other. It was repeated on request, and"
    " its tendencies are zero."
)


class Prepared(NamedTuple):
    """The dataset that `prepare` leaves at `path`.

    Attributes:
        path: the store.
        header: what it is of.
        times: all its times.
        written: how many of them this run wrote.
        examination: what the input doctor found; None where all was there already.
    """

    path: Path
    header: DatasetHeader
    times: np.ndarray
    written: int
    examination: Examination | None = None

    @property
    def stored_bytes(self) -> int:
        """Size of its files."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())

    @property
    def lacking_statics(self) -> list[str]:
        """Statics that GraphCast's tasks need and the dataset lacks."""
        needed = ("geopotential_at_surface", "land_sea_mask")
        return [name for name in needed if name not in self.header.statics]


def prepare(  # noqa: PLR0913  what a dataset depends on
    recipe: Recipe,
    output: str | os.PathLike[str],
    *,
    times: np.ndarray | None = None,
    task: Task | None = None,
    force: bool = False,
    overwrite: bool = False,
    group_bytes: int = GROUP_BYTES,
    fleet: Fleet | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Prepared:
    """Write the analyses of a source as a training dataset, or add times to one.

        recipe = Recipe("weatherbench2-era5", grid="1.0")
        times = time_range("2018-01-01/2018-12-31T18/6h").times
        prepare(recipe, "era5_2018.zarr", times=times, task=TASKS["graphcast_small"])

    Called again after an interruption, it resumes and ends with the bytes of an uninterrupted run.
    A dataset that was made the same way and has exactly these times is left as it is.

    Args:
        recipe: what the dataset is made from, and how.
        output: the Zarr store to write.
        times: datetime64, ascending; None for all that the source has.
        task: whose variables and levels to store; without one, all that the catalogue knows of the
            source.
        force: whether to go on after an error that the input doctor finds.
        overwrite: whether another dataset at `output` is replaced.
        group_bytes: the largest size of a group, which is what one worker makes at a time.
        fleet: the workers that make the groups; by default this process.
        report: called as `report(done, total)` with counts of times.

    Raises:
        FileExistsError: another dataset is at `output`, or it has later times, or something else
            is there.
        ValueError, OSError: anything wrong with the source, the request or the output.
    """
    fleet = fleet or Fleet()
    share_arena()
    output = Path(output).absolute()
    check_target(output)
    downloads = partial_path(output) / DOWNLOADS
    series = open_series(recipe.source)
    recipe, statics = completed(recipe, series, task)
    opened = Opened.with_series(recipe, series)
    wanted = opened.times(times, STEP if task is None else task.step)
    try:
        template = opened.fields(wanted[:1], downloads)
        fixed = _statics(opened, statics, template, wanted[0], downloads, task)
        header = _header(opened, task, template, fixed, group_bytes)
        header = replace(header, remarks="\n".join(_remarks(series, wanted)))
    finally:
        _remove_if_empty(partial_path(output))
    values = {str(name): array.values.astype(np.float32) for name, array in fixed.items()}
    versions = {name: version(name) for name in _PACKAGES}
    if not overwrite and is_complete(output, header, wanted):
        return Prepared(output, header, wanted, 0)
    with DatasetStore.open_or_create(
        output, header, wanted, values, versions=versions, overwrite=overwrite
    ) as store:
        threads = max(1, (os.cpu_count() or 1) // fleet.workers)
        work = Work(opened, header, store.working_path, output, store.base, downloads, threads)
        door = Door(store, recipe.source, force=force)
        written = _make_groups(store, work, fleet, report, door)
        examination = door.close()
        store.finish()
    return Prepared(output, header, wanted, written, examination)


def _make_groups(
    store: DatasetStore,
    work: "Work",
    fleet: Fleet,
    report: Callable[[int, int], None],
    door: Door,
) -> int:
    """Make and commit the missing groups; returns the number of their times."""
    jobs = {group: store.group_times(group) for group in store.missing}
    waiting = sorted(jobs)
    total = store.times.size
    before = done = total - sum(times.size for times in jobs.values())
    report(done, total)
    door.look()
    with closing(fleet.run(work, jobs)) as made:
        for group in made:
            store.commit(group)
            door.look()
            done += jobs[group].size
            waiting.remove(group)
            if waiting:  # precipitation of a group's first time may come from the day before
                earliest = jobs[waiting[0]][0].astype("datetime64[D]") - np.timedelta64(1, "D")
                download.forget(work.downloads, str(earliest).replace("-", ""))
            report(done, total)
    return done - before


@dataclass(frozen=True)
class Work:
    """Everything needed to make any one group of a dataset, in any process.

    Attributes:
        opened: the recipe and its source; another process opens it anew.
        header: the dataset's.
        working_path: the store under construction.
        target: the dataset that times are added to.
        base: how many times are in the target already.
        downloads: where services keep what they fetch.
        threads: how many threads one process may use.
    """

    opened: Opened
    header: DatasetHeader
    working_path: Path
    target: Path
    base: int
    downloads: Path
    threads: int

    def __call__(self, group: int, times: np.ndarray) -> int:
        """Read, check and write those times of a group that are not in the target yet.

        One thread for each variable, and the threads left over help to read each.
        """
        share_arena()  # this may be another process than the one that called `prepare`
        fields = self.opened.fields(times, self.downloads)
        readers = math.ceil(self.threads / len(self.header.variables))

        def make(name: str) -> None:
            field = self.opened.loaded(fields[[name]], readers)[name]
            check_field(field, self.header, fields)
            write_shard(
                self.working_path,
                self.header,
                group,
                name,
                field.values,
                existing=self.target,
                base=self.base,
            )

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(make, self.header.variables))
        return group


def _statics(
    opened: Opened,
    names: Sequence[str],
    template: xr.Dataset,
    time: np.datetime64,
    downloads: Path,
    task: Task | None,
) -> xr.Dataset:
    """The statics on the dataset's grid, from the recipe's files or else the source; loaded."""
    recipe, series = opened.recipe, opened.series
    grid = grid_of(template, recipe.source)
    in_files = _static_names(recipe.statics)
    names = sorted({*names, *(variables_of(task)[1] if task else in_files)})
    from_files = [name for name in names if name in in_files]
    result = read_statics(recipe.statics, from_files, grid) if from_files else xr.Dataset()
    rest = [name for name in names if name not in result]
    if not rest:
        return result
    in_source = [n for n in rest if series.names is None or n in series.names]
    stored = series.at(np.array([time]), in_source, downloads) if in_source else xr.Dataset()
    missing = [name for name in rest if name not in stored]
    if missing:
        raise ValueError(
            f"a dataset for task {task.name if task else 'graphcast'!r} needs"
            f" {', '.join(missing)}, which {recipe.source} lacks; name a file that has them"
            " (`statics`)"
        )
    loaded = opened.loaded(stored, os.cpu_count() or 1).drop_vars("time", errors="ignore")
    constant = loaded.map(lambda a: a.isel(time=0, drop=True) if "time" in a.dims else a)
    return result.merge(statics_on(constant, grid), join="override")


def _static_names(files: Sequence[str]) -> frozenset[str]:
    names = frozenset().union(*(open_series(path).names or frozenset() for path in files))
    return frozenset(name for name in names if VARIABLES[name].kind == "static")


def _header(
    opened: Opened,
    task: Task | None,
    template: xr.Dataset,
    fixed: xr.Dataset,
    group_bytes: int,
) -> DatasetHeader:
    recipe = opened.recipe
    grid = grid_of(template, recipe.source)
    digest = hashlib.sha256()
    for name in sorted(str(name) for name in fixed.data_vars):
        digest.update(fixed[name].values.astype(np.float32).tobytes())
    notes = [
        (str(n), str(a.attrs.get("cell_methods", "")), str(a.attrs.get("provenance", "")))
        for n, a in [*template.data_vars.items(), *fixed.data_vars.items()]
    ]
    made = {
        "recipe": asdict(recipe),
        "task": None if task is None else json.loads(task.to_json()),
    }
    return DatasetHeader(
        variables=recipe.variables,
        statics=tuple(sorted(str(name) for name in fixed.data_vars)),
        levels=tuple(int(level) for level in template["level"]) if "level" in template else (),
        latitude=grid.latitude,
        longitude=grid.longitude,
        title="Analyses for GraphCast",
        source=opened.series.credit,
        comment=_REPEATED if recipe.repeat_single else "",
        notes=tuple(note for note in sorted(notes) if note[1:] != ("", "")),
        statics_sha256=digest.hexdigest() if fixed.data_vars else "",
        test_period=task.test_period if task else "",
        provenance=json.dumps(made, sort_keys=True),
        simulated_by=opened.series.simulated_by,
        group_bytes=group_bytes,
    )


def _remarks(series: Series, times: np.ndarray) -> tuple[str, ...]:
    """What the series left out, and which of the dataset's times are preliminary."""
    early = preliminary_remark(np.intersect1d(series.preliminary, times), times.size)
    return tuple(filter(None, (*series.remarks, early)))


def _remove_if_empty(partial: Path) -> None:
    """Remove the empty folders of a request that could not begin, or was killed at its end."""
    for folder in (partial / DOWNLOADS, partial):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
