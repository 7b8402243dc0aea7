"""The planet itself, a few steps of it at the smallest resolution. Needs the extra `simulate`."""

import hashlib

import numpy as np
import pytest
import xarray as xr

from data.planet import (
    BaselineSpec,
    PlanetSpec,
    forecast_planet,
    model_named,
    number_of_times,
    simulate,
)
from data.planet import physics as planet_physics
from data.planet.analysis import logarithmic_share
from data.planet.atmosphere import Atmosphere
from data.sources import open_inputs

pytestmark = pytest.mark.optimised
SPEC = PlanetSpec("t21", seed=3, spin_up=np.timedelta64(12, "h"))
DAY = 1 / 365


@pytest.fixture(scope="module")
def atmosphere():
    """One model for all tests: compiling it takes longer than they do."""
    pytest.importorskip("jcm", reason="the extra `simulate` is not installed")
    return Atmosphere(model_named("t21"))


@pytest.fixture
def one_model(atmosphere, monkeypatch):
    for user in ("simulation", "baseline"):
        monkeypatch.setattr(f"data.planet.{user}.Atmosphere", lambda spec: atmosphere)


def contents(path):
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


class KilledError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.usefixtures("one_model")
def test_a_planet_killed_resumed_and_lengthened_has_the_bytes_of_one_run(tmp_path):
    simulate(SPEC, 3 * DAY, tmp_path / "one.zarr", block=4)
    seen = []

    def killing(progress):
        seen.append(progress)
        if progress.written == 6:
            raise KilledError

    with pytest.raises(KilledError):
        simulate(SPEC, 2 * DAY, tmp_path / "two.zarr", report=killing, block=4)
    with xr.open_zarr(tmp_path / "two.zarr") as dataset:
        assert dataset.sizes["time"] == 5  # the start, and the first whole block
    assert seen[0].spinning_up
    assert [progress.steps for progress in seen] == list(range(1, len(seen) + 1))
    assert seen[0].all_steps == 2 + 2 * 4  # 12 hours of spin-up, and the record of two days
    simulate(SPEC, 2 * DAY, tmp_path / "two.zarr", block=4)
    simulate(SPEC, 3 * DAY, tmp_path / "two.zarr", block=4)
    assert contents(tmp_path / "one.zarr") == contents(tmp_path / "two.zarr")

    (planet,) = open_inputs(str(tmp_path / "one.zarr"))
    assert planet.sizes["time"] == 12
    assert str(planet["time"].values[0])[:13] == "2001-01-01T00"
    assert "nothing of ERA5 is in it" in planet.attrs["comment"]
    _check_hydrostatic(planet.isel(time=-1).load())


def _check_hydrostatic(moment):
    t = moment["temperature"] * (1 + 0.608 * moment["specific_humidity"])
    upper, lower = (
        moment["geopotential"].sel(level=level).mean() for level in (500, 700)
    )  # 2 %: one mean temperature for a layer
    mean = t.sel(level=[500, 700]).mean()
    assert float(upper - lower) == pytest.approx(float(287 * mean * np.log(700 / 500)), rel=0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("one_model")
def test_a_forecast_by_the_same_model_stays_near_the_planet(tmp_path, monkeypatch):
    """Without an analysis error, only the interpolation separates them."""
    monkeypatch.setattr("data.planet.baseline.APART", np.timedelta64(1, "D"))
    simulate(SPEC, 4 * DAY, tmp_path / "planet.zarr")
    (planet,) = open_inputs(str(tmp_path / "planet.zarr"))
    init = [np.datetime64("2001-01-02T00", "ns"), np.datetime64("2001-01-02T12", "ns")]
    spec = BaselineSpec("t21", analysis_error=0.0)
    forecast_planet(planet, init, 2, tmp_path / "forecast.zarr", spec=spec)
    with xr.open_zarr(tmp_path / "forecast.zarr", decode_timedelta=True) as forecast:
        predicted = forecast["geopotential"].isel(time=0, prediction_timedelta=1).sel(level=500)
        truth = planet["geopotential"].sel(time=np.datetime64("2001-01-02T12"), level=500)
        start = planet["geopotential"].sel(time=np.datetime64("2001-01-02T00"), level=500)
        error, change = (float(np.sqrt(((x - truth) ** 2).mean())) for x in (predicted, start))
    assert error < change
    assert error < 40 * 9.81


def test_years_are_calendar_years_and_parts_are_days():
    start = np.datetime64("2003-01-01T00", "h")
    assert number_of_times(start, 1) == 365 * 4
    assert number_of_times(start, 2) == (365 + 366) * 4
    assert number_of_times(start, 1.1) == (365 + 37) * 4
    assert number_of_times(start, 1, days=20) == (365 + 20) * 4
    assert number_of_times(start, 0, days=20) == 20 * 4
    with pytest.raises(ValueError, match="at least a day"):
        number_of_times(start, 0)


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"is t21, t31, t42, t31-other, not 't63'"):
        model_named("t63")


def test_without_jcm_one_sentence_names_the_extra(tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="jcm")

    monkeypatch.setattr(planet_physics, "import_module", missing)
    with pytest.raises(ValueError, match=r"pip install 'graphcast\[simulate\]'"):
        simulate(SPEC, 1, tmp_path / "planet.zarr")


def test_profiles_near_the_surface_lie_between_it_and_the_lowest_level():
    height, land = np.full((1, 2), 430.0), np.array([[0.0, 1.0]])
    sea_share, land_share = logarithmic_share(10.0, height, land, 0.1)[0]
    assert 0 < land_share < sea_share < 1  # rough ground slows the wind more
