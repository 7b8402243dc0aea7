"""Longitude and latitude on paper: the globe, a pole, or a box."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Plane = tuple[Float[np.ndarray, "*points"], Float[np.ndarray, "*points"]]


@dataclass(frozen=True)
class Extent:
    """What a map shows, in degrees; from `west` it goes eastwards and may cross any meridian."""

    south: float = -90.0
    north: float = 90.0
    west: float = -180.0
    east: float = 180.0

    def __post_init__(self) -> None:
        if not (-90 <= self.south < self.north <= 90 and 0 < self.east - self.west <= 360):
            raise ValueError(
                "a map goes from south to north and from west to east within the globe, got "
                f"south {self.south:g}, north {self.north:g}, west {self.west:g}, "
                f"east {self.east:g}"
            )

    @property
    def round_the_globe(self) -> bool:
        """Whether it has all longitudes."""
        return self.east - self.west == 360

    @property
    def middle(self) -> float:
        """The longitude in its middle."""
        return (self.west + self.east) / 2


GLOBE = Extent()


class EqualEarth(NamedTuple):
    """The globe with true areas.

    Projections are called with degrees relative to `centre` and degrees of latitude.

    Šavrič, B., T. Patterson and B. Jenny (2019): The Equal Earth map projection. International
    Journal of Geographical Information Science 33, 454-465.
    """

    centre: float = 0.0

    def __call__(self, λ: Float[np.ndarray, "*points"], φ: Float[np.ndarray, "*points"]) -> Plane:
        """Equations 1 to 4 of the paper."""
        a, b, c, d = 1.340264, -0.081106, 0.000893, 0.003796
        θ = np.arcsin(np.sqrt(3) / 2 * np.sin(np.deg2rad(φ)))
        stretch = 3 * (9 * d * θ**8 + 7 * c * θ**6 + 3 * b * θ**2 + a)
        x = 2 * np.sqrt(3) * np.deg2rad(λ) * np.cos(θ) / stretch
        return x, θ * (d * θ**8 + c * θ**6 + b * θ**2 + a)


class Polar(NamedTuple):
    """A cap about a pole with true areas (Lambert's azimuthal projection)."""

    north: bool
    centre: float = 0.0

    def __call__(self, λ: Float[np.ndarray, "*points"], φ: Float[np.ndarray, "*points"]) -> Plane:
        """2 sin(half the distance to the pole), in the direction of the meridian."""
        sign = 1 if self.north else -1
        distance = 2 * np.sin(np.deg2rad(90 - sign * φ) / 2)
        return distance * np.sin(np.deg2rad(λ)), -sign * distance * np.cos(np.deg2rad(λ))


class Box(NamedTuple):
    """Straight meridians and parallels, with true proportions at one latitude."""

    centre: float
    true_at: float

    def __call__(self, λ: Float[np.ndarray, "*points"], φ: Float[np.ndarray, "*points"]) -> Plane:
        """Degrees, those of longitude shorter by cos φ."""
        return λ * np.cos(np.deg2rad(self.true_at)), φ * 1.0


Projection = EqualEarth | Polar | Box  # each is drawn about `centre`, and cut opposite to it


def projection_of(extent: Extent) -> Projection:
    """The projection that suits an extent.

    >>> projection_of(Extent())
    EqualEarth(centre=0.0)
    >>> projection_of(Extent(60.0, 90.0))
    Polar(north=True, centre=0.0)
    >>> projection_of(Extent(35.0, 75.0, -12.5, 42.5))
    Box(centre=15.0, true_at=55.0)
    """
    if not extent.round_the_globe:
        return Box(extent.middle, (extent.south + extent.north) / 2)
    if extent.south >= 15:
        return Polar(north=True, centre=extent.middle)
    if extent.north <= -15:
        return Polar(north=False, centre=extent.middle)
    if extent.south == -90 and extent.north == 90:
        return EqualEarth(extent.middle)
    return Box(extent.middle, (extent.south + extent.north) / 2)
