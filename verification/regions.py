"""Regions to average over: named boxes in latitude and longitude.

A new region is an entry in `REGIONS`. The boxes are those of ECMWF's scorecards and the additional
ones of the WeatherBench benchmark, as listed in google-research/weatherbenchX,
public_benchmark/run_benchmark_evaluation.py (`REGIONS`); the names are ECMWF's. As there, a grid
point counts if it lies in the box or on its edge, and land and sea count alike.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Region:
    """A box in degrees; from `west` to `east` it goes eastwards and may cross any meridian.

    >>> Region(25, 60, 145, 230).columns(np.array([140.0, 180.0, -140.0]))
    array([False,  True,  True])
    """

    south: int | float
    north: int | float
    west: int | float = 0
    east: int | float = 360

    def rows(self, latitude: Float[np.ndarray, " lat"]) -> Bool[np.ndarray, " lat"]:
        """Which latitudes (degrees) lie in the region."""
        return (self.south <= latitude) & (latitude <= self.north)

    def columns(self, longitude: Float[np.ndarray, " lon"]) -> Bool[np.ndarray, " lon"]:
        """Which longitudes (degrees, of any convention) lie in the region."""
        return (longitude - self.west) % 360 <= self.east - self.west


REGIONS: dict[str, Region] = {
    "global": Region(-90, 90),
    "n.hem": Region(20, 90),
    "s.hem": Region(-90, -20),
    "tropics": Region(-20, 20),
    "arctic": Region(60, 90),
    "antarctic": Region(-90, -60),
    "europe": Region(35, 75, -12.5, 42.5),
    "n.amer": Region(25, 60, -120, -75),
    "n.atl": Region(25, 65, -70, -10),
    "n.pac": Region(25, 60, 145, 230),
    "e.asia": Region(25, 60, 102.5, 150),
    "austnz": Region(-45, -12.5, 120, 175),
    "n.africa": Region(5, 32.5, -12.5, 37.5),
    "s.africa": Region(-30, 5, 12.5, 37.5),
    "s.amer": Region(-40, 5, -75, -45),
    "w.asia": Region(15, 60, 42.5, 102.5),
    "se.asia": Region(-12.5, 25, 95, 125),
}


HEADLINE_REGIONS = ("global", "n.hem", "s.hem", "tropics")  # unless others are asked for


def check_regions(names: Iterable[str]) -> None:
    """Refuse names that are not regions, all in one error that suggests the nearest names.

    Raises:
        ValueError: a name is not in `REGIONS`.
    """
    unknown = []
    for name in names:
        if name not in REGIONS:
            near = difflib.get_close_matches(name, REGIONS, n=1, cutoff=0.4)
            unknown.append(f"{name!r} (did you mean {near[0]!r}?)" if near else repr(name))
    if unknown:
        raise ValueError(
            f"unknown region(s) {', '.join(unknown)}; verification/regions.py has "
            f"{', '.join(REGIONS)}"
        )
