"""The start of one forecast: two frames of the inputs, and the forcings that files give, checked.

`window` is the place where a person's data meet the model, so it is strict: two frames exactly one
step of the task apart, every variable and level of the task, no gaps, the whole globe, and numbers
that are possible in their units. Every fault ends in one sentence that says the rule, what came and
what would do. Only the two frames are read, in the variables and on the levels of the task.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from data.file_forcings import FileForcings, loaded
from data.grids import grid_of
from data.init_time import initial_time
from data.plausibility import check_values
from data.requirements import check_has_levels, check_has_variables, check_units
from data.task import Task
from data.variables import VARIABLES
from data.wording import listed
from mesh.grid import LatLonGrid


@dataclass(frozen=True)
class Window:
    """The checked start of one forecast.

    Attributes:
        task: what the model reads and predicts.
        init_time: the time of the later frame, UTC.
        frames: every input of the task at `init_time - task.step` and `init_time`, loaded, float32:
            (time, level, latitude, longitude), statics (latitude, longitude), clocks on the
            dimensions that they vary in.
        later_forcings: the task's forcings after `init_time` that files give, lazy.
        provenance: one note for each variable that was not simply read.
    """

    task: Task
    init_time: np.datetime64
    frames: xr.Dataset
    later_forcings: FileForcings
    provenance: tuple[str, ...]

    @property
    def grid(self) -> LatLonGrid:
        """The grid of the frames."""
        return grid_of(self.frames)

    def forcing_frame(self, time: np.datetime64) -> xr.Dataset:
        """All forcings of the task at a time after the start, float32: read, or else computed.

        Raises:
            ValueError: a forcing in a file has gaps at that time or cannot be in its unit.
        """
        return self.later_forcings.frame(
            self.task.forcings, time.astype("datetime64[ns]"), self.frames
        )

    def check_forcings(self, steps: int) -> None:
        """Read the forcings that files give for the next steps, before the first one is made.

        Raises:
            ValueError: a forcing of one of the steps has gaps or cannot be in its unit.
        """
        for step in range(1, steps + 1):
            self.later_forcings.read(self.task.forcings, self.init_time + step * self.task.step)


def window(
    dataset: xr.Dataset,
    task: Task,
    *,
    init_time: np.datetime64 | None = None,
    forcings: xr.Dataset | None = None,
) -> Window:
    """The checked start of a forecast.

    Forcings of the input frames come from `dataset` if it has them, else from `forcings`; at later
    times `forcings` goes first. A forcing that neither has is computed.

    Args:
        dataset: canonical analyses.
        task: what the model reads.
        init_time: the time of the later input frame. Without it `dataset` must hold exactly two
            times.
        forcings: a canonical Dataset with forcings of the task.

    Raises:
        ValueError: in one sentence, for wrong times, missing variables or levels, gaps, units that
            cannot be what they should be, and grids that are not global or do not agree.
    """
    init = check_labels(dataset, task, init_time=init_time, forcings=forcings)
    times = [init - task.step, init]
    wanted = _required(dataset, task)
    clocks = [name for name in task.inputs if name not in wanted]
    frames = loaded(_selected(dataset[wanted], times, task))
    for name in wanted:
        check_values(frames[name])
    in_files = FileForcings.in_files(
        {"the forcings": forcings, "the inputs": dataset}, task.forcings
    )
    if clocks:
        at_times = [in_files.frame(clocks, time, frames) for time in times]
        frames = frames.assign(xr.concat(at_times, "time").data_vars)
    later = in_files.after(init)
    notes = [
        *(f"{n}: {note}" for n in wanted if (note := frames[n].attrs.get("provenance"))),
        *(f"{n}: {_origin_in_frames(n, in_files, times)} for the input frames" for n in clocks),
        *(f"{n}: {later.origin(n)}" for n in task.forcings),
    ]
    frames = frames[list(task.inputs)]
    described = {
        name: frames[name].assign_attrs(VARIABLES[name].attributes) for name in task.inputs
    }
    return Window(task, init, frames.assign(described), later, tuple(notes))


def check_labels(
    dataset: xr.Dataset,
    task: Task,
    *,
    init_time: np.datetime64 | None = None,
    forcings: xr.Dataset | None = None,
) -> np.datetime64:
    """All that `window` checks without reading values: times, grids, variables, levels and units.

    Returns:
        The init time that `window` will use.

    Raises:
        ValueError: as `window`, for all but the values.
    """
    init = initial_time(dataset, task.step, init_time)
    grid = grid_of(dataset)
    if forcings is not None:
        _check_same_grid(grid, grid_of(forcings, "the forcings"))
    required = _required(dataset, task)
    check_has_variables(dataset, required, task)
    check_has_levels(dataset, required, task)
    check_units(dataset, required)
    files = {"the forcings": forcings, "the inputs": dataset}
    FileForcings.in_files(files, task.forcings)  # raises if one is in another unit
    return init


def _required(dataset: xr.Dataset, task: Task) -> list[str]:
    """The inputs that are read: all but forcings that the file lacks, which are computed."""
    return [name for name in task.inputs if name in dataset or name not in task.forcings]


def _selected(dataset: xr.Dataset, times: Sequence[np.datetime64], task: Task) -> xr.Dataset:
    """The task's levels at these times."""
    wanted: dict[str, Sequence[object]] = {"time": times, "level": task.levels}
    return dataset.sel({dim: list(v) for dim, v in wanted.items() if dim in dataset.dims})


def _origin_in_frames(name: str, in_files: FileForcings, times: Sequence[np.datetime64]) -> str:
    return "read from the forcings" if in_files.gives(name, times) else "computed"


def _check_same_grid(inputs: LatLonGrid, forcings: LatLonGrid) -> None:
    if not inputs.matches(forcings):
        raise ValueError(
            f"inputs and forcings must share one grid, and these are {_described(inputs)} in the"
            f" inputs, {_described(forcings)} in the forcings; regrid one of them, or leave the"
            " forcings away, and they are computed"
        )


def _described(grid: LatLonGrid) -> str:
    latitude, longitude = (listed(axis, 3) for axis in (grid.latitude, grid.longitude))
    return f"{grid} (latitudes {latitude}, longitudes {longitude})"
