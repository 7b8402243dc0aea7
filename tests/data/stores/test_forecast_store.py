"""Laws of the forecast store: complete or absent, resumable, readable, and honest about trouble."""

import json
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from data.stores import Cell, ForecastStore
from tests.data.stores.small_forecast import (
    LATITUDE,
    LONGITUDE,
    fields,
    header,
    interrupted,
    tree,
    write_all,
)

# ---- what stands in the store ----------------------------------------------------------------


def test_opens_with_nothing_but_open_zarr_and_holds_what_was_written(tmp_path):
    head = header()
    ds = xr.open_zarr(write_all(tmp_path / "f.zarr", head))  # a warning would be an error
    assert ds.geopotential.dims == (
        "time",
        "prediction_timedelta",
        "level",
        "latitude",
        "longitude",
    )
    assert ds.prediction_timedelta.dtype == "timedelta64[ns]"
    assert tuple(ds.prediction_timedelta.values) == head.leads
    assert ds.time.values.tolist() == [np.datetime64("2024-06-03T06", "ns").astype(int)]
    np.testing.assert_array_equal(ds.valid_time, ds.time + ds.prediction_timedelta)
    np.testing.assert_array_equal(ds.latitude, LATITUDE)
    for i in range(4):
        for name, values in fields(head, i).items():
            np.testing.assert_array_equal(ds[name].isel(time=0, prediction_timedelta=i), values)


def test_chunks_are_one_lead_time_each(tmp_path):
    ds = xr.open_zarr(write_all(tmp_path / "f.zarr", header()))
    assert ds.geopotential.encoding["chunks"] == (1, 1, 2, 7, 12)


def test_members_and_several_initial_times_have_their_places(tmp_path):
    head = header(
        init_times=tuple(np.datetime64(f"2024-06-03T{h}", "ns") for h in ("06", "18")),
        members=(0, 1, 2),
    )
    ds = xr.open_zarr(write_all(tmp_path / "f.zarr", head))
    assert ds.geopotential.dims[:3] == ("time", "number", "prediction_timedelta")
    i = head.cells.index(Cell(init=1, member=2, lead=3))
    stored = ds["2m_temperature"].isel(time=1, number=2, prediction_timedelta=3)
    np.testing.assert_array_equal(stored, fields(head, i)["2m_temperature"])


def test_float32_coordinates_keep_their_values(tmp_path):
    gaussian = tuple(np.float32([-87.1875, -30.1, 0.3, 87.1875]).astype(float))
    head = header(latitude=gaussian)
    ds = xr.open_zarr(write_all(tmp_path / "f.zarr", head))
    np.testing.assert_array_equal(ds.latitude.astype("f4"), np.float32(gaussian))


def test_every_variable_and_coordinate_is_described(tmp_path):
    ds = xr.open_zarr(write_all(tmp_path / "f.zarr", header(members=(0, 1))), decode_cf=False)
    for name, variable in ds.variables.items():
        assert {"long_name", "units"} <= set(variable.attrs), name
    assert ds["total_precipitation_6hr"].cell_methods.startswith("prediction_timedelta: sum")
    assert ds.level.positive == "down"
    assert ds.forecast_reference_time.standard_name == "forecast_reference_time"
    assert ds.prediction_timedelta.standard_name == "forecast_period"
    assert ds.attrs["Conventions"] == "CF-1.11"
    assert json.loads(ds.attrs["provenance"]) == {"weights": "sha256:0"}
    assert "institution" not in ds.attrs


@pytest.mark.parametrize("members", [(), (0, 1)])
def test_a_cf_checker_finds_no_error(tmp_path, members):
    # The checker reads the store through netCDF-C, which knows format 2, in a process of its own:
    # netCDF-C's Zarr layer may corrupt memory when a process ends, long after it has read.
    path = write_all(tmp_path / "f.zarr", header(members=members, zarr_format=2))
    report = tmp_path / "report.json"
    command = ["compliance-checker", "--test=cf:1.11", "--format=json", f"--output={report}", path]
    subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:]], capture_output=True, check=False
    )
    results = json.loads(report.read_text())["cf:1.11"]
    errors = [line for entry in results["high_priorities"] for line in entry["msgs"]]
    assert [line for line in errors if not line.endswith('must end with ".nc"')] == []


def test_a_damaged_chunk_raises_and_a_lost_one_reads_as_nan(tmp_path):
    path = write_all(tmp_path / "f.zarr", header())
    chunk = path / "geopotential" / "c.0.1.0.0.0"
    content = bytearray(chunk.read_bytes())
    content[-1] ^= 1
    chunk.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="checksum"):
        xr.open_zarr(path).geopotential.isel(prediction_timedelta=1).load()
    chunk.unlink()
    assert xr.open_zarr(path).geopotential.isel(prediction_timedelta=1).isnull().all()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_both_formats_of_zarr_hold_the_same(tmp_path, zarr_format):
    path = write_all(tmp_path / "f.zarr", header(zarr_format=zarr_format))
    assert zarr.open_group(path, mode="r").metadata.zarr_format == zarr_format
    interrupted(tmp_path / "g.zarr", header(zarr_format=zarr_format), cells=2)
    again = write_all(tmp_path / "g.zarr", header(zarr_format=zarr_format))
    assert tree(again) == tree(path)
    three = xr.open_zarr(write_all(tmp_path / "3.zarr", header()))
    xr.testing.assert_identical(xr.open_zarr(path).drop_attrs(), three.drop_attrs())


# ---- refusals --------------------------------------------------------------------------------


