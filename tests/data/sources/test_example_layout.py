"""DeepMind's example layout: relative times, a batch, and forcings apart."""

import numpy as np
import pytest
import xarray as xr

from data.sources import open_inputs, open_truth
from tests.data.sources.files_of_all_formats import HOUR, INIT, weather, written
from tests.reference import PARITY


def example(frames: list[int], *, batch: int = 1, datetime: bool = False) -> xr.Dataset:
    """DeepMind's layout with relative hours `frames`; entry b is 1 K warmer than b - 1."""
    one = weather(len(frames)).rename(latitude="lat", longitude="lon")
    relative = np.array(frames, dtype="timedelta64[h]").astype("timedelta64[ns]")
    one = one.isel(lat=slice(None, None, -1)).assign_coords(time=relative)
    static = one[["land_sea_mask"]]
    entries = [one.drop_vars("land_sea_mask") + b for b in range(batch)]
    dataset = xr.concat(entries, dim="batch").assign(static.data_vars)
    if datetime:
        absolute = INIT + relative + 24 * HOUR * np.arange(batch)[:, np.newaxis]
        dataset = dataset.assign_coords(datetime=(("batch", "time"), absolute))
    return dataset


def test_each_batch_entry_has_its_own_dates(tmp_path):
    path = written(example([0, 6, 12], batch=2, datetime=True), tmp_path / "example.nc")
    one, two = open_inputs(path)
    assert one["time"].values.tolist() == (INIT + HOUR * np.array([0, 6, 12])).tolist()
    assert (two["time"].values - one["time"].values == 24 * HOUR).all()
    assert "batch" not in one.dims
    np.testing.assert_allclose(two["temperature"] - one["temperature"], 1, atol=1e-4)
    np.testing.assert_array_equal(two["land_sea_mask"], one["land_sea_mask"])
    assert one["land_sea_mask"].dims == ("latitude", "longitude")


@pytest.mark.parametrize(
    ("frames", "first"),
    [([-6, 0], -6), ([0, 6], -6), ([0, 6, 12], -6), ([-6, 0, 6], -6), ([6, 12], 6), ([6], 6)],
)
def test_relative_times_count_from_the_initial_time(tmp_path, frames, first):
    path = written(example(frames), tmp_path / "example.nc")
    (dataset,) = open_inputs(path, init_time=INIT)
    assert dataset["time"].values[0] == INIT + first * HOUR


def test_forcings_alone_always_count_from_zero(tmp_path):
    forcings = example([0, 6]).rename({"2m_temperature": "toa_incident_solar_radiation"})
    path = written(forcings[["toa_incident_solar_radiation"]], tmp_path / "forcings.nc")
    (dataset,) = open_inputs(path, init_time=INIT)
    assert dataset["time"].values[0] == INIT


def test_times_of_an_example_are_counted_whatever_their_order(tmp_path):
    path = written(example([0, -6]), tmp_path / "turned.nc")
    (dataset,) = open_inputs(path, init_time=INIT)
    np.testing.assert_array_equal(dataset["time"], INIT + HOUR * np.array([-6, 0]))
    path = written(example([0, 6, 12, 18]), tmp_path / "example.nc")
    (dataset,) = open_inputs(path, init_time=INIT)
    np.testing.assert_array_equal(dataset["time"], INIT + HOUR * np.array([-6, 0, 6, 12]))


def test_what_followed_counts_from_the_initial_time_itself(tmp_path):
    path = written(example([0, 6, 12]), tmp_path / "truth.nc")
    (dataset,) = open_truth(path, init_time=INIT)
    np.testing.assert_array_equal(dataset["time"], INIT + HOUR * np.array([0, 6, 12]))


def test_relative_times_without_an_initial_time_are_refused(tmp_path):
    path = written(example([-6, 0]), tmp_path / "example.nc")
    with pytest.raises(ValueError, match=r"example\.nc: the initial time must be known"):
        open_inputs(path)


@pytest.mark.parametrize("case", PARITY)
def test_reference_files_come_back_to_the_bit(case):
    path = PARITY[case] / "inputs.nc"
    raw = xr.load_dataset(path, decode_timedelta=True).isel(batch=0)
    (dataset,) = open_inputs(path, init_time=INIT)
    assert dataset["time"].values.tolist() == [(INIT - 6 * HOUR).astype(int), INIT.astype(int)]
    for name in raw.data_vars:
        np.testing.assert_array_equal(dataset[name], raw[name].values, err_msg=str(name))
    np.testing.assert_array_equal(dataset["latitude"], raw["lat"])
