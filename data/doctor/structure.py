"""Rules on the axes of a dataset: grid, times, levels."""

from collections.abc import Iterator

import numpy as np

from data.doctor.case import Case
from data.doctor.finding import Finding, Severity
from data.task import STEP, Task
from data.variables import VARIABLES
from data.wording import hour, hours, listed
from mesh.grid import FULL_CIRCLE, POLE, ROUNDING, latitude_fault, longitude_fault

_SPACE = ("latitude", "longitude")
_NO_PRESSURES = "and pressure ends at"
EARLIEST, LATEST = np.datetime64("1900-01-01"), np.datetime64("2100-01-01")
EPOCHS = tuple(np.datetime64(day) for day in ("1970-01-01", "1900-01-01", "2000-01-01"))


def is_nowhere(findings: list[Finding]) -> bool:
    """Whether the grid is unsound, or levels are no pressures: no field has a place then."""
    return any(
        finding.rule == "grid" or (finding.rule == "levels" and _NO_PRESSURES in finding.message)
        for finding in findings
    )


def grid(case: Case) -> Iterator[Finding]:
    """The grid is a global one by the rules of `mesh.LatLonGrid`, and lacks no row."""
    latitude, degrees_east = (
        np.sort(np.asarray(case.dataset[name].values, dtype=np.float64)) for name in _SPACE
    )
    if not (np.isfinite(latitude).all() and np.isfinite(degrees_east).all()):
        yield Finding("grid", "error", "some coordinates are NaN", "write the grid's coordinates")
        return
    if np.abs(latitude).max() > POLE + ROUNDING:
        swapped = np.abs(latitude).max() > 100 and _within_90(degrees_east)
        yield Finding(
            "grid",
            "error",
            f"latitude runs from {latitude.min():g} to {latitude.max():g}, and the poles are at ±90"
            + (": latitude and longitude look swapped" if swapped else ""),
            "name the axes by what they hold" if swapped else "write latitude in degrees north",
        )
        return
    if latitude.size < 2 or degrees_east.size < 2:
        yield Finding(
            "grid", "error", "the grid is a single row, column or point", "give the whole globe"
        )
        return
    longitude = np.sort(degrees_east % FULL_CIRCLE)
    around = np.diff(longitude, append=longitude[:1] + FULL_CIRCLE)
    steps = np.diff(latitude)
    if steps.min() <= 0 or around.min() <= 1e-6:
        yield Finding("grid", "error", "a row or column comes twice", "remove the repeated one")
        return
    if longitude_fault(longitude):
        regional = around.max() > 5 * np.median(around)
        yield Finding(
            "grid",
            "error",
            "longitude "
            + (
                f"covers {FULL_CIRCLE - around.max():g}° of 360°"
                if regional
                else f"goes around in steps from {around.min():g}° to {around.max():g}°"
            ),
            "give the whole globe in equal steps of longitude",
        )
    if latitude_fault(latitude):
        yield Finding(
            "grid",
            "error",
            f"latitude covers {latitude.min():g}° to {latitude.max():g}° only",
            "give the whole globe, from pole to pole",
        )
    elif np.ptp(steps) > 0.3 * np.median(steps):  # Gaussian rows differ by 3 % next to the poles
        yield Finding(
            "grid",
            "error",
            f"rows of latitude are missing: the steps go from {steps.min():g}° to {steps.max():g}°",
            "add the missing rows, or regrid",
        )


def _within_90(longitude: np.ndarray) -> bool:
    wrapped = np.where(longitude > 180, longitude - 360, longitude)
    return bool(np.abs(wrapped).max() <= 90 + 1e-3)


def times(case: Case) -> Iterator[Finding]:
    """Times are dates, increase, come once, and are six hours apart without holes."""
    if "time" not in case.dataset.dims or not case.dataset.sizes["time"]:
        severity: Severity = "error" if case.task else "note"
        yield Finding(
            "times",
            severity,
            "the file gives no times, so season and hour of the day cannot be judged",
            f"write a time coordinate (UTC): {_needs(_step(case.task))}",
        )
        return
    if not any("time" in array.dims for array in case.dataset.data_vars.values()):
        return  # statics alone
    moments = case.dataset["time"].values.astype("datetime64[ns]")
    if np.isnat(moments).any():
        yield Finding("times", "error", "some times are missing (NaT)", "write every time")
        return
    yield from _strange_dates(moments)
    gaps = np.diff(moments)
    if (gaps == np.timedelta64(0, "ns")).any() or len(set(moments.tolist())) < moments.size:
        twice = sorted({t for t in moments if (moments == t).sum() > 1})
        yield Finding(
            "times",
            "error",
            f"{listed(hour(t) for t in twice)} comes more than once",
            "keep one frame for each time",
        )
        return
    if (gaps < np.timedelta64(0, "ns")).any():
        yield Finding("times", "warning", "the times do not increase", "sort the file by its times")
    yield from _spacing(np.sort(moments), case.task)


