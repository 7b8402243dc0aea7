"""The requirements of a task on the Dataset that a forecast starts from: variables, levels, units.

Each check raises one `ValueError` that names everything missing at once.
"""

import difflib
from collections.abc import Iterable

import xarray as xr

from data.task import Task
from data.variables import VARIABLES
from data.wording import listed


def check_has_variables(dataset: xr.Dataset, wanted: Iterable[str], task: Task) -> None:
    """Refuse a canonical Dataset that lacks a variable, with a hint at what it may be called."""
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


def check_has_levels(dataset: xr.Dataset, wanted: Iterable[str], task: Task) -> None:
    """Refuse a canonical Dataset that lacks one of the task's levels."""
    if not any(VARIABLES[name].on_levels for name in wanted):
        return
    has = set(dataset["level"].values.tolist()) if "level" in dataset.dims else set()
    missing = [level for level in task.levels if level not in has]
    if missing:
        came = listed(sorted(has), len(has)) or "no levels"
        raise ValueError(
            f"task {task.name!r} starts from {len(task.levels)} pressure levels, and the file lacks"
            f" {', '.join(map(str, missing))} hPa; it has {came}: add them, or choose a model with"
            " these levels"
        )


def check_units(dataset: xr.Dataset, wanted: Iterable[str]) -> None:
    """Refuse variables whose stated unit is not the catalogue's; no stated unit passes for it."""
    for name in wanted:
        stated = dataset[name].attrs.get("units", VARIABLES[name].units)
        if stated != VARIABLES[name].units:
            raise ValueError(
                f"{name} must be in {VARIABLES[name].units}, and the file states {stated!r}, which"
                " data/canonical/conventions.py cannot convert; convert it first"
            )
