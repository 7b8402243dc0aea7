"""`Sample`: a forecast and its truth at one valid time, which statistics compare."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal

import numpy as np

from mesh.grid import LatLonGrid

Side = Literal["forecast", "truth"]


class Fields(Mapping[str, np.ndarray]):
    """The fields of one source at one time: variable → ([number,] [level,] latitude, longitude).

    They are float64, whatever the file holds: in float32 a difference of geopotentials keeps four
    digits of eight.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = arrays
        self._wide: dict[str, np.ndarray] = {}

    def __getitem__(self, variable: str) -> np.ndarray:
        """The field in float64, converted once."""
        if variable not in self._wide:
            self._wide[variable] = np.asarray(self._arrays[variable], np.float64)
        return self._wide[variable]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


class Sample:
    """Forecast and truth from one init time at one lead time, all variables of a statistic.

    Attributes:
        forecast: the forecast's fields; those of an ensemble begin with the axis `number`.
        truth: the truth's fields at the valid time.
        climatology: the climatological mean at the valid time, None where none is given.
        grid: the grid of all fields, rows from south to north.
        levels: hPa, in the order of the fields' level axis.
        members: labels of the axis `number`, None for a forecast without members.
    """

    def __init__(
        self,
        forecast: Fields,
        truth: Fields,
        climatology: Fields | None,
        *,
        grid: LatLonGrid,
        levels: tuple[int | float, ...] = (),
        members: tuple[int, ...] | None = None,
    ) -> None:
        self.forecast = forecast
        self.truth = truth
        self.climatology = climatology
        self.grid = grid
        self.levels = levels
        self.members = members
        self._made: dict[tuple[str, str], np.ndarray] = {}

    def error(self, variable: str) -> np.ndarray:
        """Forecast minus truth, computed once for all statistics that ask."""
        key = ("error", variable)
        if key not in self._made:
            self._made[key] = self.forecast[variable] - self.truth[variable]
        return self._made[key]

    def anomaly(self, side: Side, variable: str) -> np.ndarray:
        """One side minus the climatology, computed once for all statistics that ask.

        Raises:
            ValueError: the sample has no climatology.
        """
        if self.climatology is None:
            raise ValueError(
                f"anomalies of {variable} need a climatology, and this sample has none; give "
                "one or leave the metric out that needs it"
            )
        key = (side, variable)
        if key not in self._made:
            fields = self.forecast if side == "forecast" else self.truth
            self._made[key] = fields[variable] - self.climatology[variable]
        return self._made[key]

    def each_member(self) -> Iterator["Sample"]:
        """A sample of each member as a forecast without members."""
        for i in range(len(self.members or ())):
            yield Sample(
                Fields({name: self.forecast[name][i] for name in self.forecast}),
                self.truth,
                self.climatology,
                grid=self.grid,
                levels=self.levels,
            )

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.grid.shape
