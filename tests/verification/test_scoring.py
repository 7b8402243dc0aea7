"""Laws and oracles of the scores."""

import numpy as np
import pytest
import xarray as xr

from mesh.grid import LatLonGrid
from tests.verification.made_up_weather import (
    GLOBAL,
    HOUR,
    climatology_like,
    forecast_of,
    noise,
    real_analyses,
    truth,
)
from verification import (
    HEADLINE,
    HEADLINE_METRICS,
    Climatology,
    MeanOf,
    Persistence,
    Protocol,
    SquaredError,
    score,
)
from verification.scoring import DIMS


def test_a_perfect_forecast_has_no_error_and_full_correlation():
    obs = truth()
    scores = score(forecast_of(obs), obs, GLOBAL, climatology=climatology_like(obs))
    perfect = scores.sel(source="forecast")
    for name in ("geopotential", "2m_temperature"):
        for metric in ("rmse", "rmse_wb2", "mae", "bias"):
            assert (perfect[name].sel(metric=metric) == 0).all()
        np.testing.assert_allclose(perfect[name].sel(metric="acc"), 1, rtol=1e-12)


def test_a_constant_error_is_found_by_every_metric():
    obs = truth()
    # 2⁻¹: exact in float32 next to values of 280
    scores = score(forecast_of(obs, error=-0.5), obs, GLOBAL)
    for metric, expected in {"rmse": 0.5, "rmse_wb2": 0.5, "mae": 0.5, "bias": -0.5}.items():
        value = scores["2m_temperature"].sel(metric=metric, source="forecast")
        np.testing.assert_allclose(value, expected, rtol=1e-4)


def test_the_root_first_is_never_the_larger_rmse_and_equal_for_one_init():
    obs = truth()
    several = score(forecast_of(obs, inits=(0, 1, 2, 4), error=noise(1)), obs)
    inside, outside = (several.geopotential.sel(metric=m) for m in ("rmse", "rmse_wb2"))
    assert (inside <= outside).all()
    assert (inside < outside).any()
    one = score(forecast_of(obs, error=noise(1)), obs)
    np.testing.assert_allclose(
        one.geopotential.sel(metric="rmse"), one.geopotential.sel(metric="rmse_wb2"), rtol=1e-14
    )


def test_scores_are_the_hand_written_formulas():
    obs = truth()
    fc = forecast_of(obs, inits=(0, 2), error=noise(2))
    clim = climatology_like(obs)
    scores = score(fc, obs, GLOBAL, climatology=clim).geopotential.sel(
        region="global", level=850, prediction_timedelta=12 * HOUR
    )
    area = LatLonGrid.from_coordinates(obs.latitude.values, obs.longitude.values).row_areas()
    mse, correlation, error = [], [], []
    for i in (0, 2):
        f = fc.geopotential.sel(time=obs.time[i], prediction_timedelta=12 * HOUR, level=850)
        o = obs.geopotential.isel(time=i + 2).sel(level=850)
        mean = lambda x: (x.astype("f8").mean("longitude").values * area).sum()  # noqa: E731
        mse.append(mean((f.values - o) ** 2))
        error.append(mean(f.values - o))
        a, b = f.values - 275.0, o - 275.0
        correlation.append(mean(a * b) / np.sqrt(mean(b * 0 + a**2) * mean(b**2)))
    expected = {
        "rmse": np.mean(np.sqrt(mse)),
        "rmse_wb2": np.sqrt(np.mean(mse)),
        "bias": np.mean(error),
        "acc": np.mean(correlation),
    }
    for metric, value in expected.items():
        np.testing.assert_allclose(scores.sel(metric=metric, source="forecast"), value, rtol=1e-5)


def test_persistence_is_the_truth_at_the_initial_time():
    obs = truth()
    held = forecast_of(obs, inits=(1,))
    for name in held.data_vars:
        held[name] = held[name] * 0 + obs[name].isel(time=1, drop=True)
    scores = score(held, obs, GLOBAL).geopotential
    xr.testing.assert_allclose(
        scores.sel(source="forecast", drop=True), scores.sel(source="persistence", drop=True)
    )


def test_persistence_of_the_real_analyses_has_its_known_errors():
    obs = real_analyses()
    fc = forecast_of(obs[["geopotential", "temperature"]].load(), inits=(0, 1, 2, 3), leads=(24,))
    scores = score(fc, obs, GLOBAL).sel(metric="rmse", source="persistence", region="global")
    # Computed apart from this code with weights of cos latitude, which on a 10° grid differ from
    # exact areas by up to 0.5 % in these means.
    np.testing.assert_allclose(scores.geopotential.sel(level=500).item(), 424, rtol=5e-3)
    np.testing.assert_allclose(scores.temperature.sel(level=850).item(), 1.64, rtol=5e-3)


def test_lazy_and_loaded_give_the_same_scores():
    obs = truth()
    fc = forecast_of(obs, inits=(0, 1), error=noise(3))
    lazy = score(fc.chunk(time=1, prediction_timedelta=1), obs.chunk(time=1))
    xr.testing.assert_identical(lazy, score(fc, obs))


