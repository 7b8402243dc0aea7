"""What a forecast is handed on as: netCDF, GRIB and Zarr hold the same values, or a part."""

import json
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

from data.canonical.conventions import canonical
from data.sources.files import grib as grib_reader
from data.stores import ForecastStore, kind_of
from data.stores.building import Building
from data.stores.forecast.form import WHOLE, Form, opened, write_forecast
from data.stores.forecast.grib import WITHOUT_CODE, Signature
from data.stores.forecast.part import Box, Part
from data.variables import VARIABLES
from mesh.grid import LatLonGrid
from tests.data.stores.small_forecast import fields, header, tree, write_all

RAIN = "total_precipitation_6hr"
TWO_STARTS = tuple(np.datetime64(f"2024-06-03T{h}", "ns") for h in ("06", "18"))
HOUR = np.timedelta64(1, "h")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return write_all(tmp_path_factory.mktemp("plain") / "f.zarr", header(nonnegative=(RAIN,)))


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory) -> Path:
    head = header(members=(0, 3), init_times=TWO_STARTS)
    return write_all(tmp_path_factory.mktemp("ensemble") / "f.zarr", head)


# ---- netCDF ----------------------------------------------------------------------------------


def test_from_one_init_time_time_is_the_valid_time_and_fields_have_four_dimensions(store, tmp_path):
    target = tmp_path / "f.nc"
    write_forecast(store, target)
    with netCDF4.Dataset(target) as file, xr.open_zarr(store) as forecast:
        assert file["geopotential"].dimensions == ("time", "level", "latitude", "longitude")
        valid = netCDF4.num2date(file["time"][:], file["time"].units)
        assert [f"{t:%dT%H}" for t in valid] == ["03T12", "03T18", "04T00", "04T06"]
        assert file["forecast_reference_time"].shape == ()
        assert file["forecast_period"][:].tolist() == [6, 12, 18, 24]
        assert file["geopotential"].filters()["zlib"]
        assert file["geopotential"].cell_methods == "time: point"
        assert file[RAIN].cell_methods.startswith("time: sum")
        ends = file[file["time"].bounds][:]
        np.testing.assert_array_equal(ends[:, 1] - ends[:, 0], 6)
        assert not any("_FillValue" in file[name].ncattrs() for name in file.variables)
        for name in forecast.data_vars:
            np.testing.assert_array_equal(file[name][:], forecast[name].values[0])


@pytest.mark.parametrize(
    "part", [Part(), Part(init_times=TWO_STARTS[1:]), Part(init_times=TWO_STARTS[:1], members=(3,))]
)
def test_a_netcdf_file_reads_back_as_the_store_that_it_was_made_of(ensemble, tmp_path, part):
    target = tmp_path / "f.nc"
    write_forecast(ensemble, target, Form(part))
    assert kind_of(target) == "forecast"
    expected = part.of(opened(ensemble))
    with opened(target) as again:
        xr.testing.assert_identical(again.load(), expected.load())


@pytest.mark.parametrize("members", [(), (0,)])
def test_a_cf_checker_finds_no_error_in_a_netcdf_file(store, ensemble, tmp_path, members):
    target, report = tmp_path / "f.nc", tmp_path / "report.json"
    write_forecast(ensemble if members else store, target, Form(Part(members=members)))
    command = ["compliance-checker", "--test=cf:1.11", "--format=json", f"--output={report}"]
    subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:], target],
        capture_output=True,
        check=False,
    )
    results = json.loads(report.read_text())["cf:1.11"]
    assert [line for entry in results["high_priorities"] for line in entry["msgs"]] == []


def test_a_damaged_store_is_refused_and_no_file_is_left(tmp_path):
    path, target = write_all(tmp_path / "f.zarr", header()), tmp_path / "f.nc"
    chunk = path / "geopotential" / "c.0.1.0.0.0"
    chunk.write_bytes(chunk.read_bytes()[:-9] + bytes(9))
    with pytest.raises(ValueError, match=r"some values of .*f\.zarr cannot be read .* make it aga"):
        write_forecast(path, target)
    chunk.unlink()
    with pytest.raises(ValueError, match=r"f\.zarr lacks chunk c\.0\.1\.0\.0\.0 of geopotential"):
        write_forecast(path, target)
    assert [p.name for p in tmp_path.iterdir()] == ["f.zarr"]


# ---- GRIB ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 16])
def test_grib_reads_back_within_half_a_step_of_its_packing(store, tmp_path, bits):
    target = tmp_path / "f.grib2"
    rounding = write_forecast(store, target, Form(signature=Signature(bits=bits)))
    again = canonical(grib_reader.read(str(target))).isel(number=0, missing_dims="ignore")
    forecast = opened(store).isel(time=0)
    assert (again["time"].values == forecast["valid_time"].values).all()
    for name, half in rounding.items():
        values = forecast[name].values
        # One float32 rounding of what was unpacked, besides.
        bound = half + np.spacing(np.abs(values).max())
        assert np.abs(again[name].values - values).max() <= bound, name
        assert half > np.ptp(values) / 2 ** (bits + 2)  # and the packing is as fine as it can be
    assert again[RAIN].values.min() >= 0
    assert again[RAIN].attrs["units"] == "m"


