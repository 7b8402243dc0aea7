"""`kind_of`: every store says what it is, those of earlier versions too."""

import json
from typing import get_args

import pytest
import xarray as xr

from data.stores.kind import STATISTICS_FILES, WORDS, StoreKind, kind_of, label


@pytest.mark.parametrize("kind", get_args(StoreKind))
def test_what_is_labelled_is_recognised(kind, tmp_path):
    assert kind_of(label(kind, 3)) == kind
    assert WORDS[kind].noun
    xr.Dataset(attrs=label(kind, 1)).to_zarr(tmp_path / "2.zarr", zarr_format=2)
    xr.Dataset(attrs=label(kind, 1)).to_zarr(tmp_path / "3.zarr", zarr_format=3, consolidated=False)
    xr.Dataset(attrs=label(kind, 1)).to_netcdf(tmp_path / "a.nc")
    for name in ("2.zarr", "3.zarr", "a.nc"):
        assert kind_of(tmp_path / name) == kind_of(str(tmp_path / name)) == kind


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"forecast_store_layout": 1}, "forecast"),
        ({"training_store_layout": 2}, "analyses"),
        ({"simulated_planet_layout": 1}, "planet"),
        ({"title": "Scores of a weather forecast"}, "scores"),
        ({"title": "Weather"}, None),
        ({"graphcast_store": "novel/1"}, None),
        ({"graphcast_store": 7}, None),
        ({}, None),
    ],
)
def test_stores_written_before_there_was_an_attribute_are_recognised(attributes, kind):
    assert kind_of(attributes) == kind


def test_a_folder_of_statistics_is_known_by_its_files(tmp_path):
    for name in STATISTICS_FILES.values():
        assert kind_of(tmp_path) is None
        (tmp_path / name).touch()
    assert kind_of(tmp_path) == "statistics"


@pytest.mark.parametrize("text", ["{", "[1]", json.dumps("forecast/1"), "\x00\xff"])
def test_what_cannot_be_read_is_no_store(tmp_path, text):
    for name in (".zattrs", "zarr.json", "a.nc"):
        folder = tmp_path / name.strip(".").replace(".", "_")
        folder.mkdir()
        (folder / name).write_text(text)
        assert kind_of(folder) is None
        assert kind_of(folder / name) is None
    assert kind_of(tmp_path / "none") is None
