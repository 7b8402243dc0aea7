"""Rule on the equator as a seam: the northern half of a map must go on where the southern ends.

Half a map can be turned, when two files are joined that begin at different meridians. Within
each half everything is in balance, and only the rows on either side of the equator tell.
"""

from collections.abc import Iterator

import numpy as np

from data.doctor.case import Case, Map, at_time
from data.doctor.finding import Finding, listed

# Smooth enough along a meridian to be compared; v changes its sign within 10° of the equator.
JUDGED = (
    *("temperature", "geopotential", "u_component_of_wind", "specific_humidity"),
    *("relative_humidity", "2m_temperature", "mean_sea_level_pressure", "10m_u_component_of_wind"),
)
# Correlation of neighbouring rows, departures from their means, of all levels. With one of the
# rows turned or mirrored it is lower than as labelled by 0.2 or more in the real files wherever it
# reaches 0.5 at all. With half of the map turned it is that much higher.
ENOUGH, BETTER = 0.5, 0.2
NEAREST = 3.0  # degrees: rows this near to the next but one are compared with it, too
READINGS = ("turned by 180°", "mirrored")


def halves(case: Case) -> Iterator[Finding]:
    """No half of the globe turned or mirrored against the other."""
    told: dict[str, list[str]] = {}
    moment = ""
    for time in case.digest.indices:
        for name in JUDGED:
            fields = [field.coarse for field in case.sound(name, time).values()]
            reading = _other_reading(np.stack(fields), case.digest.latitude) if fields else None
            if reading is not None:
                told.setdefault(reading, []).append(name)
                moment = at_time(case.digest, time)
        if told:
            break
    for reading, names in told.items():
        yield Finding(
            "halves",
            "error",
            f"{listed(sorted(names))}{moment} go on across the equator with one hemisphere"
            f" {reading}, and not as labelled",
            "look whether north and south come from two files that begin at different meridians",
        )


def _other_reading(fields: np.ndarray, latitude: np.ndarray) -> str | None:
    """How the north would have to be turned to go on from the south, if it does not as it is."""
    half = fields.shape[-1] // 2
    for south, north in _across(latitude):
        below, above = fields[:, south], fields[:, north]
        labelled = _alike(below, above)
        turned = (_alike(below, np.roll(above, half, axis=-1)), _alike(below, above[:, ::-1]))
        best = int(np.argmax(turned))
        if turned[best] > max(ENOUGH, labelled + BETTER):
            return READINGS[best]
    return None


def _across(latitude: np.ndarray) -> Iterator[tuple[int, int]]:
    """Rows on either side of a place where the halves may meet, next to the equator."""
    step = float(np.abs(np.diff(latitude)).mean())
    for south in range(latitude.size - 1):
        if abs(latitude[south] + latitude[south + 1]) / 2 <= 0.75 * step:
            yield south, south + 1
        # a block of rows may hold some of either half
        if step <= NEAREST and south + 2 < latitude.size and abs(latitude[south + 1]) < step / 2:
            yield south, south + 2


def _alike(one: Map, other: Map) -> float:
    """Mean correlation of rows, over levels; 1 for rows of one value, which fit any way round."""
    one, other = (row - row.mean(-1, keepdims=True) for row in (one, other))
    size = np.sqrt((one**2).sum(-1) * (other**2).sum(-1))
    known = size > 0
    return float(((one * other).sum(-1)[known] / size[known]).mean()) if known.any() else 1.0