def test_grib_messages_say_when_who_and_over_which_period(ensemble, tmp_path):
    import eccodes  # noqa: PLC0415

    target = tmp_path / "f.grib2"
    write_forecast(ensemble, target, Form(signature=Signature("ecmf", 7)))
    keys = ("dataDate", "dataTime", "perturbationNumber", "stepRange", "shortName", "level")
    with target.open("rb") as file:
        messages = []
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            messages.append(tuple(eccodes.codes_get(handle, key, str) for key in keys))
            assert eccodes.codes_get(handle, "centre", int) == 98
            assert eccodes.codes_get(handle, "generatingProcessIdentifier") == 7
            assert eccodes.codes_get(handle, "latitudeOfFirstGridPointInDegrees") == 90
            eccodes.codes_release(handle)
    assert len(messages) == 2 * 2 * 4 * 4  # init times, members, leads, fields
    assert ("20240603", "1800", "3", "18-24", "tp", "0") in messages
    assert ("20240603", "0600", "0", "12", "z", "850") in messages


def test_grib_knows_a_gaussian_grid_and_refuses_what_it_cannot_describe(tmp_path):
    grid = LatLonGrid.gaussian(4)
    head = header(latitude=grid.latitude, longitude=grid.longitude)
    path, target = write_all(tmp_path / "f.zarr", head), tmp_path / "f.grib"
    write_forecast(path, target)
    again = grib_reader.read(str(target))
    rows = np.sort(again["latitude"])
    np.testing.assert_allclose(rows, grid.latitude, atol=1e-6)  # microdegrees
    part = Part(box=Box(-60, 60, 0, 359))
    with pytest.raises(ValueError, match="latitudes at equal steps, or all those of a full Gaussi"):
        write_forecast(path, target, Form(part))
    with pytest.raises(ValueError, match="GRIB's centre cannot be 'nowhere'"):
        write_forecast(path, target, Form(signature=Signature("nowhere")))
    with pytest.raises(ValueError, match="is a number from 0 to 255"):
        Signature(generating_process=256)
    with pytest.raises(ValueError, match="1 to 24 bits here, and 32 were asked"):
        Signature(bits=32)


def test_every_variable_of_the_catalogue_has_a_code_or_is_known_to_have_none(tmp_path):
    varying = [v for v in VARIABLES.values() if v.kind in ("atmospheric", "surface")]
    names = tuple(v.name for v in varying if v.name not in WITHOUT_CODE)
    head = header(variables=names, leads=(24 * HOUR,), levels=(500,))
    path = write_all(tmp_path / "f.zarr", head)
    rounding = write_forecast(path, tmp_path / "f.grib2")
    assert set(rounding) == set(names)
    head = header(variables=tuple(WITHOUT_CODE), leads=(24 * HOUR,))
    path = write_all(tmp_path / "g.zarr", head)
    with pytest.raises(ValueError, match=r"no code for 100m_u_.*; leave it out \(`variables`\)"):
        write_forecast(path, tmp_path / "g.grib2")


# ---- a forecast that is a file from the beginning --------------------------------------------


def make(target: Path, form: Form = WHOLE, cells: int = 4, **options: bool) -> None:
    head = header(nonnegative=(RAIN,))
    with ForecastStore.open_or_create(target, head, form, **options) as store:
        for cell in store.missing[:cells]:
            store.write(cell.lead, fields(head, cell.lead))
        if not store.missing:
            store.finish()


@pytest.mark.parametrize("name", ["f.nc", "f.grib2", "part.zarr"])
def test_an_interrupted_file_is_finished_by_the_same_command_to_the_same_contents(
    store, tmp_path, name, monkeypatch
):
    form = Form(Part(variables=("z", "tp06"), levels=(500,)))
    target = tmp_path / name
    write_forecast(store, tmp_path / f"expected_{name}", form)
    expected = contents(tmp_path / f"expected_{name}")
    make(target, form, cells=2)
    assert not target.exists()
    with monkeypatch.context() as patch:  # killed while it is made, and while it gets its name
        for function in ("_rename", "_note"):
            patch.setattr(Building, function, killed)
            patch.setattr(Building, "close", lambda building: building._lock.close())
            with pytest.raises(KeyboardInterrupt):
                make(target, form)
            patch.undo()
    make(target, form)
    assert contents(target) == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"expected_{name}", name]
    with pytest.raises(FileExistsError, match="is there already; choose another output or replac"):
        make(target, form)


