"""What a rule gets to see, and the words that rules share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from data.doctor.digest import Digest, Field
from data.doctor.finding import Finding
from data.plausibility import check_values
from data.task import Task
from data.variables import VARIABLES

Map = Float[np.ndarray, "lat lon"]


@dataclass(frozen=True)
class Case:
    """A dataset under examination: its labels, its digest, and the task it is to serve, if any."""

    dataset: xr.Dataset
    task: Task | None
    digest: Digest

    def sound(self, name: str, time: int | None) -> dict[int | None, Field]:
        """Fields of a variable without gaps, in its own units as far as one can see, by level.

        ``None`` is the level of what has none. What the rule "units" speaks about is not judged a
        second time by rules on climate and balance.
        """
        column: dict[int | None, Field] = dict(self.digest.column(name, time))
        surface = self.digest.field(name, time)
        if surface is not None:
            column = {None: surface}
        return {
            level: field
            for level, field in column.items()
            if in_units(name, level, field) and field.high > field.low
        }


Rule = Callable[[Case], Iterable[Finding]]


def in_units(name: str, level: int | None, field: Field) -> bool:
    """Whether a field can be in the catalogue's units."""
    return name not in VARIABLES or wrong_units(name, level, field) is None


def wrong_units(name: str, level: int | None, field: Field) -> str | None:
    """What ``data.plausibility`` says against a field without gaps: the same as before a forecast.

    Judged by block means; the extremes of the full resolution are judged by the rule "units".
    """
    # Seen without its coarse extremes, a field of 721 rows and one of 19 are judged alike.
    array = xr.DataArray(field.coarse, dims=("latitude", "longitude"), name=name)
    if level is not None:
        array = array.assign_coords(level=level)
    try:
        check_values(array)
    except ValueError as error:
        return str(error)
    return None


def at_levels(levels: Iterable[int | None]) -> str:
    """`` at 500, 850 hPa``, or nothing for what has no levels."""
    known = sorted({level for level in levels if level is not None})
    if not known:
        return ""
    if len(known) > 4:
        return f" at {len(known)} levels from {known[0]} to {known[-1]} hPa"
    return f" at {', '.join(map(str, known))} hPa"


def hour(moment: np.datetime64) -> str:
    """``2024-06-03T06``, with minutes only where there are any."""
    whole = moment.astype("datetime64[h]")
    return str(whole if whole == moment else moment.astype("datetime64[m]"))


def at_time(digest: Digest, time: int | None) -> str:
    """`` at 2024-06-03T06``, or nothing."""
    return "" if time is None or len(digest.times) < 2 else f" at {hour(digest.times[time])}"


def pairs(digest: Digest, within: np.timedelta64) -> Iterator[tuple[int, int]]:
    """Consecutive examined times not further apart than ``within``, in the order of time."""
    order = [int(i) for i in np.argsort(np.array(digest.times, dtype="datetime64[ns]"))]
    for first, second in zip(order, order[1:], strict=False):
        gap = digest.times[second] - digest.times[first]
        if np.timedelta64(0, "h") < gap <= within:
            yield first, second


def departure(field: Map) -> Map:
    """Departure from the zonal mean."""
    return field - field.mean(1, keepdims=True)


def correlation(one: Map, other: Map, weights: Map) -> float:
    """Weighted correlation of two maps; 0 where one of them is constant."""
    total = weights.sum()
    one = one - (weights * one).sum() / total
    other = other - (weights * other).sum() / total
    size = (weights * one * one).sum() * (weights * other * other).sum()
    return float((weights * one * other).sum() / np.sqrt(size)) if size > 0 else 0.0


def slope(field: Map, on: Map, weights: Map) -> float:
    """Least-squares slope of ``field`` on ``on``; 0 where ``on`` is constant."""
    total = weights.sum()
    field = field - (weights * field).sum() / total
    on = on - (weights * on).sum() / total
    size = float((weights * on * on).sum())
    return float((weights * field * on).sum()) / size if size > 0 else 0.0


def area(digest: Digest, lowest: float, highest: float) -> Map:
    """Area weights where the absolute latitude is between two (degrees), 0 elsewhere."""
    inside = (np.abs(digest.latitude) >= lowest) & (np.abs(digest.latitude) <= highest)
    row = np.where(inside[:, None], digest.weights, 0.0)
    return np.broadcast_to(row, (digest.latitude.size, digest.longitude.size))
