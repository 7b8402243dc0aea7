"""`shard_of`: the regional means of statistics at one init time, lead time after lead time."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from data.wording import hour, hours, listed
from verification.averaging import RegionWeights
from verification.entrants import Entrant
from verification.means import Labels, Part
from verification.occasion import Reader
from verification.sample import Fields, Sample
from verification.statistic import Bins, Statistic

GLOBAL = "global"  # the region that statistics of the whole globe belong to


class _Cell(NamedTuple):
    """A statistic's means at one lead time, ([bins,] [level,] region), and their weights."""

    bins: Bins
    total: np.ndarray
    weight: np.ndarray | None  # None: 1 everywhere


def shard_of(
    entrants: Sequence[Entrant],
    reader: Reader,
    init_time: np.datetime64,
    statistics: Sequence[Statistic],
    weights: RegionWeights,
    *,
    missing: str,
    tick: Callable[[], None],
) -> dict[str, dict[str, Part]]:
    """Means of statistics at one init time, for entrants of one alignment.

    Raises:
        ValueError: a value is missing or not finite, and `missing` is "refuse"; a value is
            infinite; a field has an axis that its statistic does not declare.
    """
    alignment = entrants[0].alignment
    here = alignment.scored.sel(time=init_time).values
    leads = alignment.forecast["prediction_timedelta"].values
    cells: dict[tuple[str, Statistic], list[_Cell]] = {}
    for place in np.flatnonzero(here):
        occasion = reader.at(init_time, int(place))
        for entrant in entrants:
            sample = entrant.sample(occasion)
            gaps = _Gaps(sample) if missing == "count" else None
            for statistic in statistics:
                cell = _cell(statistic, sample, weights, gaps)
                if not np.isfinite(cell.total).all():
                    raise ValueError(_not_finite(statistic, init_time, leads[place], sample))
                cells.setdefault((entrant.name, statistic), []).append(cell)
        tick()
    shard: dict[str, dict[str, Part]] = {}
    for (name, statistic), row in cells.items():
        labels = _labels(statistic, row[0], leads[here], reader, weights)
        shard.setdefault(name, {})[repr(statistic)] = _part(labels, row)
    return shard


class _Gaps:
    """Where forecast or truth have no value, by the variables of a statistic; found once."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._found: dict[str, np.ndarray | None] = {}

    def of(self, statistic: Statistic) -> np.ndarray | None:
        """([level,] latitude, longitude), True where a value is missing; None where none is."""
        gaps = None
        for variable in statistic.variables:
            if variable not in self._found:
                self._found[variable] = self._look(variable)
            found = self._found[variable]
            gaps = found if gaps is None else gaps if found is None else gaps | found
        return gaps

    def _look(self, variable: str) -> np.ndarray | None:
        fields = [self._sample.truth, self._sample.forecast, self._sample.climatology]
        gaps = None
        for field in fields:
            if field is None or variable not in field:
                continue
            absent = np.isnan(field[variable])
            if absent.any():
                over_members = absent.ndim > self._sample.truth[variable].ndim
                absent = absent.any(axis=0) if over_members else absent
                gaps = absent if gaps is None else gaps | absent
        return gaps


def _cell(
    statistic: Statistic, sample: Sample, weights: RegionWeights, gaps: _Gaps | None
) -> _Cell:
    field = statistic.field(sample)
    bins = statistic.bins(sample)
    _check_axes(statistic, field, bins, sample)
    if statistic.whole_globe:
        return _of_the_globe(field, bins, weights)
    absent = None if gaps is None else gaps.of(statistic)
    if absent is None and not statistic.has_gaps:
        return _Cell(bins, weights.mean(field), None)
    if absent is not None:
        field = np.where(absent, np.nan, field)
    return _Cell(bins, *weights.mean_of_present(field))


def _of_the_globe(field: np.ndarray, bins: Bins, weights: RegionWeights) -> _Cell:
    """One number for the globe; the other regions have weight 0."""
    ours = np.array([name == GLOBAL for name in weights.names])
    total = field[..., None] * ours
    return _Cell(bins, total, np.broadcast_to(ours * 1.0, total.shape))


def _check_axes(statistic: Statistic, field: np.ndarray, bins: Bins, sample: Sample) -> None:
    """Refuse an axis that the statistic does not declare.

    Raises:
        ValueError: the field has more or fewer axes than its bins, levels and points.
    """
    plain = sample.truth[statistic.variables[0]].ndim - 2 * statistic.whole_globe
    declared = len(bins) + plain
    if field.ndim == declared:
        return
    undeclared_members = sample.members is not None and field.ndim == declared + 1
    remedy = (
        "wrap it in Each to take it of every member by itself"
        if undeclared_members and field.shape[0] == len(sample.members or ())
        else "name what it adds in `bins`"
    )
    raise ValueError(
        f"the field of {statistic!r} has {field.ndim} axes, and with "
        f"{listed([*bins, 'its points'])} the statistic declares {declared}; {remedy}"
    )


def _labels(
    statistic: Statistic,
    cell: _Cell,
    leads: np.ndarray,
    reader: Reader,
    weights: RegionWeights,
) -> Labels:
    on_levels = cell.total.ndim == len(cell.bins) + 2
    return (
        ("prediction_timedelta", tuple(leads)),
        *((name, tuple(values)) for name, values in cell.bins.items()),
        *((("level", reader.alignment.levels),) if on_levels else ()),
        ("region", weights.names),
    )


def _part(labels: Labels, cells: Sequence[_Cell]) -> Part:
    total = np.stack([cell.total for cell in cells])
    if all(cell.weight is None for cell in cells):
        return Part(labels, total, np.ones(len(cells)))
    weight = [np.ones_like(c.total) if c.weight is None else c.weight for c in cells]
    return Part(labels, total, np.stack(weight))


def _not_finite(
    statistic: Statistic, init_time: np.datetime64, lead: np.timedelta64, sample: Sample
) -> str:
    """The message that names the field, init time and lead time of values that are not finite."""
    roles: dict[str, Fields | None] = {
        "forecast": sample.forecast,
        "truth": sample.truth,
        "climatology": sample.climatology,
    }
    for role, fields in roles.items():
        for variable in statistic.variables if fields is not None else ():
            values = fields[variable] if fields is not None and variable in fields else np.zeros(1)
            if not np.isfinite(values).all():
                return (
                    f"the {role} of {variable} from {hour(init_time)} has values that are missing "
                    f"or not finite at +{hours(lead):g} h; they are not skipped: repair the {role},"
                    f" leave {variable} out, or have missing points counted (`missing` count)"
                )
    return (
        f"{statistic!r} from {hour(init_time)} is not finite though its fields are: look for "
        "values that are far too large"
    )
