"""What cannot be compared is named: lead times, variables, grids, units, missing values."""

import numpy as np
import pytest
import xarray as xr

from tests.verification.made_up_weather import (
    GLOBAL,
    HOUR,
    climatology_like,
    forecast_of,
    noise,
    truth,
)
from verification import (
    Protocol,
    score,
)


def test_lead_times_without_truth_are_named_and_the_others_scored():
    obs = truth(times=4)
    fc = forecast_of(truth(times=9), inits=(0, 1), leads=(6, 12, 18, 24))
    scores = score(fc, obs, GLOBAL)
    assert list(scores.sample_count.values) == [2, 2, 1]
    assert "+18 h: no truth at the valid time, scored for 1 of 2 initial times" in scores.notes
    assert "+24 h: no truth at the valid time, not scored" in scores.notes
    assert np.isfinite(scores.geopotential).all()
    alone = score(fc.isel(time=[0]), obs, GLOBAL).sel(prediction_timedelta=18 * HOUR)
    xr.testing.assert_allclose(
        scores.geopotential.sel(prediction_timedelta=18 * HOUR), alone.geopotential
    )


def test_lead_times_without_truth_share_a_note():
    fc = forecast_of(truth(times=9), inits=(0, 1), leads=(6, 12, 18, 24, 30, 36))
    lines = score(fc, truth(times=3), GLOBAL).notes.split("\n")
    assert [line for line in lines if "valid time" in line] == [
        "+12 h: no truth at the valid time, scored for 1 of 2 initial times",
        "+18, +24, +30, +36 h: no truth at the valid times, not scored",
    ]


def test_no_common_valid_time_is_an_error_with_both_periods():
    obs = truth()
    late = obs.assign_coords(time=obs.time + 1000 * HOUR)
    message = (
        "none of the forecast's valid times: they go from 2024-06-03T06 to 2024-06-03T18 UTC, "
        "the truth from 2024-07-14T16 to"
    )
    with pytest.raises(ValueError, match=message):
        score(forecast_of(obs), late)


def test_persistence_without_its_start_is_left_out_with_the_reason():
    obs = truth()
    scores = score(forecast_of(obs, inits=(1,)), obs.isel(time=slice(2, None)), GLOBAL)
    assert list(scores.source.values) == ["forecast"]
    assert "persistence is not scored: no truth at the initial time 2024-06-03T06" in scores.notes
    assert scores.attrs["baseline"] == "none"


def test_variables_and_levels_that_the_truth_lacks_are_named():
    obs = truth()
    fc = forecast_of(obs, error=0.5)
    scores = score(fc, obs[["geopotential"]].sel(level=[850]), GLOBAL)
    assert set(scores.data_vars) == {"geopotential", "sample_count"}
    assert list(scores.level.values) == [850]
    assert "not in the truth, not scored: 2m_temperature" in scores.notes
    assert "levels not in the truth, not scored: 500 hPa" in scores.notes


def test_levels_are_matched_by_label():
    obs = truth(levels=(500, 850))
    fc = forecast_of(obs, error=noise(7))
    more = obs.reindex(level=[300, 500, 850], fill_value=0.0)
    xr.testing.assert_identical(
        score(fc, more, GLOBAL).geopotential, score(fc, obs, GLOBAL).geopotential
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: o.rename(geopotential="a")[["a"]], "none of the forecast's variables"),
        (lambda o: o[["geopotential"]].sel(level=[]).reindex(level=[50]), "levels .*it has 50 hPa"),
        (lambda o: o.isel(longitude=slice(0, None, 2)), "longitudes differ: 12 from 0 to 330 aga"),
        (lambda o: o.assign_coords(longitude=o.longitude - 180), "against 12 from -180 to 150"),
        (
            lambda o: o.assign(geopotential=o.geopotential.assign_attrs(units="m")),
            "geopotential is in 'm2 s-2' in the forecast and in 'm' in the truth",
        ),
        (lambda o: o.isel(time=0), "truth must have a time dimension"),
    ],
)
def test_truths_that_do_not_fit_are_refused(change, message):
    obs = truth()
    with pytest.raises(ValueError, match=message):
        score(forecast_of(obs), change(obs))


def test_other_spellings_of_a_unit_are_the_same_unit():
    obs = truth()
    spelt = obs.assign(geopotential=obs.geopotential.assign_attrs(units="m**2 s**-2"))
    spelt_out = score(forecast_of(obs), spelt, GLOBAL)
    usual = score(forecast_of(obs), obs, GLOBAL)
    assert spelt_out["geopotential"].equals(usual["geopotential"])


def test_an_analysis_is_not_a_forecast():
    with pytest.raises(ValueError, match="this one lacks prediction_timedelta"):
        score(truth(), truth())


@pytest.mark.parametrize("role", ["forecast", "truth"])
def test_missing_values_are_refused_by_name(role):
    obs = truth()
    fc = forecast_of(obs)
    if role == "forecast":
        fc.geopotential[0, 1, 0, 0, 0] = np.nan
    else:
        obs.geopotential[2, 0, 0, 0] = np.inf
    message = rf"the {role} of geopotential from 2024-06-03T00 has values .* finite at \+12 h"
    with pytest.raises(ValueError, match=message):
        score(fc, obs, Protocol(("europe",)))


def test_a_climatology_that_lacks_something_is_refused():
    obs = truth()
    clim = climatology_like(obs)
    with pytest.raises(ValueError, match="every variable that is scored, and lacks geopotential"):
        score(forecast_of(obs), obs, climatology=clim.drop_vars("geopotential"))
    with pytest.raises(ValueError, match="every level that is scored, and lacks 850 hPa"):
        score(forecast_of(obs), obs, climatology=clim.sel(level=[500]))
    with pytest.raises(ValueError, match="forecast and climatology must be on the same grid"):
        score(forecast_of(obs), obs, climatology=clim.isel(latitude=slice(1, None)))


@pytest.mark.parametrize("dim", ["time", "prediction_timedelta"])
def test_a_time_that_comes_twice_is_refused(dim):
    obs = truth()
    fc = forecast_of(obs, inits=(0, 1))
    what = {"time": "init times", "prediction_timedelta": "lead times"}[dim]
    with pytest.raises(ValueError, match=f"a forecast's {what} must differ .* more than once"):
        score(xr.concat([fc, fc.isel({dim: [0]})], dim=dim), obs)


def test_progress_counts_the_lead_times_of_every_init_time():
    reports = []
    score(
        forecast_of(truth()),
        truth(),
        GLOBAL,
        progress=lambda done, total: reports.append((done, total)),
    )
    assert reports == [(0, 3), (1, 3), (2, 3), (3, 3)]
