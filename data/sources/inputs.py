"""Opening files as canonical Datasets: inputs of a forecast, and the truth to compare it with."""

from pathlib import Path

import numpy as np
import xarray as xr

from data.canonical import conventions
from data.sources.files import deepmind
from data.sources.files.formats import open_raw
from data.sources.files.opening import as_weather


def open_inputs(
    path_or_url: str | Path, *, init_time: np.datetime64 | None = None
) -> list[xr.Dataset]:
    """Canonical Datasets of a file, a Zarr store or a URL; one for each batch entry or member.

    Args:
        path_or_url: a GRIB or netCDF file, a Zarr store, or the URL of one (http, s3, gs).
        init_time: origin of relative times, for files that do not state it.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: the format is unknown, the file is damaged, or it cannot be made canonical.
            Damage inside a field (a missing chunk, a broken message) shows when it is computed.
    """
    where = str(path_or_url)
    return _canonical(where, open_raw(where), init_time)


def open_truth(path_or_url: str | Path, *, init_time: np.datetime64 | None) -> list[xr.Dataset]:
    """As `open_inputs` for a truth, whose relative times count from `init_time` itself.

    A file of inputs may begin with a window before its initial time; a truth file never does.
    """
    where = str(path_or_url)
    dataset = open_raw(where)
    if init_time is not None and deepmind.is_undated(dataset):
        dataset = deepmind.counted_from(init_time, dataset)
    return _canonical(where, dataset, None)


def _canonical(
    where: str, dataset: xr.Dataset, init_time: np.datetime64 | None
) -> list[xr.Dataset]:
    with as_weather(where):
        split = deepmind.entries(dataset, init_time) if deepmind.is_example(dataset) else [dataset]
        return [
            conventions.canonical(member)
            for entry in split
            for member in conventions.members(entry)
        ]