def test_members_count_one_by_one():
    obs = truth()
    one, two = (forecast_of(obs, error=noise(seed)) for seed in (4, 5))
    both = xr.concat([one, two], dim="number").assign_coords(number=[0, 1])
    scores = score(both, obs, GLOBAL)
    each = [score(fc, obs, GLOBAL) for fc in (one, two)]
    for name in ("geopotential", "2m_temperature"):
        mean = (each[0][name] + each[1][name]) / 2
        xr.testing.assert_allclose(
            scores[name].sel(metric=["rmse", "mae", "bias"]),
            mean.sel(metric=["rmse", "mae", "bias"]),
        )
    assert scores.attrs["members"].startswith("2, scored one by one")


def test_the_order_of_dimensions_and_rows_changes_nothing():
    obs = truth()
    fc = forecast_of(obs, error=noise(6))
    turned = fc.isel(latitude=slice(None, None, -1)).transpose("longitude", ...)
    xr.testing.assert_allclose(score(turned, obs), score(fc, obs))


def test_rounded_coordinates_are_the_same_grid():
    obs = truth()
    fc = forecast_of(obs, error=noise(6))
    rounded = obs.assign_coords(longitude=obs.longitude + 4e-4)
    xr.testing.assert_identical(score(fc, rounded), score(fc, obs))


def test_the_result_says_how_it_was_made():
    obs = truth()
    fc = forecast_of(obs).assign_attrs(source="GraphCast, weights: demo", provenance='{"a": 1}')
    scores = score(fc, obs, Protocol(("global", "tropics"), "f.zarr", "era5.zarr"))
    assert scores.geopotential.dims == DIMS
    assert scores["2m_temperature"].dims == DIMS[:-1]
    assert scores.geopotential.attrs["units"] == "m2 s-2"
    assert list(scores.region.values) == ["global", "tropics"]
    assert list(scores.metric.values) == [m for m in HEADLINE_METRICS if m != "acc"]
    assert scores.attrs["truth"] == "era5.zarr"
    assert scores.attrs["forecast_source"] == "GraphCast, weights: demo"
    assert scores.attrs["initial_times"] == "2024-06-03T00"
    assert "anomaly correlation is not reported: no climatology was given" in scores.attrs["notes"]


def test_climatologies_by_day_and_hour_are_looked_up_at_the_valid_time():
    obs = truth()
    valid = obs.isel(time=slice(1, 4))
    by_hour = xr.concat(
        [valid.isel(time=i, drop=True) - 1.0 for i in range(3)] + [obs.isel(time=0, drop=True)],
        dim="hour",
    ).assign_coords(hour=[6, 12, 18, 0])
    daily = by_hour.expand_dims(dayofyear=[155])  # 3 June in a leap year
    scores = score(forecast_of(obs), obs, GLOBAL, climatology=daily)
    # The anomaly of the truth is 1 everywhere, that of persistence is noise.
    assert (scores["2m_temperature"].sel(metric="acc", source="persistence") < 0.9).all()
    np.testing.assert_allclose(
        scores["2m_temperature"].sel(metric="acc", source="forecast"), 1, rtol=1e-6
    )
    with pytest.raises(ValueError, match=r"lacks dayofyear \[155\]; score without it"):
        score(forecast_of(obs), obs, climatology=by_hour.expand_dims(dayofyear=[154]))
    with pytest.raises(ValueError, match="a climatology has no time dimension but dayofyear"):
        score(forecast_of(obs), obs, climatology=obs)


def test_the_scores_say_what_their_numbers_mean():
    obs = truth()
    metric = score(forecast_of(obs), obs, GLOBAL, climatology=climatology_like(obs))["metric"]
    assert list(metric.values) == ["rmse", "rmse_wb2", "mae", "bias", "acc"]
    assert metric.attrs == {
        "value_units": "field field field field 1",
        "best": "low low low zero one",
    }


def test_a_metric_of_ones_own_is_reported_beside_the_others():
    obs = truth()
    fc = forecast_of(obs, inits=(0, 1), error=noise(8))
    mine = HEADLINE | {"mse": lambda v: MeanOf(SquaredError(v), units="squared")}
    scores = score(fc, obs, GLOBAL, metrics=mine)
    assert scores["metric"].attrs["value_units"] == "field field field field squared"
    assert scores.geopotential.attrs["comment"] == (
        "all metrics in these units; mse in these units squared"
    )
    np.testing.assert_allclose(
        scores.geopotential.sel(metric="mse"),
        scores.geopotential.sel(metric="rmse_wb2") ** 2,
        rtol=1e-12,  # a square root and its square
    )


def test_the_climatology_is_scored_where_it_is_asked_for():
    obs = truth()
    clim = climatology_like(obs)
    scores = score(
        forecast_of(obs), obs, GLOBAL, climatology=clim, baselines=(Persistence, Climatology)
    )
    assert list(scores.source.values) == ["forecast", "persistence", "climatology"]
    assert scores.attrs["baseline"] == (
        "persistence of the truth at init time; climatological mean at valid time"
    )
    departure = (obs["2m_temperature"] - 275.0).isel(time=slice(1, 4)).astype("f8")
    area = LatLonGrid.from_coordinates(obs.latitude.values, obs.longitude.values).row_areas()
    expected = np.sqrt((departure**2).mean("longitude").values @ area)
    of_climatology = scores["2m_temperature"].sel(source="climatology", region="global")
    np.testing.assert_allclose(of_climatology.sel(metric="rmse"), expected, rtol=1e-6)
    assert np.isnan(of_climatology.sel(metric="acc")).all()  # its anomaly is 0
    with pytest.raises(ValueError, match="the climatology can be scored only where one is given"):
        score(forecast_of(obs), obs, GLOBAL, baselines=(Climatology,))
