"""The rule "halves": the fields continue across the equator.

One hemisphere is turned against the other when two files are joined that begin at different
meridians. Each half is in balance, so only the rows on either side of the equator show it.
"""

from collections.abc import Iterator

import numpy as np

from data.doctor.case import Case, Map, at_time
from data.doctor.finding import Finding
from data.wording import listed

# Smooth enough along a meridian to be compared; v changes its sign within 10° of the equator.
JUDGED = (
    *("temperature", "geopotential", "u_component_of_wind", "specific_humidity"),
    *("relative_humidity", "2m_temperature", "mean_sea_level_pressure", "10m_u_component_of_wind"),
)
# Correlation of neighbouring rows, departures from their means, over all levels. In the real files,
# turning or mirroring one row lowers it by 0.2 or more wherever it still reaches 0.5. If one half
# of the map is turned, turning it back raises the correlation by as much.
ENOUGH, BETTER = 0.5, 0.2
NEAREST = 3.0  # degrees: on such grids a row is also compared with the next but one
READINGS = ("turned by 180°", "mirrored")


def halves(case: Case) -> Iterator[Finding]:
    """No half of the globe turned or mirrored against the other."""
    names_by_reading: dict[str, list[str]] = {}
    moment = ""
    for time in case.digest.indices:
        for name in JUDGED:
            fields = [field.coarse for field in case.sound(name, time).values()]
            reading = _other_reading(np.stack(fields), case.digest.latitude) if fields else None
            if reading is not None:
                names_by_reading.setdefault(reading, []).append(name)
                moment = at_time(case.digest, time)
        if names_by_reading:
            break
    for reading, names in names_by_reading.items():
        yield Finding(
            "halves",
            "error",
            f"{listed(sorted(names))}{moment} go on across the equator with one hemisphere"
            f" {reading}, and not as labelled",
            "look whether north and south come from two files that begin at different meridians",
        )


def _other_reading(fields: np.ndarray, latitude: np.ndarray) -> str | None:
    """How the north must be turned to continue the south; None if it continues as labelled."""
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
    """Pairs of rows between which the halves may meet, next to the equator."""
    step = float(np.abs(np.diff(latitude)).mean())
    for south in range(latitude.size - 1):
        if abs(latitude[south] + latitude[south + 1]) / 2 <= 0.75 * step:
            yield south, south + 1
        # a block of rows may straddle the equator
        if step <= NEAREST and south + 2 < latitude.size and abs(latitude[south + 1]) < step / 2:
            yield south, south + 2


def _alike(one: Map, other: Map) -> float:
    """Mean correlation of rows over levels; 1 for constant rows, which fit either way."""
    one, other = (row - row.mean(-1, keepdims=True) for row in (one, other))
    size = np.sqrt((one**2).sum(-1) * (other**2).sum(-1))
    known = size > 0
    return float(((one * other).sum(-1)[known] / size[known]).mean()) if known.any() else 1.0
