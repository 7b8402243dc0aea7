"""`LatLonGrid`: any global latitude–longitude grid, regular or Gaussian, in its own order.

A grid is its coordinates. Grid node `ilat * nlon + ilon` in the order of the data; the forecast
files, the graphs and the model all count like this. Reduced grids, whose rows differ in length, are
not supported: readers refuse them and say what to ask for instead.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

FULL_CIRCLE = 360.0  # degrees
POLE = 90.0  # degrees

# How far a file's coordinate may lie from the point that it means. GRIB edition 1 stores
# thousandths of a degree, which some centres round and others cut off: up to 1e-3. Gaussian
# latitudes are published with three decimals or more (5e-4), and float32 has steps of 3e-5 near
# 360. The tenth on top leaves room for both at once. A 0.1° grid is a hundred times wider.
ROUNDING = 1.1e-3  # degrees
# Two coordinates of one point may be rounded apart.
SAME_POINT = 2 * ROUNDING  # degrees


class Fault(NamedTuple):
    """Why two axes are not a global grid: the rule, the values that came, and a remedy."""

    rule: str
    came: str
    remedy: str

    def __str__(self) -> str:
        """One sentence, for an error."""
        return f"a grid's {self.rule}, got {self.came}; {self.remedy}"


class UnknownGridName(ValueError):  # noqa: N818  a name that is not known, not a broken program
    """The text is neither a resolution nor a Gaussian grid; it may still name a file."""


@dataclass(frozen=True)
class LatLonGrid:
    """Latitudes (strictly monotonic, pole to pole) by longitudes (uniform, once around), degrees.

    >>> LatLonGrid.regular(45).latitude
    (-90.0, -45.0, 0.0, 45.0, 90.0)
    >>> LatLonGrid.named("N48").shape
    (96, 192)

    Raises:
        ValueError: coordinates that are not such a grid; see `from_coordinates`.
    """

    latitude: tuple[float, ...]
    longitude: tuple[float, ...]

    def __post_init__(self) -> None:
        latitude, longitude = self.axes()
        fault = latitude_fault(latitude) or longitude_fault(longitude)
        if fault:
            raise ValueError(str(fault))

    @classmethod
    def from_coordinates(
        cls,
        latitude: np.ndarray | Sequence[float | int],
        longitude: np.ndarray | Sequence[float | int],
    ) -> "LatLonGrid":
        """The grid with these coordinates, degrees, kept to the last bit and in their order.

        Raises:
            ValueError: latitudes that are not strictly monotonic or do not reach from pole to
                pole; longitudes that are not increasing, uniform and once around the globe.
        """
        return cls(_one_axis("latitude", latitude), _one_axis("longitude", longitude))

    @classmethod
    def regular(cls, resolution: int | float, *, poles: bool = True) -> "LatLonGrid":
        """Every `resolution` degrees, latitude ascending, longitude from 0.

        With poles, the first and last rows are the poles, as in ERA5; without, these rows lie half
        a step from the poles.

        Raises:
            ValueError: a resolution that does not divide 180 degrees.
        """
        # The points of a grid finer than their rounding could not be told apart.
        rows = round(180 / resolution) if resolution > SAME_POINT else 0
        if rows < 2 or not np.isclose(rows * resolution, 180, rtol=1e-6):
            raise ValueError(
                f"a regular grid's resolution must divide 180 degrees into at least two steps, got "
                f"{resolution:g}; {180 / max(rows, 2):.6g} degrees would"
            )
        step = 180 / rows
        latitude = (
            np.linspace(-POLE, POLE, rows + 1) if poles else -POLE + step * (np.arange(rows) + 0.5)
        )
        return cls.from_coordinates(latitude, np.arange(2 * rows) * step)

    @classmethod
    def gaussian(cls, number: int) -> "LatLonGrid":
        """The full Gaussian grid "N<number>": 2N latitudes (ascending, no poles), 4N longitudes.

        sin(latitude) are the roots of the Legendre polynomial of degree 2N; longitudes begin at 0.

        Raises:
            ValueError: a number below 1.
        """
        if number < 1:
            raise ValueError(
                f"a Gaussian grid needs at least one row per hemisphere, got N{number}; N48 has 96"
                " rows"
            )
        from scipy.special import roots_legendre  # noqa: PLC0415  other grids do without SciPy

        sines, _ = roots_legendre(2 * number)
        return cls.from_coordinates(
            np.rad2deg(np.arcsin(sines)), np.arange(4 * number) * 90 / number
        )

    @classmethod
    def named(cls, text: str) -> "LatLonGrid":
        """The grid that a person means by "0.25" (regular, with poles) or "N48" (or "F48").

        Raises:
            UnknownGridName: the text is neither; it may be a reduced grid ("O320") or a file.
            ValueError: a resolution or number that gives no grid.
        """
        name = text.strip()
        if match := re.fullmatch(r"[NF](\d+)", name, re.IGNORECASE):
            return cls.gaussian(int(match[1]))
        try:
            resolution = float(name)
        except ValueError:
            remedy = ""
            if match := re.fullmatch(r"O(\d+)", name, re.IGNORECASE):
                remedy = f" (rows of an octahedral grid differ in length; N{match[1]} is full)"
            raise UnknownGridName(
                "a grid is a resolution in degrees (0.25) or a full Gaussian grid (N48), not"
                f" {name!r}{remedy}"
            ) from None
        return cls.regular(resolution)

    def __str__(self) -> str:
        """`721 x 1440 points`, for messages and notes."""
        return f"{len(self.latitude)} x {len(self.longitude)} points"

    @property
    def shape(self) -> tuple[int, int]:
        """(latitudes, longitudes)."""
        return len(self.latitude), len(self.longitude)

    @property
    def size(self) -> int:
        """How many grid nodes."""
        return len(self.latitude) * len(self.longitude)

    @property
    def has_poles(self) -> bool:
        """Whether the first and last rows are the poles themselves."""
        ends = np.abs([self.latitude[0], self.latitude[-1]])
        return bool((POLE - ends <= ROUNDING).all())

    def axes(self) -> tuple[Float[np.ndarray, " lat"], Float[np.ndarray, " lon"]]:
        """Latitude and longitude as float64 vectors, degrees."""
        return np.array(self.latitude, np.float64), np.array(self.longitude, np.float64)

    def matches(self, other: "LatLonGrid") -> bool:
        """Whether both have the same points in the same order, up to the rounding of files.

        >>> written = LatLonGrid.gaussian(320)
        >>> written.matches(LatLonGrid.from_coordinates(np.round(written.latitude, 3),
        ...                                             np.round(written.longitude, 3)))
        True
        """
        return all(same_points(*pair) for pair in zip(self.axes(), other.axes(), strict=True))

    def row_bounds(self) -> Float[np.ndarray, " bounds"]:
        """Edges of the latitude rows, degrees: midway between neighbours, ±90 at the ends.

        A row at a pole therefore has half a cell, as in DeepMind's latitude weights.
        """
        latitude, _ = self.axes()
        end = np.copysign(POLE, latitude[-1] - latitude[0])
        return np.concatenate([[-end], (latitude[1:] + latitude[:-1]) / 2, [end]])

    def row_areas(self) -> Float[np.ndarray, " lat"]:
        """Fraction of the sphere in each latitude row; sums to 1.

        ½ |sin φ₊ - sin φ₋|, φ± the row's bounds. In float32 the pole rows of a 0.25° grid would be
        0.2% off.
        """
        sines = np.sin(np.deg2rad(self.row_bounds()))
        areas: Float[np.ndarray, " lat"] = np.abs(np.diff(sines)) / 2
        return areas

    def nodes(self) -> tuple[Float32[np.ndarray, " grid"], Float32[np.ndarray, " grid"]]:
        """Latitude and longitude of every grid node, float32 degrees.

        All geometry of the graphs starts from these rounded numbers, as the reference's does.
        """
        rows, columns = np.array(self.latitude, np.float32), np.array(self.longitude, np.float32)
        return np.repeat(rows, len(columns)), np.tile(columns, len(rows))


def same_points(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two vectors of degrees name the same points, up to the rounding of files."""
    return one.shape == other.shape and bool((np.abs(one - other) <= SAME_POINT).all())


