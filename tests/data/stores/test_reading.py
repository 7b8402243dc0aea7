"""A chunk that is missing is an error, wherever and whenever it is read."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data.sources import open_inputs, open_series
from data.stores.reading import MissingChunkError, whole


def stored(path: Path, zarr_format: int) -> Path:
    """Two times on a small globe, one time in a chunk, and a member's number."""
    shape = (2, 3, 4)
    fields = {
        "2m_temperature": (("time", "latitude", "longitude"), np.full(shape, 280, np.float32)),
        "codes": (("latitude", "longitude"), np.zeros(shape[1:], np.int32)),
    }
    coords = {
        "time": np.array(["2020-01-01T00", "2020-01-01T06"], "datetime64[ns]"),
        "latitude": [-60.0, 0.0, 60.0],
        "longitude": [0.0, 90.0, 180.0, 270.0],
        "number": 0,
    }
    dataset = xr.Dataset(fields, coords=coords).chunk({"time": 1})
    dataset.to_zarr(path, zarr_format=zarr_format, consolidated=zarr_format == 2)
    return path


def lose_chunk(path: Path, zarr_format: int, array: str = "2m_temperature") -> None:
    (path / array / {2: "1.0.0", 3: "c/1/0/0"}[zarr_format]).unlink()


READERS: dict[str, Callable[[Path], xr.Dataset]] = {
    "open_zarr": lambda path: xr.open_zarr(whole(path)),
    "open_dataset": lambda path: xr.open_dataset(whole(path), engine="zarr"),
    "open_inputs": lambda path: open_inputs(path)[0],
    "open_series": lambda path: (series := open_series(str(path))).at(
        series.times, ["2m_temperature"], path
    ),
    "pickled": lambda path: pickle.loads(pickle.dumps(open_inputs(path)[0])),
}


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.filterwarnings("ignore:Failed to open Zarr store with consolidated metadata")
def test_a_lost_chunk_is_refused_by_name_when_it_is_read(tmp_path, reader, zarr_format):
    path = stored(tmp_path / "s.zarr", zarr_format)
    assert (READERS[reader](path)["2m_temperature"] == 280).all()
    lose_chunk(path, zarr_format)
    dataset = READERS[reader](path)  # metadata alone: nothing is missed yet
    assert (dataset["2m_temperature"].isel(time=0) == 280).all()
    with pytest.raises(
        MissingChunkError, match=r"s\.zarr lacks chunk (c/)?1[./]0[./]0 of 2m_temperature; copy"
    ):
        dataset["2m_temperature"].isel(time=1).load()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_lost_coordinate_is_refused_at_once(tmp_path, zarr_format):
    path = stored(tmp_path / "s.zarr", zarr_format)
    (path / "latitude" / {2: "0", 3: "c/0"}[zarr_format]).unlink()
    with pytest.raises(MissingChunkError, match=r"lacks chunk (c/)?0 of latitude"):
        open_inputs(path)


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.filterwarnings("ignore:Failed to open Zarr store with consolidated metadata")
def test_chunks_that_a_writer_left_out_are_lost_unless_they_hold_one_number(tmp_path, zarr_format):
    """Zarr leaves out chunks of the fill value alone: a single 0 is no loss, a field may be one."""
    path = stored(tmp_path / "s.zarr", zarr_format)
    assert not [p for p in path.rglob("number/*") if p.name in ("0", "c")]
    dataset = xr.open_zarr(whole(path))
    assert dataset["number"].item() == 0
    with pytest.raises(MissingChunkError, match=r"lacks chunk .* of codes; .*write_empty_chunks"):
        dataset["codes"].load()
