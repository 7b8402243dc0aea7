"""Other people's names, units and orders: however a field is disguised, it comes back."""

import re

import numpy as np
import pytest
import xarray as xr

from data.canonical.conventions import canonical, members
from data.canonical.names import canonical_name
from data.canonical.units import conversion, in_catalogue_units
from data.variables import VARIABLES
from tests.data.canonical.disguises import DISGUISES, TIMES, ecmwf_units, other_units, ours


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda f: f.__name__)
def test_a_disguised_dataset_comes_back(disguise):
    expected = ours()
    (alone,) = members(disguise(ours()))
    result = canonical(alone)
    assert set(result.data_vars) == set(expected.data_vars)
    assert set(result.coords) == {"time", "level", "latitude", "longitude"}
    for name in expected:
        assert result[name].dims == expected[name].dims, name
        assert result[name].dtype == np.float32, name
        # 1e-5: units go back and forth in float32 (a Celsius temperature loses three bits)
        np.testing.assert_allclose(result[name], expected[name], rtol=1e-5, err_msg=name)
        assert result[name].attrs["units"] == VARIABLES[name].units
    for name in expected.coords:
        np.testing.assert_array_equal(result[name], expected[name], err_msg=name)
    assert result["time"].dtype == "datetime64[ns]"
    assert result["level"].dtype == np.int32


def test_canonical_is_idempotent():
    once = canonical(ours())
    xr.testing.assert_identical(canonical(once).load(), once.load())


def test_the_argument_is_not_edited():
    dataset = other_units(ours())
    before = dataset.copy(deep=True)
    canonical(dataset)
    xr.testing.assert_identical(dataset, before)


def test_lazy_in_lazy_out():
    result = canonical(other_units(ours()).chunk({"time": 1}))
    assert all(array.chunks is not None for array in result.data_vars.values())


def test_coordinate_values_are_kept_to_the_bit():
    latitude = np.array([-87.1875, 2.8, 87.1875], dtype=np.float32)
    dataset = xr.Dataset(
        {"t2m": (("time", "lat", "lon"), np.zeros((1, 3, 2)))},
        coords={"time": TIMES[:1], "lat": latitude[::-1], "lon": np.float32([5.625, 185.625])},
    )
    result = canonical(dataset)
    np.testing.assert_array_equal(result["latitude"], latitude)
    assert result["latitude"].dtype == np.float32
    assert result["longitude"].values.tolist() == [5.625, 185.625]


def test_what_was_done_is_written_down():
    result = canonical(other_units(ours()))
    assert result["temperature"].attrs["provenance"] == "converted from degC to K"
    assert "provenance" not in canonical(ecmwf_units(ours()))["temperature"].attrs


def test_a_file_that_states_no_unit_is_not_second_guessed():
    celsius = ours()
    celsius["temperature"] = celsius["temperature"] - 273.15
    celsius["temperature"].attrs = {}
    np.testing.assert_array_equal(canonical(celsius)["temperature"], celsius["temperature"])


def test_an_unknown_unit_is_left_for_the_window_to_refuse():
    odd = ours()
    odd["temperature"].attrs["units"] = "furlong"
    assert canonical(odd)["temperature"].attrs["units"] == "furlong"


def test_z_is_two_things():
    assert canonical_name("z", on_levels=True) == "geopotential"
    assert canonical_name("Z", on_levels=False) == "geopotential_at_surface"
    assert canonical_name("t", on_levels=False) is None


@pytest.mark.parametrize("name", VARIABLES)
def test_every_catalogue_name_is_its_own(name):
    assert canonical_name(name, on_levels=VARIABLES[name].on_levels) in (name, None)
    assert conversion(VARIABLES[name].units, VARIABLES[name].units) in ((1.0, 0.0), None)


@pytest.mark.parametrize("name", ["tp", "total_precipitation"])
def test_an_hour_of_rain_never_passes_for_six(name):
    for attrs in ({}, {"cell_methods": "time: sum (interval: 1 hour)"}, {"GRIB_stepType": "accum"}):
        tp = ours().rename(total_precipitation_6hr=name)
        tp[name].attrs = {"units": "m", **attrs}
        assert "total_precipitation_6hr" not in canonical(tp)


@pytest.mark.parametrize(
    "words", ["time: sum (interval: 6 hours)", "time: sum (comment: over the 6 hours before)"]
)
def test_six_hours_of_rain_are_known_by_what_the_file_says(words):
    tp = ours().rename(total_precipitation_6hr="tp")
    tp["tp"].attrs["cell_methods"] = words
    assert "total_precipitation_6hr" in canonical(tp)
    tp["tp"].attrs["cell_methods"] = words.replace("6", "16")
    assert "total_precipitation_6hr" not in canonical(tp)