def latitude_fault(latitude: Float[np.ndarray, " lat"]) -> Fault | None:
    """Why latitudes (degrees) cannot be those of a global grid; None if they can."""
    # Comparisons are written so that a nan is refused, too.
    if latitude.size < 2 or not np.abs(latitude).max() <= POLE + ROUNDING:
        return Fault(
            "latitudes must be two or more finite degrees between -90 and 90",
            _summary(latitude),
            "convert radians or colatitudes to degrees north first",
        )
    steps = np.diff(latitude) * np.sign(latitude[-1] - latitude[0])
    if steps.min() <= 0:
        row = int(np.argmin(steps))
        return Fault(
            "latitudes must be strictly increasing or strictly decreasing",
            f"{latitude[row]:g} followed by {latitude[row + 1]:g} at row {row}",
            "sort the rows and drop repeated ones",
        )
    gap = POLE - np.abs(latitude[[0, -1]]).min()
    if latitude[0] * latitude[-1] >= 0 or gap > steps.max() + SAME_POINT:
        return Fault(
            "latitudes must reach from pole to pole (the end rows within one step of ±90)",
            _summary(latitude),
            "use the global field, not a region",
        )
    return None


def longitude_fault(longitude: Float[np.ndarray, " lon"]) -> Fault | None:
    """Why longitudes (degrees) cannot be those of a global grid; None if they can."""
    if longitude.size < 2 or not np.isfinite(longitude).all():
        return Fault(
            "longitudes must be two or more finite degrees",
            _summary(longitude),
            "pass the coordinate values in degrees east",
        )
    if np.diff(longitude).min() <= 0:
        column = int(np.argmin(np.diff(longitude)))
        return Fault(
            "longitudes must increase from west to east",
            f"{longitude[column]:g} followed by {longitude[column + 1]:g} at column {column}",
            "sort the columns, for example after taking longitude modulo 360",
        )
    step = FULL_CIRCLE / longitude.size
    off = np.abs(longitude - longitude[0] - step * np.arange(longitude.size)).max()
    if off <= SAME_POINT:  # of a column, and of the first one that it is counted from
        return None
    if np.isclose(longitude[-1] - longitude[0], FULL_CIRCLE):
        remedy = "drop the last column, which repeats the first"
    else:
        remedy = "use the global field, or regrid it to uniform longitudes"
    return Fault(
        "longitudes must be uniform and go once around the globe "
        f"({longitude.size} columns, {step:g} degrees apart)",
        _summary(longitude),
        remedy,
    )


def _one_axis(name: str, values: np.ndarray | Sequence[float | int]) -> tuple[float, ...]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(
            f"a grid's {name} must be one-dimensional, got shape {array.shape}; "
            "pass the coordinate vector of a latitude–longitude grid, not a curvilinear field"
        )
    return tuple(array.astype(np.float64).tolist())


def _summary(values: Float[np.ndarray, " axis"]) -> str:
    if values.size < 4:
        return f"{values.tolist()}"
    return f"{values[0]:g}, {values[1]:g}, ..., {values[-1]:g} ({values.size} values)"
