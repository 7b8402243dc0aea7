"""The grid of a GRIB message: its axes, and how its values are put in order.

Each message says where it begins and which way it goes. The axes follow from that, message by
message, so that fields that begin at 0° and at 180° stand on one grid.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from data.canonical.axes import columns_from_zero
from mesh.grid import same_points

MOST_POINTS = 2**27  # of a field: a grid of 0.02°; more is a damaged header
REGULAR = ("regular_ll", "regular_gg")
_NAMES = {
    "reduced_gg": "a reduced Gaussian grid",
    "reduced_ll": "a reduced latitude-longitude grid",
    "sh": "spherical harmonics",
}


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the values of a message lie on the grid.

    Attributes:
        latitude: degrees, ascending.
        longitude: degrees in [0, 360), ascending, each meridian once.
        rows: which rows of the message these latitudes are.
        columns: which columns these longitudes are.
        shape: rows and columns of the message.
        by_column: whether neighbours in the message are neighbours in latitude.
        alternating: whether every other line runs backwards.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    shape: tuple[int, int]
    by_column: bool
    alternating: bool

    @classmethod
    def of(cls, message: Any, path: str) -> "Layout":
        """The layout that the header of a message describes.

        Raises:
            ValueError: it declares more points than a field can have.
        """
        points = int(message["numberOfDataPoints"])
        if points > MOST_POINTS:
            raise ValueError(
                f"a field has at most {MOST_POINTS:,} points, and one of {path} declares"
                f" {points:,}; fetch it again"
            )
        latitude, longitude = _latitudes(message), _longitudes(message)
        rows = np.argsort(latitude, kind="stable")
        columns, inside = columns_from_zero(longitude)
        return cls(
            latitude[rows],
            inside,
            rows,
            columns,
            (latitude.size, longitude.size),
            bool(message.get("jPointsAreConsecutive", 0)),
            bool(message.get("alternativeRowScanning", 0)),
        )

    def placed(self, values: np.ndarray) -> np.ndarray:
        """The values of the message as (latitude, longitude)."""
        rows, columns = self.shape
        lines = values.reshape((columns, rows) if self.by_column else (rows, columns))
        if self.alternating:
            lines = lines.copy()
            lines[1::2] = lines[1::2, ::-1]
        field = lines.T if self.by_column else lines
        placed: np.ndarray = field[np.ix_(self.rows, self.columns)]
        return placed

    def same_grid(self, other: "Layout") -> bool:
        """Whether both have the same points, up to the rounding of files."""
        return same_points(self.latitude, other.latitude) and same_points(
            self.longitude, other.longitude
        )

    def __str__(self) -> str:
        """`19 × 36 (latitude -90° to 90°, longitude 0° to 350°)`."""
        return f"{self.latitude.size} × {self.longitude.size} ({self._extent()})"

    def _extent(self) -> str:
        return (
            f"latitude {self.latitude[0]:g}° to {self.latitude[-1]:g}°,"
            f" longitude {self.longitude[0]:g}° to {self.longitude[-1]:g}°"
        )


def described(grid_type: str) -> str:
    """A grid that is no latitude axis by longitude axis, in words."""
    return _NAMES.get(grid_type, f"grid type {grid_type!r}")


def _latitudes(message: Any) -> np.ndarray:
    """Degrees, in the order of the message's rows."""
    if message["gridType"] == "regular_gg":
        ascending = np.sort(np.array(message["distinctLatitudes"], ndmin=1, dtype=np.float64))
        return ascending if message["jScansPositively"] else ascending[::-1]
    first, last = (float(message[f"latitudeOf{end}GridPointInDegrees"]) for end in _ENDS)
    return np.linspace(first, last, int(message["Nj"]))


def _longitudes(message: Any) -> np.ndarray:
    """Degrees, in the order of the message's columns, beginning where the message begins.

    The last longitude only counts modulo 360: from 0 to -10 a row goes around the globe.
    """
    first, last = (float(message[f"longitudeOf{end}GridPointInDegrees"]) for end in _ENDS)
    count = int(message["Ni"])
    if count == 1:
        return np.array([first])
    direction = -1.0 if message.get("iScansNegatively", 0) else 1.0
    width = np.mod(direction * (last - first), 360.0)
    if width < 180.0 / count:  # both ends of the circle are one meridian; -1e-9 is 0 rounded
        width += 360.0
    return first + direction * np.linspace(0.0, width, count)


_ENDS = ("First", "Last")