def test_humidity_is_derived_only_from_a_stated_unit():
    r = ours().drop_vars("specific_humidity")
    r["r"] = xr.full_like(r["temperature"], 50).assign_attrs(units="%")
    assert "derived" in canonical(r)["specific_humidity"].attrs["provenance"]
    r["r"] = xr.full_like(r["temperature"], 0.5).assign_attrs(units="1")
    fraction = canonical(r)["specific_humidity"]
    assert fraction.notnull().all()
    assert float(fraction.max()) < 0.05
    r["r"].attrs = {}
    assert "specific_humidity" not in canonical(r)


def test_a_single_level_or_time_may_be_a_scalar():
    scalar = ours().isel(time=0, level=1)
    alone = canonical(scalar.assign_coords(level=((), 50000.0, {"units": "Pa"})))
    assert alone["temperature"].dims == ("time", "level", "latitude", "longitude")
    assert alone["level"].values.tolist() == [500]
    assert alone["2m_temperature"].dims == ("time", "latitude", "longitude")
    assert alone["land_sea_mask"].dims == ("latitude", "longitude")


def test_levels_that_are_not_whole_hectopascals_are_left_out():
    dataset = ours().assign_coords(level=("level", [0.4, 500.0, 850.0], {"units": "hPa"}))
    assert canonical(dataset)["level"].values.tolist() == [500, 850]


def test_members_come_one_by_one():
    ensemble = xr.concat([ours(), ours() + 1], dim="member", data_vars="all")
    one, two = members(ensemble)
    assert [int(m["number"]) for m in (one, two)] == [0, 1]
    assert len(members(ours())) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.drop_vars("latitude").rename(latitude="cell"), "there is no latitude"),
        (
            lambda d: d.rename(latitude="y", longitude="x").assign_coords(
                lat=(("y", "x"), np.zeros((5, 8))), lon=(("y", "x"), np.zeros((5, 8)))
            ),
            "latitude varies along y, x",
        ),
        (lambda d: d.drop_vars("time"), "needs an absolute time"),
        (lambda d: d.assign_coords(time=[1, 2, 3]), "do not say since when"),
        (lambda d: d.assign_coords(time=TIMES - TIMES[0]), "holds time differences"),
        (lambda d: d.assign_coords(time=TIMES[[0, 1, 1]]), "each time must come once"),
        (lambda d: d.assign_coords(level=[500, 500, 850]), "each level must come once"),
        (lambda d: d.drop_vars("level"), "which levels"),
        (
            lambda d: d.assign_coords(longitude=d["longitude"].where(d["longitude"] > 0)),
            "every longitude must be known, and 1 of 8 are missing",
        ),
        (
            lambda d: d.assign_coords(time=d["time"].where(d["time"] > TIMES[0])),
            "every time must be known, and 1 of 3 are missing",
        ),
        (
            lambda d: d.assign(t2m=d["2m_temperature"].expand_dims(sample=2)).drop_vars(
                "2m_temperature"
            ),
            "no other dimensions than time, level, latitude, longitude",
        ),
    ],
)
def test_what_cannot_be_made_canonical_is_refused_in_a_sentence(change, words):
    with pytest.raises(ValueError, match=words) as caught:
        canonical(change(ours()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("unit", sorted({v.units for v in VARIABLES.values()}))
def test_every_unit_of_the_catalogue_is_known_as_others_write_it(unit):
    power = re.sub(r"(?<=[a-z])(-?\d)", r"**\1", unit)  # as ecCodes does: J kg**-1
    assert conversion(power, unit) == (1.0, 0.0)
    assert conversion(unit, unit) == (1.0, 0.0)


def test_units_are_spelled_in_many_ways():
    celsius = xr.DataArray(np.float32([0.0]), attrs={"units": " Celsius "})
    assert in_catalogue_units(celsius, "temperature").item() == pytest.approx(273.15)
    for unit in ("m s**-1", "m/s", "m s^-1", "M S-1"):
        assert conversion(unit, "m s-1") == (1.0, 0.0), unit
    assert conversion("g/kg", "kg kg-1") == (1e-3, 0.0)
    assert conversion("parsec", "m") is None


def test_masks_of_whole_numbers_become_fields_and_codes_stay_codes():
    dataset = ours()
    dataset["lsm"] = (dataset["land_sea_mask"] > 0.5).astype(np.int8).assign_attrs(units="1")
    dataset["cloud_type"] = (dataset["2m_temperature"] > 280).astype(np.int16)
    result = canonical(dataset.drop_vars("land_sea_mask"))
    assert result["land_sea_mask"].dtype == np.float32
    assert result["cloud_type"].dtype == np.int16


def test_a_single_latitude_is_no_grid():
    with pytest.raises(ValueError, match="here latitude is a single value, -90°"):
        canonical(ours().isel(latitude=0))
