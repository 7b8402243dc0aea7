"""Starts: all labels are checked when inputs are opened, and values when a window is read."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from graphcast.checkpoints import write_checkpoint
from graphcast.operations import Member, Weights, open_starts, open_weights
from graphcast.operations.weights import resolution_finding
from mesh.grid import LatLonGrid

from ..conftest import TASK, smooth_analyses

GRID = LatLonGrid.regular(20.0)
INIT = np.datetime64("2024-06-03T06", "ns")


def batch(folder, *changes):
    """A file with an entry for each change of two frames of analyses."""
    frames = smooth_analyses(GRID, 2)
    entries = xr.concat([change(frames) for change in changes], "batch")
    dated = entries.rename(latitude="lat", longitude="lon")
    dated.to_netcdf(folder / "batch.nc")
    return str(folder / "batch.nc")


def test_entries_of_one_time_are_members(tmp_path):
    path = batch(tmp_path, lambda d: d, lambda d: d + 1.0)
    starts = open_starts(TASK, path, init_times=(INIT,))
    assert starts.init_times == (INIT,)
    assert starts.members == (Member(0, 0), Member(1, 1))
    assert starts.grid.shape == GRID.shape
    first, second = (starts.window(INIT, member) for member in starts.members)
    # float32: 288 K has steps of 3e-5 K
    np.testing.assert_allclose(
        second.frames["2m_temperature"] - first.frames["2m_temperature"], 1.0, atol=1e-4
    )


def test_an_entry_that_is_not_there_gets_a_sentence(tmp_path):
    starts = open_starts(TASK, batch(tmp_path, lambda d: d), init_times=(INIT,))
    with pytest.raises(ValueError, match=r"have 1 entries for 2024-06-03T06, and entry 3"):
        starts.window(INIT, Member(entry=3))


def test_labels_are_checked_without_values_and_values_when_read(tmp_path):
    path = batch(tmp_path, lambda d: d, lambda d: d - 273.15)
    starts = open_starts(TASK, path, init_times=(INIT,))
    starts.window(INIT, starts.members[0])
    with pytest.raises(ValueError, match="K"):
        starts.window(INIT, starts.members[1])
    (tmp_path / "lacking").mkdir()
    lacking = batch(tmp_path / "lacking", lambda d: d.drop_vars("temperature"))
    with pytest.raises(ValueError, match="lacks temperature"):
        open_starts(TASK, lacking, init_times=(INIT,))


def test_some_equal_init_times_are_refused(tmp_path):
    frames = smooth_analyses(GRID, 2)
    times = frames["time"].values + np.array([[0], [0], [24]], "m8[h]")
    entries = xr.concat([frames] * 3, "batch").rename(latitude="lat", longitude="lon")
    relative = entries.assign_coords(time=frames["time"] - frames["time"][-1])
    relative.assign_coords(datetime=(("batch", "time"), times)).to_netcdf(tmp_path / "mixed.nc")
    with pytest.raises(ValueError, match="these 3 entries start at 2 times"):
        open_starts(TASK, str(tmp_path / "mixed.nc"))


def test_forcings_are_for_all_entries_or_for_each(tmp_path):
    path = batch(tmp_path, *[lambda d: d] * 3)
    frames = smooth_analyses(GRID, 2).rename(latitude="lat", longitude="lon")
    xr.concat([frames] * 2, "batch").to_netcdf(tmp_path / "forcings.nc")
    with pytest.raises(ValueError, match="it has 2 and `inputs` has 3"):
        open_starts(TASK, path, forcings=str(tmp_path / "forcings.nc"), init_times=(INIT,))


def test_another_resolution_is_a_finding(world):
    assert resolution_finding(world.checkpoint, world.grid) is None  # made for any
    trained = replace(world.checkpoint, spec=replace(world.checkpoint.spec, resolution=0.25))
    finding = resolution_finding(trained, world.grid)
    assert finding is not None
    assert "made for a grid of 0.25°, and the inputs are on one of 20° × 20°" in finding.message
    assert resolution_finding(trained, LatLonGrid.regular(0.25)) is None


def test_weights_are_named_by_the_bytes_of_their_files(world, tmp_path):
    for name in ("one.safetensors", "same.safetensors"):
        write_checkpoint(world.checkpoint, tmp_path / name)
    one, same = (open_weights(tmp_path / name) for name in ("one.safetensors", "same.safetensors"))
    assert isinstance(one, Weights)
    assert one.digest == same.digest
    assert one.digest.description == "random weights"