@pytest.mark.parametrize("name", ["f.nc", "f.grib2"])
def test_a_file_that_was_there_stays_until_the_new_one_is_complete(tmp_path, name, monkeypatch):
    target = tmp_path / name
    make(target)
    before = target.read_bytes()
    form = Form(Part(variables=("2t",)))
    make(target, form, cells=2, overwrite=True)
    assert target.read_bytes() == before
    with monkeypatch.context() as patch:  # killed when only clearing up was left
        patch.setattr(Building, "dissolve", lambda building: building._lock.close())
        make(target, form, overwrite=True)
    assert target.read_bytes() != before
    assert (tmp_path / f"{name}.partial").exists()
    with pytest.raises(FileExistsError, match="is there already"):
        make(target, form)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_only_a_forecast_is_replaced_by_a_file(tmp_path):
    (tmp_path / "f.nc").write_text("words")
    with pytest.raises(FileExistsError, match="is not a forecast store, so it will not be replac"):
        make(tmp_path / "f.nc", overwrite=True)


def test_a_form_that_a_forecast_cannot_have_is_refused_before_anything_is_computed(tmp_path):
    with pytest.raises(ValueError, match=r"no level .* 400"):
        make(tmp_path / "f.nc", Form(Part(levels=(400,))))
    head = header(variables=("100m_u_component_of_wind",))
    with pytest.raises(ValueError, match="GRIB 2 has no code for 100m_u_component_of_wind"):
        ForecastStore.open_or_create(tmp_path / "f.grib2", head)
    assert not list(tmp_path.iterdir())


def killed(*_args: object, **_kwargs: object) -> None:
    raise KeyboardInterrupt


def contents(path: Path) -> object:
    """Its bytes; of netCDF, in which HDF5 writes the time of writing, the values and attributes."""
    if path.suffix == ".nc":
        with xr.open_dataset(path, decode_cf=False) as dataset:
            return dataset.load().to_dict()
    return path.read_bytes() if path.is_file() else tree(path)


# ---- parts, and Zarr -------------------------------------------------------------------------


def test_a_part_has_what_was_asked_for(ensemble):
    part = Part(
        variables=("z", "2m_temperature"),
        levels=(850,),
        leads=(24 * HOUR, 6 * HOUR),
        init_times=TWO_STARTS[1:],
        members=(3,),
        box=Box(south=-35, north=60, west=-31, east=31),
    )
    forecast = part.of(opened(ensemble))
    assert set(forecast.data_vars) == {"geopotential", "2m_temperature"}
    assert forecast["level"].values.tolist() == [850]
    assert (forecast["prediction_timedelta"].values / HOUR).tolist() == [6, 24]
    assert forecast["number"].values.tolist() == [3]
    assert forecast["longitude"].values.tolist() == [-30, 0, 30]
    assert forecast["latitude"].values.tolist() == [-30, 0, 30, 60]
    i = header(members=(0, 3), init_times=TWO_STARTS).cells.index((1, 1, 3))
    expected = fields(header(), i)["2m_temperature"][2:6][:, [11, 0, 1]]
    np.testing.assert_array_equal(forecast["2m_temperature"].values[0, 0, 1], expected)
    assert "level" not in Part(variables=("2t",)).of(opened(ensemble)).coords


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (Part(variables=("q",)), "no variable q; it has 2m_temperature, geopotential, total_prec"),
        (Part(levels=(400,)), r"no level \(hPa\) 400; it has 500, 850"),
        (Part(leads=(30 * HOUR,)), r"no lead time \(h\) 30; it has 6, 12, 18, 24"),
        (Part(members=(7,)), "no member 7; it has 0, 3"),
        (Part(init_times=(np.datetime64("2024-06-04"),)), "no init time 2024-06-04T00; it has"),
        (
            Part(box=Box(1, 2, 1, 2)),
            "no point of the forecast's grid lies within 1 to 2",
        ),
    ],
)
def test_what_a_forecast_lacks_is_said(ensemble, part, sentence):
    with pytest.raises(ValueError, match=sentence):
        part.of(opened(ensemble))


def test_a_region_from_north_to_south_is_refused():
    with pytest.raises(ValueError, match="from a latitude in the south to one in the north"):
        Box(south=60, north=30, west=0, east=10)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_part_as_zarr_is_an_ordinary_forecast_store(ensemble, tmp_path, zarr_format):
    form = Form(Part(levels=(500,)), zarr_format=zarr_format)
    write_forecast(ensemble, tmp_path / "part.zarr", form)
    assert kind_of(tmp_path / "part.zarr") == "forecast"
    assert (tmp_path / "part.zarr" / "zarr.json").exists() == (zarr_format == 3)
    again = xr.open_zarr(tmp_path / "part.zarr")
    xr.testing.assert_equal(again, form.part.of(xr.open_zarr(ensemble)))
    assert again.attrs["fingerprint"] != xr.open_zarr(ensemble).attrs["fingerprint"]
    assert [p.name for p in tmp_path.iterdir()] == ["part.zarr"]
    with pytest.raises(FileExistsError, match="is there already"):
        write_forecast(ensemble, tmp_path / "part.zarr", form)
