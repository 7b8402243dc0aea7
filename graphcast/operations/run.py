"""`Run`: the description of a forecast, which its store carries as the manifest.

Two runs that are equal give the same bytes. A `Run` is plain data, and its JSON is the manifest: a
forecast store carries it in the attribute `provenance`, and it is part of the store's fingerprint,
so only an equal run resumes an interrupted forecast.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from data.task import Task
from data.wording import hours
from graphcast.machine.plan import Economy
from mesh.grid import LatLonGrid

INSIDE = "in the checkpoint"  # in a manifest, of statistics that came with the weights


@dataclass(frozen=True)
class Digest:
    """The weights, by the bytes of their files.

    Attributes:
        sha256: SHA-256 (hex) of the checkpoint file.
        description: who trained what on which data.
        license: the licence of the weights.
        statistics: file name → SHA-256 of the normalisation statistics; empty where they are in
            the checkpoint.
    """

    sha256: str
    description: str = ""
    license: str = ""
    statistics: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """One member of an ensemble.

    Attributes:
        number: its label in the store's dimension `number`.
        entry: the number of the entry (batch entry or member) of the inputs that it starts from.
        seed: the seed of its perturbation; None where nothing is drawn.
        perturbation: name of the perturbation that was added to the inputs.
    """

    number: int = 0
    entry: int = 0
    seed: int | None = None
    perturbation: str = "none"


@dataclass(frozen=True)
class Run:
    """A forecast: its inputs, its length, and how it is computed.

    Attributes:
        weights: the digest of weights and statistics.
        task: what the model reads and predicts.
        grid: the grid of inputs and forecast.
        inputs: the sources of the windows, as they were named: paths, patterns, URLs.
        forcings: the source of forcings at later times; None where all are computed.
        init_times: the times that forecasts start at, UTC, ascending.
        members: the forecasts from each init time.
        steps: how many steps of the task each forecast goes.
        precision: name of a `Precision`.
        deterministic: whether XLA was restricted to kernels that add in a fixed order.
        devices: how many devices share the work.
        processes: how many processes those devices belong to.
        economy: how a step is cut into blocks; None leaves that to the machine. The `Run` in a
            store always says it.
        raw: whether rain, humidity and the like are written as predicted, even below zero.
        zarr_format: of the store.
    """

    weights: Digest
    task: Task
    grid: LatLonGrid
    inputs: tuple[str, ...]
    init_times: tuple[np.datetime64, ...]
    steps: int
    forcings: str | None = None
    members: tuple[Member, ...] = (Member(),)
    precision: str = "float32"
    deterministic: bool = False
    # Another number of devices or another economy is another program, and rounds differently.
    devices: int = 1
    processes: int = 1
    economy: Economy | None = None
    raw: bool = False
    zarr_format: Literal[2, 3] = 3

    def __post_init__(self) -> None:
        """Raise `ValueError` unless there is an init time, a member and a step."""
        if self.steps < 1 or not self.init_times or not self.members:
            raise ValueError(
                "a forecast has at least one init time, one member and one step, not "
                f"{len(self.init_times)}, {len(self.members)} and {self.steps}"
            )

    @property
    def windows(self) -> tuple[tuple[np.datetime64, Member], ...]:
        """Every init time with every member, in the order in which they are computed."""
        return tuple((time, member) for time in self.init_times for member in self.members)

    @property
    def leads(self) -> tuple[np.timedelta64, ...]:
        """The lead times, from one step on."""
        return tuple(step * self.task.step for step in range(1, self.steps + 1))

    def to_json(self) -> str:
        """The run as a JSON object; `from_json` gives an equal run back."""
        weights = asdict(self.weights)
        statistics = weights.pop("statistics") or INSIDE
        flags: dict[str, Any] = {
            "lead_time_hours": int(hours(self.leads[-1])),
            "precision": self.precision,
            "devices": self.devices,
            "economy": None if self.economy is None else asdict(self.economy),
            "deterministic": self.deterministic,
        }
        if self.processes > 1:
            flags["processes"] = self.processes
        if self.raw:
            flags["raw"] = self.raw
        if self.zarr_format != Run.zarr_format:
            flags["zarr_format"] = self.zarr_format
        content = {
            "weights": weights,
            "statistics": statistics,
            "task": json.loads(self.task.to_json()),
            "grid": {name: _axis(getattr(self.grid, name)) for name in ("latitude", "longitude")},
            "source": {"inputs": list(self.inputs), "forcings": self.forcings},
            "init_times": [str(time) for time in self.init_times],
            "members": [asdict(member) for member in self.members],
            "flags": flags,
        }
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Run":
        """The run of a manifest, such as the attribute `provenance` of a forecast store.

        Raises:
            ValueError: the text is not the JSON of a run.
        """
        try:
            content = json.loads(text)
            flags, statistics = content["flags"], content["statistics"]
            economy = flags["economy"]
            task = Task.from_json(json.dumps(content["task"]))
            inputs = content["source"]["inputs"]  # a text in version 0.1
            return cls(
                weights=Digest(
                    **content["weights"], statistics={} if statistics == INSIDE else statistics
                ),
                task=task,
                grid=LatLonGrid(**{name: _values(axis) for name, axis in content["grid"].items()}),
                inputs=(inputs,) if isinstance(inputs, str) else tuple(inputs),
                forcings=content["source"]["forcings"],
                init_times=tuple(np.datetime64(time, "ns") for time in content["init_times"]),
                members=tuple(Member(**member) for member in content["members"]),
                steps=flags["lead_time_hours"] // task.step_hours,
                precision=flags["precision"],
                deterministic=flags["deterministic"],
                devices=flags["devices"],
                processes=flags.get("processes", 1),
                economy=None if economy is None else Economy(**economy),
                raw=flags.get("raw", False),
                zarr_format=flags.get("zarr_format", 3),
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(
                "a run is read from the JSON of `Run.to_json` or the attribute provenance of a "
                f"forecast of this version, and this is neither ({type(error).__name__}: {error})"
            ) from error


def _axis(values: tuple[float, ...]) -> list[float] | dict[str, float | int]:
    """A coordinate as JSON: its ends where those say it to the last bit, else every value."""
    first, last, count = values[0], values[-1], len(values)
    if values == tuple(np.linspace(first, last, count).tolist()):
        return {"first": first, "last": last, "count": count}
    return list(values)


def _values(axis: list[float] | dict[str, float | int]) -> tuple[float, ...]:
    if isinstance(axis, list):
        return tuple(axis)
    return tuple(np.linspace(axis["first"], axis["last"], int(axis["count"])).tolist())
