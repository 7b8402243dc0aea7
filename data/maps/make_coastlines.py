"""Make `coastlines.npz` from Natural Earth's land polygons.

    python -m data.maps.make_coastlines land-50m.json

`land-50m.json` is in the npm package world-atlas 2.0.2: Natural Earth's 1:50 million land, in the
public domain, as TopoJSON. A maintainer runs this when the source changes.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from jaxtyping import Float

from data.maps.coastlines import HUNDREDTHS
from data.stores.files import written_whole

TOLERANCE = 0.03  # degrees: 3 km, a fifth of a pixel of a global map 2,000 pixels wide
SMALLEST = 0.15  # degrees across: smaller islands are dots on any map here
SEAM = 179.99  # the polygons are cut at the date line, where there is no coast
POLE = -89.9  # and run along the South Pole


def make_coastlines(topology: Path, target: Path) -> None:
    """Write the lines; the same topology gives the same numbers."""
    content = json.loads(topology.read_text())
    scale, origin = (np.array(content["transform"][key]) for key in ("scale", "translate"))
    lines: list[Float[np.ndarray, "points 2"]] = []
    for arc in content["arcs"]:
        points = np.cumsum(np.array(arc, np.float64), axis=0) * scale + origin
        lines += [_generalised(part) for part in _coasts(points)]
    kept = [line for line in lines if len(line) > 1 and np.ptp(line, axis=0).max() >= SMALLEST]
    points = np.rint(np.concatenate(kept) * HUNDREDTHS).astype(np.int16)
    ends = np.cumsum([len(line) for line in kept]).astype(np.int32)
    with written_whole(target) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, points=points, ends=ends)


def _coasts(points: Float[np.ndarray, "points 2"]) -> list[Float[np.ndarray, "points 2"]]:
    """The parts of a line that are coast, not the edge of the polygons' plane."""
    edge = (np.abs(points[:, 0]) >= SEAM) | (points[:, 1] <= POLE)
    along = np.flatnonzero(edge[1:] & edge[:-1]) + 1
    return [part for part in np.split(points, along) if len(part) > 1]


def _generalised(points: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 2"]:
    """The line without points that it stays within `TOLERANCE` of (Douglas & Peucker 1973)."""
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances = _distances(points[first + 1 : last], points[first], points[last])
        farthest = int(np.argmax(distances))
        if distances[farthest] > TOLERANCE:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points[keep]


def _distances(
    points: Float[np.ndarray, "points 2"],
    begin: Float[np.ndarray, "2"],
    end: Float[np.ndarray, "2"],
) -> Float[np.ndarray, " points"]:
    """From each point to the chord between two others; to its end where the line is closed."""
    chord = end - begin
    length = float(np.hypot(*chord))
    away = points - begin
    if length == 0:
        return np.asarray(np.hypot(away[:, 0], away[:, 1]))
    return np.asarray(np.abs(away[:, 0] * chord[1] - away[:, 1] * chord[0]) / length)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("topology", type=Path)
    parser.add_argument("--target", type=Path, default=Path(__file__).with_name("coastlines.npz"))
    arguments = parser.parse_args()
    make_coastlines(arguments.topology, arguments.target)