def _strange_dates(moments: np.ndarray) -> Iterator[Finding]:
    """Dates that a wrong unit of the time axis makes."""
    outside = moments[(moments < EARLIEST) | (moments >= LATEST)]
    if outside.size:
        yield Finding(
            "times",
            "warning",
            f"{hour(outside[0])} is no date of an analysis",
            "check the units of the time axis (hours since when?)",
        )
    elif moments[0] in EPOCHS:
        yield Finding(
            "times",
            "warning",
            f"the times begin at {hour(moments[0])}, where calendars start to count",
            "check that the times are dates and not hours since the start",
        )


def _step(task: Task | None) -> np.timedelta64:
    return STEP if task is None else task.step


def _needs(step: np.timedelta64) -> str:
    return f"a forecast starts from two frames {hours(step):g} h apart"


def _spacing(moments: np.ndarray, task: Task | None) -> Iterator[Finding]:
    """Whether increasing times have pairs one step apart, and holes."""
    step = _step(task)
    width = f"{hours(step):g}"
    rule = _needs(step)
    if moments.size == 1:
        yield Finding(
            "times",
            "error" if task else "note",
            f"there is one time only, {hour(moments[0])}; {rule}",
            f"add {hour(moments[0] - step)} or {hour(moments[0] + step)}",
        )
        return
    gaps = np.diff(moments)
    steps = sorted({hours(gap) for gap in gaps})
    spoken = " or ".join(listed(steps).split(", "))
    odd = len(steps) > 1 or bool(
        steps[0] % hours(step)
    )  # twice a day is usual, every seven hours is not
    known = set(moments.tolist())
    if not any(int((t - step).astype("datetime64[ns]").astype(int)) in known for t in moments):
        severity: Severity = "error" if task else "warning" if odd else "note"
        yield Finding(
            "times",
            severity,
            f"times are {spoken} h apart, and none {width} h; {rule}",
            f"give a {width}-hourly series",
        )
        return
    missing = _missing(moments, gaps)
    if missing:
        yield Finding(
            "times",
            "warning",
            f"the series has holes: {len(missing)} time(s) missing, {listed(missing)}",
            f"fetch these times, or start and train only where two frames are {width} h apart",
        )
    elif len(steps) > 1:
        yield Finding(
            "times",
            "warning",
            f"times are {spoken} h apart, so not evenly",
            f"give a series of even steps ({width} h, or a divisor of it)",
        )


def _missing(moments: np.ndarray, gaps: np.ndarray) -> list[str]:
    """Times missing from a series of even steps; none where no step is usual."""
    step = np.median(gaps.astype(np.int64))
    multiples = gaps.astype(np.int64) / step
    if not np.allclose(multiples, np.round(multiples)) or multiples.max() < 1.5:
        return []
    width = np.timedelta64(int(step), "ns")
    return [
        hour(before + width * k)
        for before, count in zip(moments[:-1], np.round(multiples).astype(int), strict=True)
        for k in range(1, min(int(count), 1000))
    ]


def levels(case: Case) -> Iterator[Finding]:
    """Levels are pressures in hPa, come once, and include those of the task."""
    stored: list[int] = []
    if "level" in case.dataset.dims:
        labels = np.asarray(case.dataset["level"].values, dtype=np.float64)
        stored = [round(label) for label in labels]
        if len(set(stored)) < len(stored):
            twice = sorted({level for level in stored if stored.count(level) > 1})
            yield Finding(
                "levels",
                "error",
                f"{listed(twice)} hPa comes more than once",
                "keep one field for each level",
            )
        if labels.max() > 1100 or labels.min() < 0.005:
            yield Finding(
                "levels",
                "error",
                f"levels run from {labels.min():g} to {labels.max():g}, {_NO_PRESSURES} 1100 hPa",
                "give pressure levels with their unit (hPa or Pa), not model levels",
            )
        elif labels.max() <= 137 and (np.diff(np.sort(labels)) == 1).all() and labels.size > 3:
            yield Finding(
                "levels",
                "error",
                f"levels {labels.min():g}, ..., {labels.max():g} count model levels, as it looks",
                "interpolate to pressure levels",
            )
    task = case.task
    if task is None or not any(VARIABLES[name].on_levels for name in task.inputs):
        return
    missing = [level for level in task.levels if level not in stored]
    if missing:
        yield Finding(
            "levels",
            "error",
            f"task {task.name!r} needs {len(task.levels)} levels, and the file lacks"
            f" {listed(missing, 12)} hPa",
            "add these levels, or choose a model without them",
        )
