"""The rule "variables": what a dataset holds, on which axes, in which stated units."""

from collections.abc import Iterator

from data.canonical.precipitation import NAMES_WITHOUT_PERIOD
from data.doctor.case import Case
from data.doctor.finding import Finding
from data.variables import VARIABLES
from data.wording import listed

_SPACE = ("latitude", "longitude")


def variables(case: Case) -> Iterator[Finding]:
    """Variables lie on the grid, state their units, and include those of the task."""
    names = [str(name) for name in case.dataset.data_vars]
    for name in names:
        array = case.dataset[name]
        strange = [str(d) for d in array.dims if d not in ("time", "level", *_SPACE)]
        if name in VARIABLES and (strange or not set(_SPACE) <= set(array.dims)):
            if VARIABLES[name].kind == "clock":
                continue
            yield Finding(
                "variables",
                "error",
                f"{name} lies on ({', '.join(map(str, array.dims))}), not on the grid of the rest",
                "regrid it to the latitude and longitude of the other variables",
            )
    yield from _of_another_kind(case, names)
    yield from _units_stated(case, names)
    unknown = [name for name in names if name not in VARIABLES]
    unknown = [name for name in unknown if name not in NAMES_WITHOUT_PERIOD]
    if unknown:
        yield Finding(
            "variables",
            "note",
            f"not in the catalogue, so not examined: {listed(sorted(unknown))}",
            "nothing, unless one of them is needed: then give it its catalogue name",
        )
    yield from _needed(case, names)


def _of_another_kind(case: Case, names: list[str]) -> Iterator[Finding]:
    """Variables of the catalogue that lack an axis which they have, or hold no numbers."""
    for name in names:
        if name not in VARIABLES:
            continue
        array, row = case.dataset[name], VARIABLES[name]
        lacking = ["level"] * (row.on_levels and "level" not in array.dims)
        lacking += ["time"] * (row.varies_in_time and "time" not in array.dims)
        lacking = [dim for dim in lacking if dim in case.dataset.dims]
        if lacking:
            yield Finding(
                "variables",
                "error",
                f"{name} has no {' and no '.join(lacking)}, and other variables of the file have",
                f"give {name} at every {' and '.join(lacking)}",
            )
        if array.dtype.kind not in "fiu":
            yield Finding(
                "variables",
                "error",
                f"{name} holds {array.dtype} values, and fields are numbers",
                "write it as floats",
            )


def _needed(case: Case, names: list[str]) -> Iterator[Finding]:
    """Inputs of the task that are missing and cannot be computed."""
    task = case.task
    if task is None:
        return
    wanted = [name for name in task.inputs if name not in task.forcings and name not in names]
    statics = [name for name in wanted if VARIABLES[name].kind == "static"]
    others = [name for name in wanted if name not in statics]
    if others:
        yield Finding(
            "variables",
            "error",
            f"task {task.name!r} starts from {listed(others)}, and the file lacks them",
            "add them, or choose a model that does without",
        )
    if statics:
        yield Finding(
            "statics",
            "error",
            f"task {task.name!r} starts from {', '.join(statics)}, and the file lacks them",
            "add them once, without a time axis, on the same grid",
        )


def _units_stated(case: Case, names: list[str]) -> Iterator[Finding]:
    """Units that are not stated, or stated and not the catalogue's."""
    known = [name for name in names if name in VARIABLES and VARIABLES[name].units != "1"]
    silent = [name for name in known if "units" not in case.dataset[name].attrs]
    if silent:
        yield Finding(
            "units",
            "note",
            f"no unit is stated for {listed(silent)}; the catalogue's are assumed",
            "write the attribute 'units'",
        )
    for name in known:
        stated = case.dataset[name].attrs.get("units", VARIABLES[name].units)
        if stated != VARIABLES[name].units:
            needed = case.task is not None and name in case.task.inputs
            if not needed and str(stated).replace("**", "") == VARIABLES[name].units:
                continue  # the same unit in another spelling
            yield Finding(
                "units",
                "error" if needed else "warning",
                f"{name} states {stated!r}, and the catalogue has {VARIABLES[name].units!r}",
                f"convert {name} to {VARIABLES[name].units} and say so in its attribute 'units'",
            )
