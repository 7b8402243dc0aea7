"""Coastlines that ship with the package: Natural Earth's 1:50 million, generalised.

`coastlines.npz` is made by `make_coastlines.py`; the lines are in the public domain. It holds all
points in order, as hundredths of a degree, and where each line ends.
"""

from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float

from data.maps.projection import Projection

HUNDREDTHS = 100  # of a degree, about a kilometre: far below a pixel of any map here


@cache
def coastlines() -> tuple[Float[np.ndarray, "points 2"], ...]:
    """Every line as (longitude, latitude) in degrees."""
    with (files(__package__) / "coastlines.npz").open("rb") as file, np.load(file) as table:
        points, ends = table["points"] / HUNDREDTHS, table["ends"]
    return tuple(np.split(points, ends[:-1]))


def projected_coastlines(
    projection: Projection,
) -> list[Float[np.ndarray, "points 2"]]:
    """Every line on paper, cut where it crosses the edge of the map."""
    lines = []
    for line in coastlines():
        λ = (line[:, 0] - projection.centre + 180) % 360 - 180
        crossings = np.flatnonzero(np.abs(np.diff(λ)) > 180) + 1
        for part in np.split(np.stack([λ, line[:, 1]], axis=1), crossings):
            if len(part) > 1:
                lines.append(np.stack(projection(part[:, 0], part[:, 1]), axis=1))
    return lines
