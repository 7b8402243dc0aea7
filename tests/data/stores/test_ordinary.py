"""Our stores are ordinary Zarr 3: plain xarray opens them, takes a part and writes it elsewhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from data.stores.dataset import write_dataset
from tests.data.planet.test_store import fields as planet_fields
from tests.data.planet.test_store import opened as opened_planet
from tests.data.planet.test_store import state
from tests.data.stores.small_forecast import header, write_all


def scores_like(path: Path) -> Path:
    values = xr.DataArray(np.arange(6.0).reshape(2, 3), dims=("lead_time", "level"))
    dataset = xr.Dataset({"rmse": values}, {"entrant": "forecast", "metric": ["rmse"]})
    write_dataset(dataset, path)
    return path


def small_planet(path: Path) -> Path:
    with opened_planet(path) as planet:
        planet.append([planet_fields(i) for i in range(3)], state(3))
        planet.finish()
    return path


STORES: dict[str, Callable[[Path], Path]] = {
    "forecast": lambda path: write_all(path, header()),
    "planet": small_planet,
    "scores": scores_like,
}
PARTS: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {
    "all": lambda ds: ds,
    "a variable": lambda ds: ds[[sorted(map(str, ds.data_vars))[0]]],
    "a level at one time": lambda ds: ds.isel(level=0, time=-1, missing_dims="ignore"),
    "some levels": lambda ds: ds.isel(level=slice(1, None)),
}


@pytest.mark.parametrize("kind", STORES)
def test_any_part_of_a_store_can_be_written_elsewhere_with_xarray_s_defaults(kind, tmp_path):
    path = STORES[kind](tmp_path / "ours.zarr")
    root = zarr.open_group(path, mode="r")
    assert root.metadata.zarr_format == 3
    assert root.metadata.consolidated_metadata is not None
    whole = xr.open_zarr(path)
    few = sorted(whole.data_vars, key=lambda name: -whole[name].ndim)[:2]
    for number, (name, choose) in enumerate(PARTS.items()):
        with pytest.warns(UserWarning, match="Consolidated metadata"):  # zarr on xarray
            choose(xr.open_zarr(path)[few]).to_zarr(tmp_path / f"{number}.zarr")
        again = xr.open_zarr(tmp_path / f"{number}.zarr")
        xr.testing.assert_identical(again.load(), choose(xr.open_zarr(path)[few]).load()), name


def test_nothing_of_the_encoding_that_was_read_is_written(tmp_path):
    times = np.array(["2024-06-03T06", "2024-06-03T18"], "datetime64[ns]")
    values = np.float32([[1, 2], [3, 4]])
    old = xr.Dataset({"t": (("time", "x"), values)}, {"time": times})
    old.to_zarr(tmp_path / "2.zarr", zarr_format=2)
    write_dataset(xr.open_zarr(tmp_path / "2.zarr"), tmp_path / "3.zarr")
    xr.testing.assert_identical(xr.open_zarr(tmp_path / "3.zarr"), old)
    write_dataset(old, tmp_path / "again.zarr")
    files = [p.relative_to(tmp_path / "3.zarr") for p in (tmp_path / "3.zarr").rglob("*")]
    for file in files:
        if (tmp_path / "3.zarr" / file).is_file():
            same = (tmp_path / "again.zarr" / file).read_bytes()
            assert (tmp_path / "3.zarr" / file).read_bytes() == same, file
