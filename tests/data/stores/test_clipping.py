"""Values below zero: 0 in the store, counted, and kept for the steps that go on from them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data.stores import Cell, ForecastHeader, ForecastStore
from tests.data.stores.small_forecast import fields, header, tree, write_all

RAIN = "total_precipitation_6hr"


def clipping(**changes) -> ForecastHeader:
    return header(nonnegative=(RAIN,), **changes)


def test_a_written_forecast_has_nothing_below_zero_and_says_how_much_was_cut_off(tmp_path):
    head = clipping()
    stored = xr.open_zarr(write_all(tmp_path / "f.zarr", head))
    raw = np.stack([fields(head, i)[RAIN] for i in range(4)])
    np.testing.assert_array_equal(stored[RAIN].values[0], np.where(raw < 0, 0, raw))
    assert (stored["geopotential"] < 0).any()  # it may be
    attrs = stored[RAIN].attrs
    assert attrs["clipped_fraction"] == (raw < 0).mean()
    assert attrs["clipped_minimum"] == raw.min()
    # the same numbers, added in another order: 336 float64 sums
    assert attrs["clipped_mean"] == pytest.approx(np.minimum(raw, 0).mean(dtype=float), rel=1e-12)
    assert attrs["comment"].startswith("values below zero, which the model may predict, are set to")


def test_a_forecast_goes_on_from_what_was_predicted(tmp_path):
    head = clipping()
    with ForecastStore.open_or_create(tmp_path / "f.zarr", head) as store:
        for lead in range(4):
            store.write(lead, fields(head, lead))
            for earlier in range(max(0, lead - 1), lead + 1):
                predicted = store.read(earlier)[RAIN].values
                assert predicted.tobytes() == fields(head, earlier)[RAIN].tobytes()
        with pytest.raises(ValueError, match=r"goes on from values as they were predicted, and .*"):
            store.read(0)
    with ForecastStore.open_or_create(tmp_path / "f.zarr", head) as store:
        assert store.read(3)[RAIN].values.min() < 0


@pytest.mark.parametrize("cells", [1, 5, 7])
def test_an_interrupted_forecast_ends_in_the_same_bytes(tmp_path, cells):
    head = clipping(members=(0, 1))
    whole = tree(write_all(tmp_path / "whole.zarr", head))
    path = tmp_path / "f.zarr"
    with ForecastStore.open_or_create(path, head) as store:
        for i, cell in enumerate(head.cells[:cells]):
            store.write(cell.lead, fields(head, i), init=cell.init, member=cell.member)
        # killed after it wrote a cell and before it committed it; then in the middle of a line
        lost = head.cells[cells]
        store._clipping.clipped(Cell(*lost), fields(head, cells))
    with (tmp_path / "f.zarr.partial" / "store" / ".below_zero" / "counts").open("a") as counts:
        counts.write('[[0, 1, 3], {"total')
    assert tree(write_all(path, head)) == whole
    kept = {name for name in whole if name.startswith(".below_zero")}
    assert kept == {f".below_zero/0.{m}.{lead}.npz" for m in (0, 1) for lead in (2, 3)} | {
        ".below_zero/counts"
    }


def test_a_longer_forecast_takes_over_what_was_cut_off_from_a_shorter_one(tmp_path):
    head = clipping()
    expected = tree(write_all(tmp_path / "whole.zarr", head))
    shorter = replace(head, leads=head.leads[:2])
    path = write_all(tmp_path / "f.zarr", shorter)
    with ForecastStore.open_or_create(path, head, grows=True) as store:
        store.take(path, {cell: cell for cell in shorter.cells})
        for lead in (0, 1):
            predicted = store.read(lead)[RAIN].values
            assert predicted.tobytes() == fields(head, lead)[RAIN].tobytes()
        for lead in (2, 3):
            store.write(lead, fields(head, lead))
        store.finish()
    assert tree(path) == expected


def test_a_raw_forecast_is_written_as_it_was_predicted(tmp_path):
    stored = xr.open_zarr(write_all(tmp_path / "f.zarr", header()))
    assert stored[RAIN].values.min() < 0
    assert "clipped_fraction" not in stored[RAIN].attrs
    assert not Path(tmp_path, "f.zarr", ".below_zero").exists()


def test_readers_that_know_nothing_of_it_see_nothing_of_it(tmp_path):
    path = write_all(tmp_path / "f.zarr", clipping())
    assert set(xr.open_zarr(path).data_vars) == set(clipping().variables)
    names = json.loads((path / "zarr.json").read_text())["consolidated_metadata"]["metadata"]
    assert not any("below" in name for name in names)
