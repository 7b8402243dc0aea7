"""GRIB files: what the messages say is what comes out."""

import shutil

import numpy as np
import pytest
import xarray as xr

from data.samples import analyses
from data.sources import open_inputs
from tests.data.sources.grib_messages import copies
from tests.reference import real


def test_sample_values_are_those_that_cfgrib_reads():
    (sample,) = open_inputs(analyses())
    by_cfgrib = xr.open_dataset(analyses(), engine="cfgrib", backend_kwargs={"indexpath": ""})
    by_cfgrib = by_cfgrib.isel(latitude=slice(None, None, -1), isobaricInhPa=slice(None, None, -1))
    assert by_cfgrib["step"].values.tolist() == [0, 6 * 3600 * 10**9]
    flat = by_cfgrib["t"].values.reshape(8, 6, 19, 36)
    np.testing.assert_array_equal(sample["temperature"], flat)
    flat = by_cfgrib["v"].values.reshape(8, 6, 19, 36)
    np.testing.assert_array_equal(sample["v_component_of_wind"], flat)


def test_no_file_is_left_beside_a_grib_file(tmp_path):
    shutil.copy(analyses(), tmp_path / "mine.grib")
    open_inputs(tmp_path / "mine.grib")[0].load()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.grib"]


def test_an_analysis_goes_before_a_forecast_for_the_same_time(tmp_path):
    path = copies(
        tmp_path / "both.grib",
        [
            {"dataDate": 20240602, "dataTime": 1800, "P1": 6, "add": 5.0},
            {"dataDate": 20240603, "dataTime": 0, "P1": 0, "add": 0.0},
            {"dataDate": 20240602, "dataTime": 1200, "P1": 12, "add": 9.0},
        ],
    )
    (both,) = open_inputs(path)
    (sample,) = open_inputs(analyses())
    assert both["time"].values.tolist() == sample["time"].values[:1].tolist()
    # 0.05: the packing of GRIB is renewed when a field is changed
    np.testing.assert_allclose(
        both["temperature"], sample["temperature"].sel(level=[1000]).isel(time=[0]), atol=0.05
    )


def test_lazy_grib_reads_only_what_is_asked_for(monkeypatch):
    from cfgrib import messages  # noqa: PLC0415

    (sample,) = open_inputs(analyses())
    read = []
    original = messages.FileStream.__getitem__
    monkeypatch.setattr(
        messages.FileStream, "__getitem__", lambda s, item: read.append(item) or original(s, item)
    )
    sample["geopotential"].sel(level=[500, 850]).isel(time=[2, 3]).load()
    assert len(read) == 4


@pytest.mark.parametrize("length", [3, 10, 700])
def test_a_grib_file_that_was_cut_short_is_refused(tmp_path, length):
    whole = analyses().read_bytes()
    cut = tmp_path / "cut.grib"
    cut.write_bytes(whole[: len(whole) // 2 + length])
    with pytest.raises(ValueError, match=r"cut\.grib is damaged or cut short; fetch it again"):
        open_inputs(cut)


def test_two_grids_in_one_file_are_refused(tmp_path):
    other = real("grib/tuv_pl.grib")
    both = tmp_path / "both.grib"
    both.write_bytes(analyses().read_bytes() + other.read_bytes())
    with pytest.raises(ValueError, match="all fields of a file must share one grid"):
        open_inputs(both)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("grib/t_n48.grib", "a reduced Gaussian grid"),
        ("grib/spherical_pressure_level.grib1", "spherical harmonics"),
    ],
)
def test_grids_that_are_not_regular_are_refused(name, words):
    with pytest.raises(ValueError, match=words) as caught:
        open_inputs(real(name))
    assert "ask for a regular grid" in str(caught.value)


def test_gfs_gives_every_graphcast_variable_at_one_time():
    (gfs,) = open_inputs(real("states/gfs_2p5deg_2011100800_f072.grib2"))
    assert gfs["time"].values.tolist() == [np.datetime64("2011-10-11", "ns").astype(int)]
    levels = [200, 300, 500, 700, 850, 1000]
    means = gfs.sel(level=levels).mean(["latitude", "longitude", "time"]).load()
    # Heights times g0: about the standard atmosphere; q about 1 % at the ground, 1e-5 aloft.
    np.testing.assert_allclose(means["geopotential"].sel(level=500), 54.0e3, rtol=0.03)
    assert 5e-3 < means["specific_humidity"].sel(level=1000) < 1.5e-2
    assert means["specific_humidity"].sel(level=200) < 1e-4
    assert 275 < means["2m_temperature"] < 290
    assert 1.00e5 < means["mean_sea_level_pressure"] < 1.02e5
    assert 1e-4 < means["total_precipitation_6hr"] < 2e-3
    for name in ("temperature", "u_component_of_wind", "v_component_of_wind", "vertical_velocity"):
        assert means[name].notnull().all(), name
    for name in ("10m_u_component_of_wind", "10m_v_component_of_wind"):
        assert abs(float(means[name])) < 5, name
    orography = gfs["geopotential_at_surface"]
    assert orography.dims == ("latitude", "longitude")
    assert orography.attrs["provenance"] == "converted from m to m2 s-2"
    assert 45e3 < float(orography.max()) < 57e3
    assert set(np.unique(gfs["land_sea_mask"])) == {0.0, 1.0}
    # the Himalaya stand where they are: rows and columns are not turned round
    peak = orography.load().stack(point=("latitude", "longitude")).idxmax("point").item()
    assert 25 < peak[0] < 40
    assert 70 < peak[1] < 105
