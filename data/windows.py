"""What one forecast starts from, checked.

``window`` is the place where a person's data meet the model, so it is strict: two frames exactly
six hours apart, every variable and level of the task, no gaps, the whole globe, and numbers that
can be what they claim to be. Everything wrong ends in one sentence that says the rule, what came
and what would do. Only the two frames' variables and levels are read.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from data.forcings import FORCINGS, forcing_frame
from data.plausibility import check_values
from data.task import INPUT_FRAMES, STEP, Task
from data.variables import VARIABLES

_LISTED = 6  # how many times, variables or places a sentence names before it says "..."


@dataclass(frozen=True)
class Window:
    """What one forecast starts from.

    ``frames``: the two input times (``init_time - 6 h``, ``init_time``), every input of the task as
    loaded float32: (time, level, latitude, longitude), statics (latitude, longitude), clocks on
    the dimensions that they vary in. ``found``: forcing variables that files give for later times
    (lazy; perhaps none), one Dataset for each file, those first that go before others.
    ``provenance``: what was not simply read, one note for each variable.
    """

    task: Task
    init_time: np.datetime64
    frames: xr.Dataset
    found: tuple[xr.Dataset, ...]
    provenance: tuple[str, ...]

    def forcing_frame(self, time: np.datetime64) -> xr.Dataset:
        """All forcings of the task at one time, float32: found in a file, or else computed."""
        return _forcings_at(self.task.forcings, _nanoseconds(time), self.found, self.frames)

    def check_forcings(self, steps: int) -> None:
        """Raise ValueError if forcings that a file gives for one of the next steps cannot be used.

        What is missing in the last of forty steps is so known before the first.
        """
        for step in range(1, steps + 1):
            _read_forcings(self.task.forcings, self.init_time + step * STEP, self.found)


def window(
    dataset: xr.Dataset,
    task: Task,
    *,
    init_time: np.datetime64 | None = None,
    forcings: xr.Dataset | None = None,
) -> Window:
    """The checked start of a forecast from a canonical Dataset.

    Without ``init_time`` the Dataset must hold two times, and the later one is it. Forcings of the
    input frames come from ``dataset`` if it has them, else from the canonical Dataset ``forcings``
    if given; those of later times the other way round. What neither has is computed.

    Raises ValueError, in one sentence, for wrong times, missing variables or levels, gaps, units
    that cannot be what they should be, and grids that are not global or do not agree.
    """
    init = check_labels(dataset, task, init_time=init_time, forcings=forcings)
    times = [init - STEP, init]
    wanted = _wanted(dataset, task)
    clocks = [name for name in task.inputs if name not in wanted]
    selection: dict[str, Sequence[object]] = {"time": times}
    if "level" in dataset.dims:
        selection["level"] = list(task.levels)
    read = dataset[wanted].sel({d: v for d, v in selection.items() if d in dataset[wanted].dims})
    notes = [f"{n}: {read[n].attrs['provenance']}" for n in wanted if "provenance" in read[n].attrs]
    frames = _loaded(read)
    for name in wanted:
        check_values(frames[name])
    files = {"the forcings": forcings, "the inputs": dataset}
    given = {name: _given(file, task.forcings) for name, file in files.items() if file is not None}
    for name in clocks:
        there = [name in _sources([name], time, tuple(given.values())) for time in times]
        notes.append(
            f"{name}: {'read from the forcings' if all(there) else 'computed'} for the input frames"
        )
    if clocks:
        at_times = [_forcings_at(clocks, time, tuple(given.values()), frames) for time in times]
        frames = frames.assign(xr.concat(at_times, "time").data_vars)
    found = {name: _after(init, file) for name, file in given.items()}
    notes += [f"{name}: {_origin(name, found)}" for name in task.forcings]
    return Window(
        task, init, _described(frames[list(task.inputs)]), tuple(found.values()), tuple(notes)
    )


def check_labels(
    dataset: xr.Dataset,
    task: Task,
    *,
    init_time: np.datetime64 | None = None,
    forcings: xr.Dataset | None = None,
) -> np.datetime64:
    """What `window` checks before it reads values: times, grids, variables, levels and units.

    Returns:
        the init time that `window` will use.

    Raises:
        ValueError: as `window`, for all but the values.
    """
    init = initial_time(dataset, init_time)
    _check_global(dataset)
    if forcings is not None:
        _check_same_grid(dataset, forcings)
    wanted = _wanted(dataset, task)
    _check_has_variables(dataset, wanted, task)
    _check_has_levels(dataset, wanted, task)
    _check_units(dataset, wanted)
    for file in (forcings, dataset):
        if file is not None:
            _given(file, task.forcings)
    return init


def _wanted(dataset: xr.Dataset, task: Task) -> list[str]:
    """The inputs that the file must hold: all but the forcings that can be computed."""
    return [name for name in task.inputs if name in dataset or name not in task.forcings]


def _times(dataset: xr.Dataset) -> np.ndarray:
    if "time" not in dataset.coords or not dataset["time"].ndim:
        raise ValueError(
            "a forecast starts from two frames 6 h apart, and the file gives no times; give one"
            " with a time axis"
        )
    return dataset["time"].values.astype("datetime64[ns]")


def initial_time(dataset: xr.Dataset, asked: np.datetime64 | None) -> np.datetime64:
    """The time that a forecast from a canonical Dataset starts at.

    The one asked for, or the last of exactly two times 6 h apart; ValueError if there is none.
    """
    times = _times(dataset)
    rule = "a forecast starts from two frames 6 h apart"
    if times.size < INPUT_FRAMES:
        only = times[0] if times.size else None
        came = "no time" if only is None else f"one time, {_hour(only)}"
        add = "" if only is None else f": add {_hour(only - STEP)} or {_hour(only + STEP)}"
        raise ValueError(f"{rule}, and the file holds {came}{add}")
    known = set(times.tolist())
    possible = [t for t in times if (t - STEP).astype("datetime64[ns]").astype(int) in known]
    if not possible:
        gaps = sorted({f"{_hours(gap):g}" for gap in np.diff(times)}, key=float)
        raise ValueError(
            f"{rule}, and the times of the file ({_some(map(_hour, times))}) are"
            f" {' or '.join(_some_list(gaps))} h apart; give a 6-hourly series"
        )
    if asked is None:
        if times.size == INPUT_FRAMES:
            return _nanoseconds(times[-1])
        raise ValueError(
            f"{rule}, and the file holds {times.size} times; name one of these as the initial time"
            f" (--init-time): {_some(map(_hour, possible))}"
        )
    init = _nanoseconds(asked)
    if init in possible:
        return init
    missing = init if init not in times else init - STEP
    raise ValueError(
        f"{rule}, and for a forecast from {_hour(init)} the file has no {_hour(missing)}; it can"
        f" start from {_some(map(_hour, possible))}"
    )


def _check_has_variables(dataset: xr.Dataset, wanted: Iterable[str], task: Task) -> None:
    missing = [name for name in wanted if name not in dataset]
    if not missing:
        return
    has = sorted(str(name) for name in dataset.data_vars)
    hints = "".join(dict.fromkeys(_hint(name, dataset, has) for name in missing))
    raise ValueError(
        f"task {task.name!r} starts from variables that the file must hold, and it lacks"
        f" {', '.join(missing)}{hints}; the file has {', '.join(has)}"
    )


def _hint(name: str, dataset: xr.Dataset, has: list[str]) -> str:
    if name == "total_precipitation_6hr":
        others = [n for n in has if n.startswith(("tp", "total_precipitation", "precipitation"))]
        if others:
            return (
                f" ({others[0]} is no sum over six hours as far as the file says: an hour's, as in"
                " ERA5, must be summed over six; one that is six-hourly must say so in its name or"
                " as cell_methods 'time: sum (interval: 6 hours)')"
            )
    if name == "specific_humidity" and "relative_humidity" in dataset:
        return (
            " (it can be derived from relative_humidity in % and temperature, and the file does"
            " not give both with a unit)"
        )
    if VARIABLES[name].kind == "static":
        return " (constant in time, but part of every input: add it once, without a time axis)"
    near = difflib.get_close_matches(name, [n for n in has if n not in VARIABLES], n=1)
    return f" (is it {near[0]!r}?)" if near else ""


def _check_has_levels(dataset: xr.Dataset, wanted: Iterable[str], task: Task) -> None:
    if not any(VARIABLES[name].on_levels for name in wanted):
        return
    has = set(dataset["level"].values.tolist()) if "level" in dataset.dims else set()
    missing = [level for level in task.levels if level not in has]
    if missing:
        came = ", ".join(str(int(level)) for level in sorted(has)) or "no levels"
        raise ValueError(
            f"task {task.name!r} starts from {len(task.levels)} pressure levels, and the file lacks"
            f" {', '.join(map(str, missing))} hPa; it has {came}: add them, or choose a model with"
            " these levels"
        )


def _check_units(dataset: xr.Dataset, wanted: Iterable[str]) -> None:
    for name in wanted:
        stated = dataset[name].attrs.get("units", VARIABLES[name].units)
        if stated != VARIABLES[name].units:
            raise ValueError(
                f"{name} must be in {VARIABLES[name].units}, and the file states {stated!r}, which"
                " data/canonical/conventions.py cannot convert; convert it first"
            )


def _check_global(dataset: xr.Dataset) -> None:
    longitude = np.asarray(dataset["longitude"].values, dtype=np.float64)
    latitude = np.asarray(dataset["latitude"].values, dtype=np.float64)
    around = np.diff(longitude, append=longitude[:1] + 360)
    # a tenth of the spacing: files round their coordinates, a missing column doubles one spacing
    if longitude.size < 2 or np.ptp(around) > 0.1 * around.min():
        raise ValueError(
            "longitude must go around the globe in equal steps, and it runs from"
            f" {longitude[0]:g}° to {longitude[-1]:g}° in {longitude.size} columns with steps from"
            f" {around.min():g}° to {around.max():g}°; give the whole globe"
        )
    # Without poles the outermost row lies half a row away from them, on Gaussian grids 0.8.
    spacing = np.diff(latitude).max() if latitude.size > 1 else 0.0
    if 90 - latitude[-1] > 1.1 * spacing or latitude[0] + 90 > 1.1 * spacing:
        raise ValueError(
            f"latitude must go from pole to pole, and it runs from {latitude[0]:g}° to"
            f" {latitude[-1]:g}° in steps of {spacing:g}°; give the whole globe"
        )


def _check_same_grid(dataset: xr.Dataset, forcings: xr.Dataset) -> None:
    for axis in ("latitude", "longitude"):
        ours, theirs = dataset[axis].values, forcings[axis].values
        # 1e-3°: the coarsest rounding of coordinates in use, GRIB1's
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=0, atol=1e-3):
            raise ValueError(
                f"inputs and forcings must share one grid, and {axis} is {_axis(ours)} in the"
                f" inputs, {_axis(theirs)} in the forcings; regrid one of them, or leave the"
                " forcings away, and they are computed"
            )


def _given(file: xr.Dataset, forcings: Iterable[str]) -> xr.Dataset:
    """The forcing variables that a file gives along time."""
    names = [name for name in forcings if name in file and "time" in file[name].dims]
    _check_units(file, names)
    return file[names]


def _after(init: np.datetime64, given: xr.Dataset) -> xr.Dataset:
    if "time" not in given.dims:
        return given
    later = given.isel(time=np.flatnonzero(given["time"].values > init))
    return later if later.sizes["time"] else later.drop_dims("time")


def _origin(name: str, found: dict[str, xr.Dataset]) -> str:
    origins = [
        f"read from {file} for {_hour(times[0])} … {_hour(times[-1])}"
        for file, dataset in found.items()
        if name in dataset and (times := dataset["time"].values).size
    ]
    if not origins:
        return "computed for later times"
    return ", else ".join(origins) + (", computed beyond" if name in FORCINGS else "")


def _forcings_at(
    names: Sequence[str], time: np.datetime64, found: Sequence[xr.Dataset], frames: xr.Dataset
) -> xr.Dataset:
    """Forcings at one time, read where a file gives them and else computed, on the frames' grid."""
    latitude, longitude = frames["latitude"], frames["longitude"]
    read = _read_forcings(names, time, found)
    computed = [name for name in names if name not in read]
    frame = forcing_frame(computed, time, latitude.values, longitude.values).assign(read)
    # Selected first: clocks alone would lose the coordinates that they do not vary in.
    return frame[list(names)].assign_coords(latitude=latitude, longitude=longitude)


