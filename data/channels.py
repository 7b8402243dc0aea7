"""The columns of the model's arrays: the variable, level and time of each.

Inside the model a frame of weather is an array [grid, channels]; this module alone knows the
columns. The network's input and output orders are DeepMind's, so that published parameters fit:
variables sorted by name (ASCII), within a variable by time (t-1, then t, in steps of the task),
within a time by level, ascending:

    network input  = [inputs, sorted | forcings at t+1, sorted | structural features]
    network output = [targets, sorted]

A rollout need not know this order. It keeps the pool, blocks that a step replaces whole, and
`Channels.input_order` says which pool column each network column reads:

    [targets t-1 | targets t | forcings t-1 | forcings t | forcings t+1 | statics | structural]

The pool holds every target and forcing at every time, whether or not the network reads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from data.task import INPUT_FRAMES, Task
from data.variables import VARIABLES

STRUCTURAL_FEATURES = 3  # per grid or mesh node: sin latitude, cos longitude, sin longitude


class Channel(NamedTuple):
    """One column of a frame: a variable, and its pressure level (hPa) if it has one."""

    variable: str
    level: int | None = None

    def __str__(self) -> str:
        """`temperature 850 hPa`, as messages write it.

        >>> str(Channel("temperature", 850))
        'temperature 850 hPa'
        """
        return self.variable if self.level is None else f"{self.variable} {self.level} hPa"


@dataclass(frozen=True)
class Channels:
    """The columns of a task's arrays; equal tasks have equal channels.

    >>> from data.task import TASKS
    >>> channels = Channels(TASKS["graphcast_small"])
    >>> len(channels.targets), channels.input_width
    (83, 186)
    """

    task: Task

    @cached_property
    def targets(self) -> tuple[Channel, ...]:
        """The network's output columns."""
        return _columns(self.task.targets, self.task.levels)

    @cached_property
    def forcings(self) -> tuple[Channel, ...]:
        """The columns that are known in advance and read at the time of the prediction."""
        return _columns(self.task.forcings, self.task.levels)

    @cached_property
    def statics(self) -> tuple[Channel, ...]:
        """The columns that do not vary in time."""
        return _columns(self.task.statics, self.task.levels)

    @cached_property
    def fed(self) -> tuple[int, ...]:
        """Indices into `targets` of the predictions that the next step reads, ascending."""
        return _which(self.targets, self.task.inputs)

    @cached_property
    def input_width(self) -> int:
        """Columns of the network's input, structural features included."""
        return len(self.input_order)

    @cached_property
    def input_labels(self) -> tuple[tuple[Channel | int, int], ...]:
        """The network's input columns: (channel, time in steps from t), then structural features.

        A structural feature is a number in place of a channel.
        """
        return tuple(self._network_labels())

    @cached_property
    def input_order(self) -> Int[np.ndarray, " input_width"]:
        """Network input column i reads column `input_order[i]` of the pool."""
        pool = {label: column for column, label in enumerate(self._pool_labels())}
        order = np.array([pool[label] for label in self._network_labels()], dtype=np.int32)
        order.flags.writeable = False  # cached: every caller gets this array
        return order

    @cached_property
    def loss_weights(self) -> Float[np.ndarray, " targets"]:
        """Weight of each output column in the loss, float64.

        For a variable on levels: variable weight × p / mean(p) / number of levels. DeepMind's loss
        of a variable is a mean over levels, so the weights of its columns sum to the variable's own
        weight (all together 7.4 for "graphcast").
        """
        levels = np.array(self.task.levels, dtype=np.float64)
        total = levels.sum()
        weights = [
            VARIABLES[variable].loss_weight * (1.0 if level is None else level / total)
            for variable, level in self.targets
        ]
        array = np.array(weights, dtype=np.float64)
        array.flags.writeable = False
        return array

    def _pool_labels(self) -> list[tuple[Channel | int, int]]:
        """The pool's columns: (channel, time), time in steps from t, statics at 0."""
        return [
            *((channel, time) for time in _INPUT_TIMES for channel in self.targets),
            *((channel, time) for time in (*_INPUT_TIMES, 1) for channel in self.forcings),
            *((channel, 0) for channel in self.statics),
            *((feature, 0) for feature in range(STRUCTURAL_FEATURES)),
        ]

    def _network_labels(self) -> list[tuple[Channel | int, int]]:
        labels: list[tuple[Channel | int, int]] = []
        for name in sorted(self.task.inputs):
            times = _INPUT_TIMES if VARIABLES[name].varies_in_time else (0,)
            labels += [(c, time) for time in times for c in _columns([name], self.task.levels)]
        labels += [(channel, 1) for channel in self.forcings]
        labels += [(feature, 0) for feature in range(STRUCTURAL_FEATURES)]
        return labels


_INPUT_TIMES = tuple(range(1 - INPUT_FRAMES, 1))


def _columns(names: Iterable[str], levels: tuple[int, ...]) -> tuple[Channel, ...]:
    return tuple(
        Channel(name, level)
        for name in sorted(names)
        for level in (levels if VARIABLES[name].on_levels else (None,))
    )


def _which(channels: tuple[Channel, ...], names: Iterable[str]) -> tuple[int, ...]:
    wanted = set(names)
    return tuple(i for i, channel in enumerate(channels) if channel.variable in wanted)
