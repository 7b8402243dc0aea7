"""A result is what the ending of its name says, or is refused."""

from pathlib import PurePath

import pytest

from data.stores.building import Building
from data.stores.endings import check_ending, check_store_ending


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("forecast", "f.zarr"),
        ("forecast", "today"),
        ("forecast", "f.nc"),
        ("forecast", "f.grib2"),
        ("scores", "s.nc"),
        ("statistics", "stats"),
        ("statistics", "stats-1.2"),
        ("planet", "PLANET.ZARR"),
    ],
)
def test_a_store_may_end_as_what_it_is(kind, name):
    check_store_ending(PurePath(name), kind)


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        (
            "forecast",
            "f.grib1",
            "a forecast is written as .zarr or .nc or .grib2 or .grib, and f.grib1 is the name of a"
            " GRIB file; name it f.zarr",
        ),
        (
            "forecast",
            "-",
            "a forecast is written as .zarr or .nc or .grib2 or .grib, not to standard output; give"
            " it a name, as forecast.zarr",
        ),
        (
            "scores",
            "s.json",
            "a store of scores is written as .zarr or .nc, and s.json is the name of a JSON file;"
            " write s.zarr, and the table with `json` s.json",
        ),
        (
            "analyses",
            "d.foo",
            "a dataset is written as .zarr, and d.foo ends in .foo; name it d.zarr",
        ),
        (
            "statistics",
            "stats.nc",
            "a folder of statistics is written as a folder, and stats.nc is the name of a netCDF"
            " file; name it stats",
        ),
        (
            "statistics",
            "-",
            "a folder of statistics is written as a folder, not to standard output; give it a"
            " name, as statistics",
        ),
    ],
)
def test_a_store_that_ends_as_something_else_is_refused(kind, name, sentence):
    with pytest.raises(ValueError) as raised:
        check_store_ending(PurePath(name), kind)
    assert str(raised.value) == sentence


def test_no_building_begins_under_a_name_of_something_else(tmp_path):
    with pytest.raises(ValueError, match=r"a planet is written as \.zarr"):
        Building.open(tmp_path / "f.nc", "planet", "fingerprint")
    assert not list(tmp_path.iterdir())


def test_a_file_has_one_of_its_endings():
    check_ending(PurePath("r.html"), (".html",), "a report")
    with pytest.raises(ValueError, match=r"written as \.html, and r is the name of a folder"):
        check_ending(PurePath("r"), (".html",), "a report")