def test_an_existing_store_is_refused_and_stays_until_the_new_one_is_complete(tmp_path):
    path = write_all(tmp_path / "f.zarr", header())
    before = tree(path)
    with pytest.raises(FileExistsError, match="is there already; choose another output or replace"):
        ForecastStore.open_or_create(path, header())
    newer = header(source="a newer forecast")
    with ForecastStore.open_or_create(path, newer, overwrite=True) as store:
        for i, cell in enumerate(newer.cells):
            store.write(cell.lead, fields(newer, i + 9))
            assert tree(path) == before
        store.finish()
    assert xr.open_zarr(path).attrs["source"] == "a newer forecast"


def test_a_partial_of_another_forecast_is_refused_unless_overwritten(tmp_path):
    path = tmp_path / "f.zarr"
    interrupted(path, header(), cells=2)
    other = header(provenance='{"weights": "sha256:1"}')
    with pytest.raises(FileExistsError, match="with other inputs, weights or settings"):
        ForecastStore.open_or_create(path, other)
    with ForecastStore.open_or_create(path, other, overwrite=True) as store:
        assert store.committed_leads() == ()


def test_only_a_forecast_store_is_ever_replaced(tmp_path):
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter1").write_text("words")
    with pytest.raises(
        FileExistsError, match="is not a forecast store, so it will not be replaced"
    ):
        ForecastStore.open_or_create(precious, header(), overwrite=True)
    (tmp_path / "f.zarr.partial").mkdir()
    (tmp_path / "f.zarr.partial" / "chapter2").write_text("words")
    with pytest.raises(FileExistsError, match=r"holds \['chapter2'\], which are not ours"):
        ForecastStore.open_or_create(tmp_path / "f.zarr", header(), overwrite=True)


def test_two_writers_of_one_store_are_refused(tmp_path):
    with (
        ForecastStore.open_or_create(tmp_path / "f.zarr", header()),
        pytest.raises(FileExistsError, match="another process is writing"),
    ):
        ForecastStore.open_or_create(tmp_path / "f.zarr", header())


def test_an_unwritable_place_is_said_before_computing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write the forecast to .* choose an output"):
        ForecastStore.open_or_create(tmp_path / "file" / "f.zarr", header())
    with pytest.raises(ValueError, match=r"is written to a local path, got gs://bucket/f\.zarr"):
        ForecastStore.open_or_create("gs://bucket/f.zarr", header())


def test_too_small_a_disk_is_said_before_computing(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**6, 10**6, 1000))
    with pytest.raises(OSError, match=r"may need 0\.0 GB but .* has 0\.0 GB free; make room"):
        ForecastStore.open_or_create(tmp_path / "f.zarr", header())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"geopotential": np.full((2, 7, 12), np.nan)}, r"at \+6 h .* not finite in geopotential"),
        ({"geopotential": np.zeros((3, 7, 12))}, r"must have the shape \(2, 7, 12\)"),
        ({"msl": np.zeros((7, 12))}, r"missing are \[\], not in the header \['msl'\]"),
    ],
)
def test_wrong_fields_are_refused_and_nothing_is_committed(tmp_path, change, message):
    with ForecastStore.open_or_create(tmp_path / "f.zarr", header()) as store:
        with pytest.raises(ValueError, match=message):
            store.write(0, {**fields(header(), 0), **change})
        assert store.committed_leads() == ()


def test_a_dataset_in_another_order_or_place_is_put_right_or_refused(tmp_path):
    head = header()
    arrays = fields(head, 0)
    ds = xr.Dataset(
        {n: (("time", *head.field_dims(n)), values[None]) for n, values in arrays.items()},
        {"level": [500, 850], "latitude": list(LATITUDE), "longitude": list(LONGITUDE)},
    )
    with ForecastStore.open_or_create(tmp_path / "f.zarr", head) as store:
        store.write(0, ds.transpose("longitude", ...))
        np.testing.assert_array_equal(store.read(0).geopotential, arrays["geopotential"])
        with pytest.raises(ValueError, match="must be on the latitude of the forecast store"):
            store.write(1, ds.isel(latitude=slice(None, None, -1)))
        with pytest.raises(ValueError, match="outside this forecast store"):
            store.write(4, ds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variables": ("geopotental",)}, r"did you mean 'geopotential'\?"),
        (
            {"leads": ()},
            "at least one variable, one initial time and one lead time, got 3, 1 and 0",
        ),
        ({"leads": (np.timedelta64(0, "h"),)}, "lead times must be positive, got 0 hours"),
        (
            {"leads": (np.timedelta64(90, "m"),)},
            "must be whole hours, got one that is 1800 seconds",
        ),
        ({"levels": (850, 500)}, r"levels must ascend without repeats, got \[850, 500\]"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        header(**change)


def test_an_error_before_the_first_cell_leaves_nothing_behind(tmp_path):
    head = header()
    with (
        pytest.raises(RuntimeError, match="no memory"),
        ForecastStore.open_or_create(tmp_path / "f.zarr", head),
    ):
        raise RuntimeError("no memory")
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(RuntimeError, match="no memory"),
        ForecastStore.open_or_create(tmp_path / "f.zarr", head) as store,
    ):
        store.write(0, fields(head, 0))
        raise RuntimeError("no memory")
    assert [path.name for path in tmp_path.iterdir()] == ["f.zarr.partial"]


def test_a_folder_with_broken_attributes_is_never_replaced(tmp_path):
    (tmp_path / "f.zarr").mkdir()
    (tmp_path / "f.zarr" / ".zattrs").write_text("{")
    with pytest.raises(FileExistsError, match="is not a forecast store, so it will not be"):
        ForecastStore.open_or_create(tmp_path / "f.zarr", header(), overwrite=True)
