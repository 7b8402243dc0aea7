"""Means and standard deviations of the weather: what a model's numbers are measured in.

Three statistics, each per variable and level, as in DeepMind's files: ``mean`` and ``stddev`` of
the values, ``diffs_stddev`` of the change over 6 h. All unweighted over the grid and over time, as
DeepMind's are, although a latitude-longitude grid counts the poles too often: only so do the
published numbers come out again.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float32

from data.channels import Channel
from data.stores.files import written_whole
from data.tallies import NO_SUMS, Sums, Tallies, Tally, sums_of
from data.task import Task
from data.variables import VARIABLES

FILES = {name: f"{name}_by_level.nc" for name in ("mean", "stddev", "diffs_stddev")}  # DeepMind's

# A field whose spread is below the rounding of its float32 values (2^-24 of the mean) does not
# vary.
CONSTANT = 2.0**-24


class Moments(NamedTuple):
    """The three statistics: variables on ``level`` (hPa), or scalar.

    Each Dataset says in its attribute ``statistic`` which one it is, for messages.
    """

    mean: xr.Dataset
    stddev: xr.Dataset
    diffs_stddev: xr.Dataset


def _labelled(statistics: Mapping[str, xr.Dataset]) -> Moments:
    """Moments from the three Datasets, which must have the same levels."""
    levels = [values for values in map(_levels, statistics.values()) if values]
    if len(set(levels)) > 1:
        odd = sorted({x for values in levels for x in values if not all(x in v for v in levels)})
        which = f"{', '.join(map(str, odd))} hPa are not in all" if odd else "their orders differ"
        raise ValueError(f"the three statistics stand on the same levels, and here {which}")
    if levels and len(set(levels[0])) < len(levels[0]):
        raise ValueError(f"each level of statistics comes once, and these came: {levels[0]}")
    return Moments(**{k: v.assign_attrs(statistic=k) for k, v in statistics.items()})


def _levels(dataset: xr.Dataset) -> tuple[int, ...]:
    return tuple(int(level) for level in dataset["level"].values) if "level" in dataset else ()


# Files and arrays.


def read_moments(directory: Path) -> Moments:
    """The three files of a statistics folder like DeepMind's, with whatever is in them."""
    lacking = [name for name in FILES.values() if not (directory / name).is_file()]
    if lacking:
        raise FileNotFoundError(
            f"a folder of statistics holds {', '.join(FILES.values())}; {directory} has no "
            + " and no ".join(lacking)
        )
    return _labelled({k: _read(directory / file) for k, file in FILES.items()})


def _read(path: Path) -> xr.Dataset:
    """What a file holds of known variables: one number each, or one for each level."""
    try:
        dataset = xr.load_dataset(path, engine="netcdf4")
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"statistics are netCDF files, and {path} cannot be read ({reason}); fetch it again"
        ) from error
    dataset = dataset[[name for name in dataset.data_vars if name in VARIABLES]]
    dataset = dataset.squeeze([d for d, n in dataset.sizes.items() if n == 1 and d != "level"])
    for name, array in dataset.data_vars.items():
        if array.dims not in ((), ("level",)) or array.dtype.kind not in "iuf":
            raise ValueError(
                f"statistics are one number for each variable, or for each level, and {path} has"
                f" {name} as {array.dtype} along {', '.join(map(str, array.dims)) or 'nothing'}"
            )
    if "level" in dataset.dims and "level" not in dataset.coords:
        raise ValueError(f"statistics say which levels they stand on, and {path} does not")
    return dataset


