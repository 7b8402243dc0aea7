"""The case that every rule examines, and the wording and statistics that rules share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from jaxtyping import Float

from data.doctor.digest import Digest, Field, Key
from data.doctor.finding import Finding
from data.plausibility import check_values
from data.plausible_ranges import plausible_values
from data.task import Task
from data.variables import VARIABLES
from data.wording import hour

Map = Float[np.ndarray, "lat lon"]


@dataclass(frozen=True)
class Case:
    """A dataset under examination.

    Attributes:
        dataset: canonical; rules read its labels, never its values.
        task: the task that the dataset is to serve, if any.
        digest: extremes, means and coarse maps of the examined fields.
        complaints: for each field that cannot be in the catalogue's units, why not.
    """

    dataset: xr.Dataset
    task: Task | None
    digest: Digest
    complaints: dict[Key, str]

    @classmethod
    def of(cls, dataset: xr.Dataset, task: Task | None, digest: Digest) -> "Case":
        """The case, with its complaints computed from the digest."""
        complaints = {}
        for (name, time, level), field in digest.fields.items():
            flat = name == "geopotential_at_surface" and field.low == field.high == 0
            # A planet without mountains is not the Earth, but not a mistake: the rule "constant"
            # reports it.
            if name in VARIABLES and not field.empty and not flat:
                complaint = wrong_units(name, level, field)
                if complaint is not None:
                    complaints[name, time, level] = complaint
        return cls(dataset, task, digest, complaints)

    def sound(self, name: str, time: int | None) -> dict[int | None, Field]:
        """The fields of a variable at a time that can be judged, by level (None without levels).

        Left out are fields with gaps, constant fields and those with a complaint: the rule "units"
        reports the complaint, and the rules on climate and balance do not report it again.
        """
        surface = self.digest.field(name, time)
        column = self.digest.column(name, time)
        fields = [(None, surface)] if surface is not None else list(column.items())
        return {
            level: field
            for level, field in fields
            if field.high > field.low and (name, time, level) not in self.complaints
        }


Rule = Callable[[Case], Iterable[Finding]]


def wrong_units(name: str, level: int | None, field: Field) -> str | None:
    """Why a field cannot be in the catalogue's units, with a remedy after "; "; None if it can."""
    return (_as_before_a_forecast(name, level, field) if field.whole else None) or _wrong_size(
        name, level, field
    )


def _as_before_a_forecast(name: str, level: int | None, field: Field) -> str | None:
    """The complaint of `data.plausibility`, on block means."""
    at = {} if level is None else {"level": level}
    array = xr.DataArray(field.coarse, coords=at, dims=("latitude", "longitude"), name=name)
    try:
        check_values(array)
    except ValueError as error:
        return str(error)
    return None


def _wrong_size(name: str, level: int | None, field: Field) -> str | None:
    """Wrong units that a mean does not show, such as metres of height near the ground."""
    unit = VARIABLES[name].units
    low, high = VARIABLES[name].bounds
    if name in ("geopotential", "temperature"):
        low, high = plausible_values(name, level)  # narrower than the bounds over all levels
    width = high - low
    if field.low < low - width or field.high > high + width:
        return (
            f"{name}{at_levels([level])} runs from {field.low:.4g} to {field.high:.4g} {unit}; look"
            " for fill values, damage or a wrong unit"
        )
    if name == "geopotential" and level is not None and level > 900 and field.deviation < 250:
        # about 800 m2 s-2 at 1000 hPa; in metres 80
        return (
            f"geopotential at {level} hPa varies by {field.deviation:.3g} only, as if it were in"
            " metres of height; multiply it by 9.80665, or let the file state its units"
        )
    if name == "relative_humidity" and field.high < 2.5 and (level is None or level >= 300):
        return (
            f"relative_humidity{at_levels([level])} reaches {field.high:.3g} %, as if it were a"
            " fraction; multiply it by 100, or let the file state its units"
        )
    return _weak_or_strong(name, level, field)


def _weak_or_strong(name: str, level: int | None, field: Field) -> str | None:
    """Wrong units that show in how much wind or ascent varies over the globe."""
    # Real files: 0.1 to 0.2 Pa s-1 in the free air on grids of 2.5° to 5°, more on finer ones.
    free = name == "vertical_velocity" and level is not None and 300 <= level <= 850
    if free and 0 < field.deviation < 0.008:
        return (
            f"vertical_velocity at {level} hPa varies by {field.deviation:.2g} Pa s-1 only, as if"
            " it were in hPa s-1 or m s-1; convert it to Pa s-1"
        )
    if name.endswith("component_of_wind") and field.deviation < 0.2:
        return (
            f"{name}{at_levels([level])} varies by {field.deviation:.2g} m s-1 only, which is no"
            " wind; look at the units, or for another field in its place"
        )
    # At 10 m, every analysis has 5 to 6 m/s, which is 10 in knots and 19 in km/h.
    if name.startswith("10m") and name.endswith("component_of_wind") and field.deviation > 8.5:
        return (
            f"{name} varies by {field.deviation:.3g} m s-1, and on Earth by 4 to 6, as if it were"
            " in knots or km/h; convert it to m s-1"
        )
    return None


def at_levels(levels: Iterable[int | None]) -> str:
    """The levels as the end of a clause, empty where there are none.

    >>> at_levels([850, 500, None])
    ' at 500, 850 hPa'
    """
    known = sorted({level for level in levels if level is not None})
    if not known:
        return ""
    if len(known) > 4:
        return f" at {len(known)} levels from {known[0]} to {known[-1]} hPa"
    return f" at {', '.join(map(str, known))} hPa"


def at_time(digest: Digest, time: int | None) -> str:
    """The time as the end of a clause (" at 2024-06-03T06"), empty where there is only one."""
    return "" if time is None or len(digest.times) < 2 else f" at {hour(digest.times[time])}"


def pairs(digest: Digest, within: np.timedelta64) -> Iterator[tuple[int, int]]:
    """Indices of consecutive examined times at most `within` apart, in the order of time."""
    order = [int(i) for i in np.argsort(np.array(digest.times, dtype="datetime64[ns]"))]
    for first, second in pairwise(order):
        gap = digest.times[second] - digest.times[first]
        if np.timedelta64(0, "h") < gap <= within:
            yield first, second


def departure(field: Map) -> Map:
    """Departure from the zonal mean."""
    return np.asarray(field - field.mean(1, keepdims=True))


def correlation(one: Map, other: Map, weights: Map) -> float:
    """Weighted correlation of two maps; 0 if one of them is constant."""
    total = weights.sum()
    one = one - (weights * one).sum() / total
    other = other - (weights * other).sum() / total
    size = (weights * one * one).sum() * (weights * other * other).sum()
    return float((weights * one * other).sum() / np.sqrt(size)) if size > 0 else 0.0


def slope(field: Map, on: Map, weights: Map) -> float:
    """Weighted least-squares slope of `field` on `on`; 0 if `on` is constant."""
    total = weights.sum()
    field = field - (weights * field).sum() / total
    on = on - (weights * on).sum() / total
    size = float((weights * on * on).sum())
    return float((weights * field * on).sum()) / size if size > 0 else 0.0


def area(digest: Digest, lowest: int | float, highest: int | float) -> Map:
    """Area weights where the absolute latitude (degrees) is within bounds, 0 elsewhere."""
    inside = (np.abs(digest.latitude) >= lowest) & (np.abs(digest.latitude) <= highest)
    row = np.where(inside[:, None], digest.weights, 0.0)
    return np.broadcast_to(row, (digest.latitude.size, digest.longitude.size))