def _read_forcings(
    names: Iterable[str], time: np.datetime64, found: Sequence[xr.Dataset]
) -> dict[str, xr.Variable]:
    """Those forcings that a file gives at a time, checked.

    Without coordinates: they agree with the inputs' to rounding, and the inputs' count.
    """
    read = {}
    for name, source in _sources(names, time, found).items():
        array = _loaded(source[[name]].sel(time=[time]))[name]
        check_values(array)
        read[name] = array.isel(time=0).variable
    return read


def _sources(
    names: Iterable[str], time: np.datetime64, found: Sequence[xr.Dataset]
) -> dict[str, xr.Dataset]:
    """The first Dataset that has each name at the time."""
    sources: dict[str, xr.Dataset] = {}
    for dataset in reversed(found):
        if "time" in dataset.coords and (dataset["time"].values == time).any():
            sources |= {name: dataset for name in names if name in dataset}
    return sources


def _loaded(dataset: xr.Dataset) -> xr.Dataset:
    try:
        dataset = dataset.load()
    except Exception as error:  # each format's library has its own; all mean the same here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"the fields of the input could not be read ({reason}); fetch the file again"
        ) from error
    return dataset.map(lambda array: array.astype(np.float32), keep_attrs=True)


def _described(frames: xr.Dataset) -> xr.Dataset:
    return frames.assign(
        {name: frames[name].assign_attrs(VARIABLES[str(name)].attributes) for name in frames}
    )


def _axis(values: np.ndarray) -> str:
    return f"{values[0]:g}° … {values[-1]:g}° in {values.size} steps"


def _nanoseconds(time: np.datetime64) -> np.datetime64:
    same: np.datetime64 = time.astype("datetime64[ns]")
    return same


def _hour(time: np.datetime64) -> str:
    """``2024-06-03T06``, with minutes only where there are any."""
    whole = time.astype("datetime64[h]")
    return str(whole if whole == time else time.astype("datetime64[m]"))


def _hours(gap: np.timedelta64) -> float:
    return float(gap / np.timedelta64(1, "h"))


def _some(items: Iterable[str]) -> str:
    return ", ".join(_some_list(list(items)))


def _some_list(items: list[str]) -> list[str]:
    if len(items) <= _LISTED:
        return items
    return [*items[: _LISTED - 1], "...", items[-1]]
