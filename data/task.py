"""Tasks: the variables that a model reads and predicts, their levels, and the step.

A task is data, with names from the catalogue. `TASKS` holds the three that DeepMind published; any
other is a JSON file with the same five fields and, where they differ from the default,
`test_period` and `step_hours`.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from data.variables import VARIABLES, check_names

STEP_HOURS = 6  # of every published model; where a task is at hand, use `Task.step`
STEP = np.timedelta64(STEP_HOURS, "h")
INPUT_FRAMES = 2  # a forecast starts from t - step and t


@dataclass(frozen=True)
class Task:
    """Inputs, targets and forcings of a model, and the levels (hPa, ascending) of all three.

    Every input that varies in time must be a target or a forcing, because the next step reads it
    again.

    >>> Task("t", ("2m_temperature",), ("2m_temperature",), (), (), step_hours=12).step
    np.timedelta64(12,'h')

    Attributes:
        name: for messages and headers.
        inputs: variables that are read at two times (statics once).
        targets: variables that are predicted.
        forcings: variables that are known in advance, read at the time of the prediction.
        levels: pressure levels (hPa, ascending) of all three.
        test_period: dates that statistics and training leave out, as 2018-01-01/2018-12-31; "" for
            none.
        step_hours: the time between two frames and the length of one forecast step; 6 in all
            published models.

    Raises:
        ValueError: a rule above is broken, or a name is not in the catalogue.
    """

    name: str
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    forcings: tuple[str, ...]
    levels: tuple[int, ...]
    test_period: str = ""
    step_hours: int = STEP_HOURS

    def __post_init__(self) -> None:
        """Check the rules of the class."""
        for role in ("inputs", "targets", "forcings"):
            _check_role(role, getattr(self, role))
        if not 1 <= self.step_hours <= 24 or 24 % self.step_hours:
            raise ValueError(
                "a task's step_hours divides the day, as 6, 12 and 24 do; this one is "
                f"{self.step_hours!r}"
            )
        _check_levels(self)
        _check_roles_fit(self)

    @property
    def step(self) -> np.timedelta64:
        """The time between two frames, and the length of one forecast step."""
        return np.timedelta64(self.step_hours, "h")

    @property
    def statics(self) -> tuple[str, ...]:
        """The inputs that do not vary in time."""
        return tuple(name for name in self.inputs if VARIABLES[name].kind == "static")

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that the task mentions, once, sorted."""
        return tuple(sorted({*self.inputs, *self.targets, *self.forcings}))

    def to_json(self) -> str:
        """The task as JSON text; `from_json` gives the same task back."""
        values = asdict(self)
        for name, default in _OPTIONAL.items():
            if values[name] == default:
                del values[name]
        return json.dumps(values, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Task":
        """A task from JSON text: an object with the fields of the class.

        `test_period` and `step_hours` may be missing.

        Raises:
            ValueError: the text is not JSON, or not a task.
        """
        try:
            read = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"a task is a JSON object, but this is not JSON: {error}") from error
        return cls(**_json_fields(read))

    @classmethod
    def from_file(cls, path: Path) -> "Task":
        """A task from a JSON file; errors name the file."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


_OPTIONAL = {"test_period": "", "step_hours": STEP_HOURS}  # left out of JSON where they are these


def _json_fields(read: Any) -> dict[str, Any]:
    """The arguments of `Task`: lists become tuples, everything else must have its type already."""
    expected = {field.name for field in fields(Task)} - _OPTIONAL.keys()
    if not isinstance(read, dict) or read.keys() - _OPTIONAL.keys() != expected:
        came = sorted(read) if isinstance(read, dict) else type(read).__name__
        raise ValueError(f"a task has exactly the fields {sorted(expected)}; this one has {came}")
    for text in ("name", "test_period"):
        if not isinstance(read.get(text, ""), str):
            raise ValueError(f"a task's {text} is a string; this one is {read[text]!r}")
    if type(read.get("step_hours", STEP_HOURS)) is not int:
        raise ValueError(
            f"a task's step_hours are a whole number; this one is {read['step_hours']!r}"
        )
    for role in expected - {"name"}:
        kind = int if role == "levels" else str
        values = read[role]
        if not isinstance(values, list) or any(type(value) is not kind for value in values):
            raise ValueError(f"a task's {role} are a list of {kind.__name__}; this is {values!r}")
    return {k: tuple(v) if isinstance(v, list) else v for k, v in read.items()}


def _check_role(role: str, names: Sequence[str]) -> None:
    check_names(names)
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise ValueError(f"each of a task's {role} stands once; repeated: {', '.join(twice)}")


def _check_levels(task: Task) -> None:
    levels = task.levels
    if any(low >= high for low, high in pairwise(levels)):
        raise ValueError(
            f"a task's levels ascend, each once; these are {levels}, "
            f"which would be {tuple(sorted(set(levels)))}"
        )
    if levels and not 1 <= levels[0] <= levels[-1] <= 1100:
        raise ValueError(f"a task's levels are pressures of 1 to 1100 hPa; these are {levels}")
    on_levels = [name for name in task.variables if VARIABLES[name].on_levels]
    if on_levels and not levels:
        raise ValueError(f"{', '.join(on_levels)} live on pressure levels, but the task has none")


def _check_roles_fit(task: Task) -> None:
    if not task.targets:
        raise ValueError("a task predicts at least one variable; this one has no targets")
    both = sorted({*task.targets} & {*task.forcings})
    if both:
        raise ValueError(
            "a variable is predicted or given, not both; "
            f"take {', '.join(both)} out of the targets or out of the forcings"
        )
    for role, names in (("targets", task.targets), ("forcings", task.forcings)):
        constant = [name for name in names if not VARIABLES[name].varies_in_time]
        if constant:
            raise ValueError(
                f"{', '.join(constant)} do not vary in time, so they can be inputs but not {role}"
            )
    clocks = [name for name in task.targets if VARIABLES[name].kind == "clock"]
    if clocks:
        raise ValueError(
            f"{', '.join(clocks)} follow from the date: make them forcings, not targets"
        )
    known_later = {*task.targets, *task.forcings, *task.statics}
    lost = [name for name in task.inputs if name not in known_later]
    if lost:
        raise ValueError(
            f"inputs {', '.join(lost)} vary in time but are neither predicted nor given at the "
            "next time; add them to the targets or to the forcings"
        )


LEVELS_13 = (50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000)  # WeatherBench
LEVELS_37 = (
    *(1, 2, 3, 5, 7, 10, 20, 30, 50, 70, 100, 125, 150, 175, 200, 225, 250, 300, 350, 400, 450),
    *(500, 550, 600, 650, 700, 750, 775, 800, 825, 850, 875, 900, 925, 950, 975, 1000),
)  # ERA5

_PRECIPITATION = "total_precipitation_6hr"
_SURFACE = (
    "2m_temperature",
    "mean_sea_level_pressure",
    "10m_v_component_of_wind",
    "10m_u_component_of_wind",
)
_UPPER_AIR = (
    "temperature",
    "geopotential",
    "u_component_of_wind",
    "v_component_of_wind",
    "vertical_velocity",
    "specific_humidity",
)
_FORCINGS = (
    "toa_incident_solar_radiation",
    "year_progress_sin",
    "year_progress_cos",
    "day_progress_sin",
    "day_progress_cos",
)
_STATICS = ("geopotential_at_surface", "land_sea_mask")
_TARGETS = (*_SURFACE, _PRECIPITATION, *_UPPER_AIR)

# GraphCast (37 levels), GraphCast_small (13), GraphCast_operational (13, precipitation out but
# not in): variables and levels as in DeepMind's graphcast.py, TASK, TASK_13,
# TASK_13_PRECIP_OUT.
TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("graphcast", (*_TARGETS, *_FORCINGS, *_STATICS), _TARGETS, _FORCINGS, LEVELS_37),
        Task("graphcast_small", (*_TARGETS, *_FORCINGS, *_STATICS), _TARGETS, _FORCINGS, LEVELS_13),
        Task(
            "graphcast_operational",
            (*_SURFACE, *_UPPER_AIR, *_FORCINGS, *_STATICS),
            _TARGETS,
            _FORCINGS,
            LEVELS_13,
        ),
    )
}
