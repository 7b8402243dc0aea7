"""Regions to average over: boxes in latitude and longitude, on land or sea, by height.

A new region is an entry in `REGIONS`. Its first boxes are those of ECMWF's scorecards and the
additional ones of the WeatherBench benchmark, as listed in google-research/weatherbenchX,
public_benchmark/run_benchmark_evaluation.py (`REGIONS`); the names are ECMWF's. The boxes `wmo.…`
are the verification domains of the WMO Lead Centre for Deterministic Forecast Verification (GDPFS
manual, appendix 2.2.34), which differ from these. As there, a grid point counts if it lies in the
box or on its edge.

Other regions are spelt: `lat:20:40` (a band of latitudes), `box:35:75:-12.5:42.5` (south, north,
west, east); any region may be narrowed by `@land`, `@sea` or `@height:500:1000` (metres).
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from data.constants import STANDARD_GRAVITY

LAND = 0.5  # share of land from which a grid point is land, as in ECMWF's scorecards


class Surface(NamedTuple):
    """What is below a grid's points: share of land (0 to 1) and geopotential (m2 s-2), or None."""

    land: Float[np.ndarray, "lat lon"] | None
    geopotential: Float[np.ndarray, "lat lon"] | None


@dataclass(frozen=True)
class Region:
    """A box in degrees; from `west` to `east` it goes eastwards and may cross any meridian.

    Attributes:
        beyond: only latitudes at least so far from the equator, as 20 for the extra-tropics.
        ground: only land, or only sea.
        heights: only points whose height (m) is from the first up to, not including, the second.

    >>> Region(25, 60, 145, 230).columns(np.array([140.0, 180.0, -140.0]))
    array([False,  True,  True])
    """

    south: int | float
    north: int | float
    west: int | float = 0
    east: int | float = 360
    beyond: int | float = 0
    ground: str | None = None
    heights: tuple[float, float] | None = None

    def rows(self, latitude: Float[np.ndarray, " lat"]) -> Bool[np.ndarray, " lat"]:
        """Which latitudes (degrees) lie in the region."""
        inside = (self.south <= latitude) & (latitude <= self.north)
        return np.asarray(inside & (np.abs(latitude) >= self.beyond))

    def columns(self, longitude: Float[np.ndarray, " lon"]) -> Bool[np.ndarray, " lon"]:
        """Which longitudes (degrees, of any convention) lie in the region."""
        return (longitude - self.west) % 360 <= self.east - self.west

    def mask(self, name: str, surface: Surface | None) -> Bool[np.ndarray, "lat lon"] | None:
        """Which points have the region's ground and height; None where it does not ask.

        Raises:
            ValueError: it asks for what `surface` does not have.
        """
        mask = None
        if self.ground is not None:
            if surface is None or surface.land is None:
                raise ValueError(_needs(name, "land_sea_mask"))
            mask = (surface.land >= LAND) == (self.ground == "land")
        if self.heights is not None:
            if surface is None or surface.geopotential is None:
                raise ValueError(_needs(name, "geopotential_at_surface"))
            height = surface.geopotential / STANDARD_GRAVITY
            inside = (self.heights[0] <= height) & (height < self.heights[1])
            mask = inside if mask is None else mask & inside
        return mask


REGIONS: dict[str, Region] = {
    "global": Region(-90, 90),
    "n.hem": Region(20, 90),
    "s.hem": Region(-90, -20),
    "tropics": Region(-20, 20),
    "extra-tropics": Region(-90, 90, beyond=20),
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
    "land": Region(-90, 90, ground="land"),
    "sea": Region(-90, 90, ground="sea"),
    "wmo.nh": Region(21, 90),
    "wmo.sh": Region(-90, -21),
    "wmo.tropics": Region(-19.5, 19.5),
    "wmo.n.america": Region(25.5, 60, -144, -51),
    "wmo.europe": Region(25.5, 69, -9, 27),
    "wmo.asia": Region(25.5, 64.5, 60, 144),
    "wmo.australia": Region(-54, -10.5, 90, 180),
    "wmo.n.polar": Region(60, 90),
    "wmo.s.polar": Region(-90, -60),
}

# WeatherBench's names for boxes of the same bounds.
WEATHERBENCH_NAMES = {
    "northern-hemisphere": "n.hem",
    "southern-hemisphere": "s.hem",
    "north-america": "n.amer",
    "north-atlantic": "n.atl",
    "north-pacific": "n.pac",
    "east-asia": "e.asia",
    "ausnz": "austnz",
}

HEADLINE_REGIONS = ("global", "n.hem", "s.hem", "tropics")  # unless others are asked for
_NUMBER = r"-?\d+(?:\.\d+)?"
_BAND = re.compile(rf"lat:({_NUMBER}):({_NUMBER})")
_BOX = re.compile(rf"box:({_NUMBER}):({_NUMBER}):({_NUMBER}):({_NUMBER})")
_HEIGHTS = re.compile(rf"height:({_NUMBER}):({_NUMBER})")


def region_named(name: str) -> Region:
    """The region of a name or a spelling.

    >>> region_named("lat:20:40").north
    40.0
    >>> region_named("europe@land").ground
    'land'

    Raises:
        ValueError: neither.
    """
    base, _, surface = name.partition("@")
    region = REGIONS.get(WEATHERBENCH_NAMES.get(base, base)) or _spelt(base)
    if region is not None and surface in ("land", "sea"):
        return replace(region, ground=surface)
    if region is not None and (match := _HEIGHTS.fullmatch(surface)):
        return replace(region, heights=(float(match[1]), float(match[2])))
    if region is None or surface:
        check_regions([name])
        raise ValueError(
            f"a region is narrowed by @land, @sea or @height:500:1000, not by @{surface}"
        )
    return region


def check_regions(names: Iterable[str]) -> None:
    """Refuse names that are not regions, all in one error that suggests the nearest names.

    Raises:
        ValueError: a name is neither in `REGIONS` nor spelt as a region.
    """
    known = [*REGIONS, *WEATHERBENCH_NAMES]
    unknown = []
    for name in names:
        base = name.partition("@")[0]
        if base not in known and _spelt(base) is None:
            near = difflib.get_close_matches(base, known, n=1, cutoff=0.4)
            unknown.append(f"{name!r} (did you mean {near[0]!r}?)" if near else repr(name))
    if unknown:
        raise ValueError(
            f"unknown region(s) {', '.join(unknown)}; verification/regions.py has "
            f"{', '.join(REGIONS)}; others are spelt lat:20:40 or box:35:75:-12.5:42.5"
        )


def _spelt(text: str) -> Region | None:
    """The band or box that a text spells."""
    match = _BAND.fullmatch(text) or _BOX.fullmatch(text)
    if match is None:
        return None
    south, north, *sides = map(float, match.groups())
    if not south < north:
        raise ValueError(
            f"a region goes from south to north, and {text} from {south:g} to {north:g}; turn them"
            " around"
        )
    if not sides:
        return Region(south, north)
    west, east = sides
    return Region(south, north, west, east if east > west else east + 360)


def _needs(name: str, field: str) -> str:
    return (
        f"the region {name} needs {field}, which neither truth nor forecast has; add it to the"
        " truth or leave the region out"
    )
