"""`LatLonGrid`: any global latitude–longitude grid, regular or Gaussian, in its own order.

A grid is its coordinates. Grid node `ilat * nlon + ilon` in the order of the data; the forecast
files, the graphs and the model all count like this.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy.special import roots_legendre

FULL_CIRCLE = 360.0  # degrees
POLE = 90.0  # degrees

POLE_ROUNDING = 1e-5  # degrees; float32 near 90 has steps of 7.6e-6
# A longitude may be off its uniform place by this much: GRIB edition 1 rounds to a thousandth of a
# degree, float32 to 3e-5.
LONGITUDE_ROUNDING = 6e-4  # degrees


@dataclass(frozen=True)
class LatLonGrid:
    """Latitudes (strictly monotonic, pole to pole) by longitudes (uniform, once around), degrees.

    Raises:
        ValueError: coordinates that are not such a grid; see `from_coordinates`.
    """

    latitude: tuple[float, ...]
    longitude: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_latitude(np.array(self.latitude, np.float64))
        _check_longitude(np.array(self.longitude, np.float64))

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
    def regular(cls, resolution: float, *, poles: bool = True) -> "LatLonGrid":
        """Every `resolution` degrees, latitude ascending, longitude from 0.

        With poles the first and last row are the poles, without them they lie half a step off.

        Raises:
            ValueError: a resolution that does not divide 180 degrees.
        """
        rows = round(180 / resolution) if resolution > 0 else 0
        if rows < 2 or not np.isclose(rows * resolution, 180, rtol=1e-6):
            raise ValueError(
                f"a regular grid's resolution must divide 180 degrees into at least two steps, got "
                f"{resolution}; {180 / max(rows, 2):.6g} degrees would"
            )
        step = 180 / rows
        latitude = (
            np.linspace(-POLE, POLE, rows + 1) if poles else -POLE + step * (np.arange(rows) + 0.5)
        )
        return cls.from_coordinates(latitude, np.arange(2 * rows) * step)

    @classmethod
    def gaussian(cls, n: int) -> "LatLonGrid":
        """The full Gaussian grid "N<n>": 2n latitudes (ascending, no poles), 4n longitudes from 0.

        sin(latitude) are the roots of the Legendre polynomial of degree 2n.

        Raises:
            ValueError: n below 1.
        """
        if n < 1:
            raise ValueError(
                f"a Gaussian grid needs at least one row per hemisphere, got N{n}; N48 has 96 rows"
            )
        sines, _ = roots_legendre(2 * n)
        return cls.from_coordinates(np.rad2deg(np.arcsin(sines)), np.arange(4 * n) * 90 / n)

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
        return bool(np.isclose(np.abs([self.latitude[0], self.latitude[-1]]), POLE).all())

    def row_areas(self) -> Float[np.ndarray, " lat"]:
        """Fraction of the sphere in each latitude row; sums to 1.

        ½ |sin φ₊ - sin φ₋|, φ± the mid-latitudes to the neighbouring rows (±90° at the ends).
        """
        # float64: in float32 the pole rows of a 0.25° grid are 0.2% off
        φ = np.deg2rad(np.array(self.latitude, np.float64))
        end = np.copysign(np.pi / 2, φ[-1] - φ[0])
        bounds = np.concatenate([[-end], (φ[1:] + φ[:-1]) / 2, [end]])
        areas: Float[np.ndarray, " lat"] = np.abs(np.diff(np.sin(bounds))) / 2
        return areas

    def nodes(self) -> tuple[Float32[np.ndarray, " grid"], Float32[np.ndarray, " grid"]]:
        """Latitude and longitude of every grid node, float32 degrees.

        All geometry of the graphs starts from these rounded numbers, as the reference's does.
        """
        rows, columns = np.array(self.latitude, np.float32), np.array(self.longitude, np.float32)
        return np.repeat(rows, len(columns)), np.tile(columns, len(rows))


def _one_axis(name: str, values: np.ndarray | Sequence[float | int]) -> tuple[float, ...]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(
            f"a grid's {name} must be one-dimensional, got shape {array.shape}; "
            "pass the coordinate vector of a latitude–longitude grid, not a curvilinear field"
        )
    return tuple(array.astype(np.float64).tolist())


def _check_latitude(latitude: Float[np.ndarray, " lat"]) -> None:
    # Written so that a nan is refused, too.
    if latitude.size < 2 or not np.abs(latitude).max() <= POLE + POLE_ROUNDING:
        raise ValueError(
            "a grid's latitudes must be two or more finite degrees between -90 and 90, got "
            f"{_summary(latitude)}; convert radians or colatitudes to degrees north first"
        )
    steps = np.diff(latitude) * np.sign(latitude[-1] - latitude[0])
    if steps.min() <= 0:
        place = int(np.argmin(steps))
        raise ValueError(
            "a grid's latitudes must be strictly increasing or strictly decreasing, got "
            f"{latitude[place]:g} followed by {latitude[place + 1]:g} at row {place}; "
            "sort the rows and drop repeated ones"
        )
    gap = POLE - np.abs(latitude[[0, -1]]).min()
    if latitude[0] * latitude[-1] >= 0 or gap > 1.001 * steps.max():
        raise ValueError(
            "a grid's latitudes must reach from pole to pole (the end rows within one step of "
            f"±90), got {_summary(latitude)}; use the global field, not a region"
        )


def _check_longitude(longitude: Float[np.ndarray, " lon"]) -> None:
    if longitude.size < 2 or not np.isfinite(longitude).all():
        raise ValueError(
            "a grid's longitudes must be two or more finite degrees, got "
            f"{_summary(longitude)}; pass the coordinate values in degrees east"
        )
    if np.diff(longitude).min() <= 0:
        place = int(np.argmin(np.diff(longitude)))
        raise ValueError(
            f"a grid's longitudes must increase from west to east, got {longitude[place]:g} "
            f"followed by {longitude[place + 1]:g} at column {place}; sort the columns, for "
            "example after taking longitude modulo 360"
        )
    step = FULL_CIRCLE / longitude.size
    off = np.abs(longitude - longitude[0] - step * np.arange(longitude.size)).max()
    if off <= LONGITUDE_ROUNDING:
        return
    if np.isclose(longitude[-1] - longitude[0], FULL_CIRCLE):
        remedy = "drop the last column, which repeats the first"
    else:
        remedy = "use the global field, or regrid it to uniform longitudes"
    raise ValueError(
        f"a grid's longitudes must be uniform and go once around the globe ({longitude.size} "
        f"columns, {step:g} degrees apart), got {_summary(longitude)}; {remedy}"
    )


def _summary(values: Float[np.ndarray, " axis"]) -> str:
    if values.size < 4:
        return f"{values.tolist()}"
    return f"{values[0]:g}, {values[1]:g}, ..., {values[-1]:g} ({values.size} values)"
