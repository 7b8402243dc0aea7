"""The statistics that a model's fields are normalised by: the bundle, its files and its arrays.

Three statistics, each per variable and level, as in DeepMind's files: `mean` and `stddev` of the
values, `diffs_stddev` of the change over a step (6 h). None is weighted, neither over the grid nor
over time, as DeepMind's are not: weighting by area would be fairer to the poles, but would not
reproduce the published numbers. `data.statistics` computes them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float32

from data.channels import Channel
from data.sources.files.opening import opened
from data.stores.building import Building
from data.stores.files import written_aside
from data.stores.kind import STATISTICS_FILES
from data.unreadable import reading
from data.variables import VARIABLES
from data.wording import listed

FILES = STATISTICS_FILES
MOST_BYTES = 10_000_000  # of a file: numbers of a hundred variables on 137 levels take 0.1 MB


class Moments(NamedTuple):
    """The three statistics: variables on `level` (hPa), or scalar.

    The attribute `statistic` of each Dataset says which one it is, for messages.
    """

    mean: xr.Dataset
    stddev: xr.Dataset
    diffs_stddev: xr.Dataset

    @classmethod
    def labelled(cls, statistics: Mapping[str, xr.Dataset]) -> "Moments":
        """The bundle of three Datasets by name, each with its attribute `statistic`.

        Raises:
            ValueError: they stand on different levels, or a level comes twice.
        """
        levels = [values for values in map(_levels, statistics.values()) if values]
        if len(set(levels)) > 1:
            odd = sorted({x for v in levels for x in v if not all(x in other for other in levels)})
            which = (
                f"{', '.join(map(str, odd))} hPa are not in all" if odd else "their orders differ"
            )
            raise ValueError(f"the three statistics stand on the same levels, and here {which}")
        if levels and len(set(levels[0])) < len(levels[0]):
            raise ValueError(f"each level of statistics comes once, and these came: {levels[0]}")
        return cls(**{k: v.assign_attrs(statistic=k) for k, v in statistics.items()})


def read_moments(directory: Path) -> Moments:
    """The statistics in a folder with DeepMind's three files, of the variables that we know.

    Raises:
        FileNotFoundError: one of the files is missing.
        ValueError: a file is damaged, or holds more than one number per variable and level.
    """
    lacking = [name for name in FILES.values() if not (directory / name).is_file()]
    if lacking:
        raise FileNotFoundError(
            f"a folder of statistics holds {', '.join(FILES.values())}; {directory} has no "
            + " and no ".join(lacking)
        )
    return Moments.labelled({k: _read(directory / file) for k, file in FILES.items()})


def write_moments(moments: Moments, directory: Path) -> None:
    """Write a folder of statistics, whole, in place of an earlier one.

    Raises:
        FileExistsError: the folder holds files other than statistics.
    """
    make_way(directory)
    with Building.open(directory, "statistics", "written at once", overwrite=True) as building:
        write_files(moments, building.folder)
        building.finish()


def write_files(moments: Moments, folder: Path) -> None:
    """Write the three files into a folder under construction."""
    for name, file in FILES.items():
        with written_aside(folder / file) as path:
            getattr(moments, name).drop_encoding().to_netcdf(path)


def make_way(directory: Path) -> None:
    """Remove an empty folder; refuse one that statistics may not replace.

    Raises:
        FileExistsError: the folder holds files other than statistics.
    """
    if not directory.is_dir():
        return
    names = {path.name for path in directory.iterdir()}
    if others := {name for name in names if not name.startswith(".")} - {*FILES.values()}:
        raise FileExistsError(
            f"a folder of statistics holds nothing else, for it is replaced as a whole, and"
            f" {directory} has {listed(sorted(others))}; choose another folder"
        )
    if not names:
        directory.rmdir()


def to_arrays(moments: Moments) -> dict[str, np.ndarray]:
    """The numbers under `statistic/variable`, for a checkpoint, and `level` (hPa, int32)."""
    arrays = {
        f"{statistic}/{name}": array.values
        for statistic, dataset in moments._asdict().items()
        for name, array in dataset.items()
    }
    levels = max((_levels(dataset) for dataset in moments), key=len)
    return {**arrays, "level": np.array(levels, dtype=np.int32)}


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Moments:
    """The inverse of `to_arrays`; arrays with other names are ignored.

    Raises:
        ValueError: there is no array `level`, or the levels of the statistics differ.
    """
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
    return Moments.labelled(statistics)


def column(
    statistic: xr.Dataset, channels: tuple[Channel, ...]
) -> Float32[np.ndarray, " channels"]:
    """One statistic for each channel; levels are matched by label.

    Raises:
        ValueError: channels are missing, or a standard deviation, which is a divisor, is not
            positive. All such channels are named.
    """
    name = statistic.attrs.get("statistic", "statistic")
    numbers = {channel: _lookup(statistic, channel) for channel in channels}
    lacking = [str(channel) for channel, value in numbers.items() if value is None]
    if lacking:
        raise ValueError(f"the {name} file or array has no {', '.join(lacking)}")
    values = np.array([numbers[channel] for channel in channels], dtype=np.float32)
    usable = np.isfinite(values) & ((values > 0) | (name not in ("stddev", "diffs_stddev")))
    if not usable.all():
        bad = [f"{channels[i]} ({values[i]})" for i in np.flatnonzero(~usable)]
        raise ValueError(f"a {name} is finite, and positive if divided by; not so {', '.join(bad)}")
    return values


def _levels(dataset: xr.Dataset) -> tuple[int, ...]:
    return tuple(int(level) for level in dataset["level"].values) if "level" in dataset else ()


def _read(path: Path) -> xr.Dataset:
    """The known variables of one file, each scalar or on `level`."""
    with reading(f"statistics are netCDF files, and {path} cannot be read", "fetch it again"):
        dataset = opened(path, str(path), size=path.stat().st_size, engine="netcdf4")
        if dataset.nbytes > MOST_BYTES:
            raise ValueError(f"it declares {dataset.nbytes:,} bytes")
        dataset.load()
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
