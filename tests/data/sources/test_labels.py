"""What a file's labels say counts, in every format: streams, axes, units, names, lead times."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.provenance import remarks
from data.sources import open_forecast, open_inputs, open_series
from data.sources.files.archive import files_of
from data.sources.series.doubles import DoubledError
from tests.data.sources.files_of_all_formats import consolidating, weather, written
from tests.data.sources.grib_messages import copies
from tests.data.sources.surface_weather import FORMATS, NAME, assert_same, surface

pytestmark = consolidating

HOUR = np.timedelta64(1, "h")


def test_two_messages_that_contradict_each_other_are_refused(tmp_path):
    copies(tmp_path / "same.grib", [{}, {}])
    assert open_inputs(tmp_path / "same.grib")[0].sizes["time"] == 1
    copies(tmp_path / "other.grib", [{}, {"add": 5.0}])
    with pytest.raises(ValueError, match=r"t at 1000 hPa of 2024-06-03T00 comes twice in .*other"):
        open_inputs(tmp_path / "other.grib")


# ---- files of a folder -------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_levels_spread_over_files_are_all_read(tmp_path, name):
    whole = weather()[["temperature"]]
    for i, level in enumerate((850, 500)):
        written(whole.sel(level=[level]), tmp_path / f"{i}{name}")
    times = whole["time"].values
    assert_same(open_series(str(tmp_path)).at(times, ["temperature"], tmp_path), whole)
    (result,) = open_inputs(tmp_path)
    assert_same(result, whole)


@pytest.mark.parametrize("name", FORMATS[:3])
def test_the_final_file_of_two_is_taken_whatever_their_names(tmp_path, name):
    early = (surface() + 1).assign_coords(expver=("time", ["0005"] * 4))
    written(early, tmp_path / f"a{name}")
    written(surface().assign_coords(expver=("time", ["0001"] * 4)), tmp_path / f"b{name}")
    series = open_series(str(tmp_path))
    assert_same(series.at(surface()["time"].values, [NAME], tmp_path), surface())
    assert not series.preliminary.size


@pytest.mark.parametrize("name", FORMATS)
def test_files_that_contradict_each_other_are_refused_and_equal_ones_are_not(tmp_path, name):
    for folder, more in (("equal", 0.0), ("other", 1.0)):
        (tmp_path / folder).mkdir()
        written(surface(), tmp_path / folder / f"a{name}")
        written(surface()[[NAME]].isel(time=[2, 3]) + more, tmp_path / folder / f"b{name}")
    times = surface()["time"].values
    assert_same(
        open_series(str(tmp_path / "equal")).at(times, [NAME], tmp_path).compute(), surface()
    )
    contradiction = open_series(str(tmp_path / "other")).at(times, [NAME], tmp_path)
    with pytest.raises(DoubledError, match=r"2m_temperature of the same time is in .*, with other"):
        contradiction.compute()


def test_a_zip_archive_is_read_as_the_files_in_it(tmp_path):
    first = written(surface(), tmp_path / "surface.nc")
    second = written(weather(4)[["temperature"]], tmp_path / "levels.nc")
    with zipfile.ZipFile(tmp_path / "era5.nc", "w") as archive:
        archive.write(first, "data/surface.nc")
        archive.write(second, "levels.nc")
        archive.writestr("README", "of the store")
    (result,) = open_inputs(tmp_path / "era5.nc")
    assert_same(result, weather(4)[["temperature", NAME]])
    assert open_series(str(tmp_path / "era5.nc")).names == {"temperature", NAME}
    assert [path.name for path in files_of(tmp_path / "era5.nc")] == ["levels.nc", "surface.nc"]
    with pytest.raises(ValueError, match="is a ZIP archive, as the Climate Data Store sends"):
        open_forecast(tmp_path / "era5.nc")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 and nothing more", "must be whole and not locked, and .* cannot be unpacked"),
        (None, "an archive holds GRIB or netCDF files, and .* has none of"),
    ],
)
def test_archives_that_cannot_be_read_are_refused(tmp_path, content, words):
    path = tmp_path / "era5.zip"
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("README", "nothing else")
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        open_inputs(path)


# ---- grids, units, steps of GRIB messages ------------------------------------------------------


def rolled(field: np.ndarray) -> np.ndarray:
    return np.roll(field.reshape(19, 36), 18, axis=1).ravel()


def upturned(field: np.ndarray) -> np.ndarray:
    return field.reshape(19, 36)[::-1].ravel()


def backwards(field: np.ndarray) -> np.ndarray:
    return field.reshape(19, 36)[:, ::-1].ravel()


def by_columns(field: np.ndarray) -> np.ndarray:
    return field.reshape(19, 36).T.ravel()


WAYS: list[tuple[dict[str, object], Callable[[np.ndarray], np.ndarray]]] = [
    (
        {
            "longitudeOfFirstGridPointInDegrees": 180.0,
            "longitudeOfLastGridPointInDegrees": 170.0,
        },
        rolled,
    ),
    ({"longitudeOfLastGridPointInDegrees": -10.0}, lambda field: field),
    (
        {
            "jScansPositively": 1,
            "latitudeOfFirstGridPointInDegrees": -90.0,
            "latitudeOfLastGridPointInDegrees": 90.0,
        },
        upturned,
    ),
    (
        {
            "iScansNegatively": 1,
            "longitudeOfFirstGridPointInDegrees": 350.0,
            "longitudeOfLastGridPointInDegrees": 0.0,
        },
        backwards,
    ),
    ({"jPointsAreConsecutive": 1}, by_columns),
]


@pytest.mark.parametrize(("header", "way"), WAYS)
def test_a_message_lies_where_its_header_says_whichever_comes_first(tmp_path, header, way):
    later = {"dataTime": 600, **header, "way": way}
    (alone,) = open_inputs(copies(tmp_path / "alone.grib", [{}, {"dataTime": 600}]))
    for order in ([{}, later], [later, {}]):
        (result,) = open_inputs(copies(tmp_path / "x.grib", order))
        # 0.05: the packing of GRIB is renewed when a field is changed
        np.testing.assert_allclose(result["temperature"], alone["temperature"], atol=0.05)
        np.testing.assert_allclose(result["longitude"], np.arange(36) * 10.0)


def test_messages_that_nobody_can_place_are_left_out_and_named(tmp_path):
    odd = {"level": 500, "edition": 2, "indicatorOfUnitForForecastTime": 255}
    path = copies(tmp_path / "x.grib", [{}, odd])
    (result,) = open_inputs(path)
    assert result["level"].values.tolist() == [1000]
    (remark,) = remarks(result)
    assert remark == (
        "1 messages are left out (t), because they have a step in an unknown unit of time"
    )


def test_pressures_in_pascals_are_levels_too(tmp_path):
    path = copies(
        tmp_path / "x.grib", [{"edition": 2, "typeOfLevel": "isobaricInPa", "level": 5000}]
    )
    (result,) = open_inputs(path)
    assert result["level"].values.tolist() == [50]


# ---- names and what is said beside them --------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_standard_name_contradicts_a_name(tmp_path, name):
    wind = weather().rename(temperature="w")
    wind["w"].attrs = {"units": "m s-1", "standard_name": "upward_air_velocity"}
    (result,) = open_inputs(written(wind, tmp_path / name))
    assert "vertical_velocity" not in result
    assert "w is left out: its standard name is upward_air_velocity" in remarks(result)[0]
    assert open_series(str(tmp_path / name)).remarks == remarks(result)


@pytest.mark.parametrize("name", FORMATS)
def test_a_standard_name_names_what_has_no_known_name(tmp_path, name):
    coded = weather().rename({"temperature": "var130", NAME: "var167"})
    coded["var130"].attrs |= {"standard_name": "air_temperature"}
    coded["var167"].attrs |= {"standard_name": "air_temperature"}
    coded["var167"] = coded["var167"].assign_coords(height=2.0)
    (result,) = open_inputs(written(coded.drop_vars("land_sea_mask"), tmp_path / name))
    assert "temperature" in result
    (result,) = open_inputs(written(coded[["var167"]], tmp_path / f"2{name}"))
    assert_same(result, surface(3))


@pytest.mark.parametrize("name", FORMATS)
def test_a_field_whose_level_was_dropped_is_left_out(tmp_path, name):
    flat = weather().sel(level=500).drop_vars("level")
    (result,) = open_inputs(written(flat, tmp_path / name))
    assert "temperature" not in result
    assert "its level is not stated" in remarks(result)[0]


# ---- fill values and metadata ------------------------------------------------------------------


def test_a_zarr_store_s_fill_value_of_zero_is_a_value(tmp_path):
    dataset = weather()
    dataset["2m_temperature"][0, 0, 0] = 0.0
    path = written(dataset, tmp_path / "x.v2plain.zarr")
    for variable in ("longitude", "latitude", NAME, "land_sea_mask"):
        metadata = json.loads((path / variable / ".zarray").read_text())
        (path / variable / ".zarray").write_text(json.dumps(metadata | {"fill_value": 0}))
    (result,) = open_inputs(path)
    assert_same(result, dataset[[NAME, "land_sea_mask"]])


@pytest.mark.parametrize("name", ["x.v2.zarr", "x.v3.zarr"])
def test_consolidated_metadata_that_are_older_than_the_store_are_not_believed(tmp_path, name):
    path = written(weather(2), tmp_path / name)
    metadata = path / (".zmetadata" if "v2" in name else "zarr.json")
    earlier = metadata.read_bytes()
    weather(4).isel(time=[2, 3]).drop_vars("land_sea_mask").to_zarr(path, append_dim="time")
    metadata.write_bytes(earlier)
    (result,) = open_inputs(path)
    assert result.sizes["time"] == 4
    assert_same(result, weather(4)[[NAME]])


@pytest.mark.parametrize("damage", ["", "[]", '{"metadata": null}'])
def test_a_store_whose_consolidated_metadata_are_damaged_is_listed(tmp_path, damage):
    path = written(weather(2), tmp_path / "x.v2.zarr")
    (path / ".zmetadata").write_text(damage)
    (result,) = open_inputs(path)
    assert_same(result, weather(2)[[NAME]])


@pytest.mark.parametrize("name", ["x.nc", "x.classic.nc"])
def test_what_was_never_written_is_no_value(tmp_path, name):
    path = tmp_path / name
    dataset = surface()
    dataset[NAME][1] = np.float32(9.9692099683868690e36)
    dataset.to_netcdf(
        path,
        format="NETCDF4" if name == "x.nc" else "NETCDF3_64BIT",
        encoding={NAME: {"_FillValue": None}},
    )
    (result,) = open_inputs(path)
    assert result[NAME][1].isnull().all()
    assert result[NAME][[0, 2, 3]].notnull().all()
    assert "never written" in result[NAME].attrs["missing_means"]


# ---- forecasts ---------------------------------------------------------------------------------


def test_a_forecast_in_grib_keeps_init_and_lead_times(tmp_path):
    path = copies(tmp_path / "x.grib", [{"P1": p, "add": p} for p in (0, 6, 12)])
    forecast = open_forecast(path)
    assert forecast["temperature"].sizes["prediction_timedelta"] == 3
    assert (forecast["prediction_timedelta"].values / HOUR).tolist() == [0, 6, 12]
    assert forecast["time"].values.tolist() == [np.datetime64("2024-06-03", "ns").astype(int)]
    warmer = forecast["temperature"].isel(time=0, level=0).mean(("latitude", "longitude"))
    # 0.1: as the packing, in the mean
    np.testing.assert_allclose(np.diff(warmer), [6, 6], atol=0.1)


def test_a_file_is_named_in_what_is_wrong_with_it(tmp_path):
    path: Path = written(surface(), tmp_path / "x.nc")
    with pytest.raises(ValueError, match=r"x\.nc: a forecast has init times and lead times"):
        open_forecast(path)
