"""The recipe of a dataset: its source, and what is done to it."""

from dataclasses import dataclass, replace
from pathlib import Path

from data.forcings import FORCINGS
from data.sources import Series
from data.task import LEVELS_13, TASKS, Task
from data.variables import VARIABLES


@dataclass(frozen=True)
class Recipe:
    """The source of a dataset, and what is done to it.

    Attributes:
        source: a name of `data.sources.SERIES`, `name@mirror`, a URL, a file or a folder.
        variables: of the catalogue, varying in time; `prepare` fills them in.
        levels: hPa; None for those of the task or of the source.
        interpolate_levels: whether levels that the source lacks are interpolated.
        grid: a resolution in degrees, N48, or a file on that grid; None for the source's.
        method: how to regrid, one of `data.regrid.METHODS`.
        statics: files to take statics from before the source is asked.
        repeat_single: whether the only time of the source also stands one step earlier.
    """

    source: str
    variables: tuple[str, ...] = ()
    levels: tuple[int, ...] | None = None
    interpolate_levels: bool = False
    grid: str | None = None
    method: str = "conservative"
    statics: tuple[str, ...] = ()
    repeat_single: bool = False

    def with_whole_paths(self) -> "Recipe":
        """The recipe with absolute paths, for workers that run in another folder."""
        grid = None if self.grid is None else _whole_path(self.grid)
        return replace(self, source=_whole_path(self.source), grid=grid)


def variables_of(task: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The variables of a dataset for a task: those that vary in time, and the statics; each sorted.

    Forcings that can be computed from the date are not among them.
    """
    needed = {*task.inputs, *task.targets, *task.forcings} - FORCINGS.keys()
    varying = sorted(name for name in needed if VARIABLES[name].varies_in_time)
    return tuple(varying), tuple(sorted(needed - {*varying}))


def completed(recipe: Recipe, series: Series, task: Task | None) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe with its variables and levels, and the names of the statics.

    They are those of the task. Without a task they are all variables of the source that the
    catalogue knows, or, for a service, those of the published task on 13 levels.

    Raises:
        ValueError: the source has no variable that the catalogue knows.
    """
    if task is None and series.names is None:
        task = replace(TASKS["graphcast"], levels=LEVELS_13)
    if task is not None:
        varying, statics = variables_of(task)
        levels = recipe.levels or task.levels or None
        return replace(recipe, variables=varying, levels=levels), statics
    assert series.names is not None  # only a service has None, and it got a task
    known = sorted(series.names - FORCINGS.keys())
    varying = tuple(name for name in known if VARIABLES[name].varies_in_time)
    if not varying:
        raise ValueError(
            f"a dataset holds variables that data/variables.py knows, and {recipe.source} has none"
        )
    return replace(recipe, variables=varying), tuple(n for n in known if n not in varying)


def _whole_path(name: str) -> str:
    return str(Path(name).absolute()) if Path(name).exists() else name
