"""A small archive, and datasets made from it."""

from pathlib import Path

import numpy as np
import xarray as xr

from data.preparation import Recipe, prepare
from tests.data.sources.loopback import LATITUDE, LONGITUDE, TASK

ROOT = str(Path(__file__).parents[3])

TWO_TIMES = 2 * 4 * 5 * LATITUDE.size * LONGITUDE.size  # bytes: 2 variables on 2 levels and 1

HOUR = np.timedelta64(1, "h")


def times(source: str, count: int | None = None) -> np.ndarray:
    with xr.open_zarr(source) as opened:
        return opened["time"].values[:count]


def made(source: str, path: Path, count: int | None = None, **options) -> Path:
    options = {"task": TASK, "group_bytes": TWO_TIMES, "force": True, **options}
    recipe = options.pop("recipe", Recipe(source))
    return prepare(recipe, path, times=times(source, count), **options).path