def write_moments(moments: Moments, directory: Path) -> None:
    """Write the three files that ``read_moments`` reads, making the folder."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, file in FILES.items():
        with written_whole(directory / file) as path:
            getattr(moments, name).to_netcdf(path)


def to_arrays(moments: Moments) -> dict[str, np.ndarray]:
    """The numbers under ``statistic/variable``, for a checkpoint, and ``level`` (hPa, int32)."""
    arrays = {
        f"{statistic}/{name}": array.values
        for statistic, dataset in moments._asdict().items()
        for name, array in dataset.items()
    }
    levels = max((_levels(dataset) for dataset in moments), key=len)
    return {**arrays, "level": np.array(levels, dtype=np.int32)}


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Moments:
    """The inverse of ``to_arrays``. Arrays with other names are not ours and are left alone."""
    if "level" not in arrays:
        raise ValueError(f"statistics have an array 'level'; these are {sorted(arrays)}")
    statistics = {}
    for statistic in FILES:
        prefix = statistic + "/"
        fields = {
            key.removeprefix(prefix): xr.DataArray(array, dims=("level",)[: np.ndim(array)])
            for key, array in arrays.items()
            if key.startswith(prefix)
        }
        statistics[statistic] = xr.Dataset(fields, coords={"level": np.asarray(arrays["level"])})
    return _labelled(statistics)


def column(
    statistic: xr.Dataset, channels: tuple[Channel, ...]
) -> Float32[np.ndarray, " channels"]:
    """One statistic for each channel; levels are matched by label.

    Raises ValueError naming every channel that is missing, and every standard deviation that is not
    positive: something will be divided by it.
    """
    name = statistic.attrs.get("statistic", "statistic")
    found = {channel: _lookup(statistic, channel) for channel in channels}
    lacking = [str(channel) for channel, value in found.items() if value is None]
    if lacking:
        raise ValueError(f"the {name} file or array has no {', '.join(lacking)}")
    values = np.array([found[channel] for channel in channels], dtype=np.float32)
    usable = np.isfinite(values) & ((values > 0) | (name not in ("stddev", "diffs_stddev")))
    if not usable.all():
        bad = [f"{channels[i]} ({values[i]})" for i in np.flatnonzero(~usable)]
        raise ValueError(f"a {name} is finite, and positive if divided by; not so {', '.join(bad)}")
    return values


def _lookup(statistic: xr.Dataset, channel: Channel) -> float | None:
    if channel.variable not in statistic:
        return None
    array = statistic[channel.variable]
    if ("level" in array.dims) != (channel.level is not None):
        return None
    if channel.level is None:
        return float(array)
    where = np.flatnonzero(statistic["level"].values == channel.level)
    return float(array.values[where[0]]) if where.size else None


# Computing them.


def moments_of(datasets: xr.Dataset | Iterable[xr.Dataset], task: Task) -> Moments:
    """The moments of every variable of a task, in one pass that holds 6 hours of frames in memory.

    ``datasets`` are canonical. Forcings that they lack are computed. Changes are taken between
    frames of one Dataset exactly 6 h apart, for the targets only. ``diffs_stddev`` is the standard
    deviation about the mean change, as the paper's inverse variances are; a model adds no mean
    change to its prediction, and over years that mean is zero but for a trend.

    An input that does not vary (a planet without land, a single season's clock) gets the standard
    deviation 1: it is then normalised to 0, and says nothing, as it should. A target that does not
    vary, or never changes, is refused: no weather does that, and no error could be measured in it.
    Refused too are missing variables and levels, and values that are not finite.
    """
    latest = NO_SUMS
    for sums in sums_of([datasets] if isinstance(datasets, xr.Dataset) else datasets, task):
        latest = sums
    return moments_from(latest, task)


def moments_from(sums: Sums, task: Task) -> Moments:
    """The moments from the sums of a whole pass (``data.tallies``); errors as ``moments_of``."""
    values, changes = sums.values, sums.changes
    if not changes:
        raise ValueError("no two frames are exactly 6 h apart, so there is no change to measure")
    _check_targets_vary(values, changes, task)
    return _labelled(
        {
            "mean": _as_dataset({name: t.mean for name, t in values.items()}, task),
            "stddev": _as_dataset({name: _usable_stddev(t) for name, t in values.items()}, task),
            "diffs_stddev": _as_dataset({name: t.stddev for name, t in changes.items()}, task),
        }
    )


def _is_constant(t: Tally) -> np.ndarray:
    return np.asarray(t.stddev <= CONSTANT * np.abs(t.mean))


def _usable_stddev(t: Tally) -> np.ndarray:
    return np.where(_is_constant(t), 1.0, t.stddev)


def _check_targets_vary(values: Tallies, changes: Tallies, task: Task) -> None:
    stuck = [
        name
        for name in task.targets
        if _is_constant(values[name]).any() or _is_constant(changes[name]).any()
    ]
    if stuck:
        raise ValueError(
            f"what a task predicts varies, but {', '.join(stuck)} is the same everywhere or at all "
            "times (on some level); check the data, or take it out of the targets"
        )


def _as_dataset(fields: Mapping[str, np.ndarray], task: Task) -> xr.Dataset:
    return xr.Dataset(
        {name: xr.DataArray(v, dims=("level",)[: v.ndim]) for name, v in sorted(fields.items())},
        coords={"level": np.array(task.levels, dtype=np.int32)},
    )
