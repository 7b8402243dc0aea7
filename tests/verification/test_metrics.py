"""Every metric against a formula written out apart from the package."""

import itertools

import numpy as np
import pytest
import xarray as xr

from data.canonical.humidity import specific_humidity
from data.constants import EARTH_RADIUS, STANDARD_GRAVITY
from mesh.grid import LatLonGrid
from tests.reference import HERE
from tests.verification.made_up_weather import forecast_of, truth
from verification import Space, align, evaluate, means_of, spectra
from verification.derived import derived_named
from verification.entrants import Forecast
from verification.metric import METRICS, metric_named
from verification.sample import Fields, Sample
from verification.statistic import GradientError, LargerGradient, Seeps

T = "2m_temperature"
GRID = LatLonGrid.regular(30.0)
AREA = GRID.row_areas()[:, None] / GRID.shape[1]


def noise(seed):
    return lambda shape: np.random.default_rng(seed).normal(size=shape)


@pytest.fixture(scope="module")
def ensemble():
    """Five members at two init times, their fields (init, member, lat, lon) and the truth's."""
    obs = truth()
    members = [forecast_of(obs, inits=(0, 1), leads=(6,), error=noise(i)) for i in range(5)]
    both = xr.concat(members, dim="number").assign_coords(number=range(5))
    x = both[T].transpose("time", "number", ...).values[:, :, 0].astype("f8")
    y = obs[T].values[1:3].astype("f8")
    return align(both, obs, None), x, y


def value(alignment, name, region="global"):
    metric = metric_named(name)(T)
    means = means_of([Forecast(alignment)], metric.statistics, Space((region,)))["forecast"]
    return evaluate(means, metric).squeeze().values


def mean(field):
    return (field * AREA).sum(axis=(-2, -1))


def test_crps_is_its_double_sum(ensemble):
    both, x, y = ensemble
    distance = mean(np.abs(x - y[:, None]).mean(1)).mean()
    pairs = [mean(np.abs(x[:, i] - x[:, j])).mean() for i in range(5) for j in range(5)]
    np.testing.assert_allclose(value(both, "crps"), distance - sum(pairs) / 50, rtol=1e-12)
    np.testing.assert_allclose(value(both, "crps_fair"), distance - sum(pairs) / 40, rtol=1e-12)
    raised, above = np.maximum(x, 285), np.maximum(y, 285)
    distance = mean(np.abs(raised - above[:, None]).mean(1)).mean()
    pairs = [mean(np.abs(raised[:, i] - raised[:, j])).mean() for i in range(5) for j in range(5)]
    np.testing.assert_allclose(value(both, "twcrps@285"), distance - sum(pairs) / 50, rtol=1e-12)


def test_spread_and_skill_are_their_formulas(ensemble):
    both, x, y = ensemble
    variance = mean(x.var(axis=1, ddof=1)).mean()
    square = mean((x.mean(1) - y) ** 2)
    np.testing.assert_allclose(value(both, "spread"), variance**0.5, rtol=1e-10)
    np.testing.assert_allclose(value(both, "ensemble_mean_rmse"), np.sqrt(square).mean())
    plain = (variance / square.mean()) ** 0.5
    np.testing.assert_allclose(value(both, "spread_skill_plain"), plain, rtol=1e-10)
    np.testing.assert_allclose(value(both, "spread_skill_corrected"), plain * 1.2**0.5, rtol=1e-10)
    debiased = (variance / (square.mean() - variance / 5)) ** 0.5
    np.testing.assert_allclose(value(both, "spread_skill"), debiased, rtol=1e-8)


def test_ranks_probabilities_and_quantiles_are_their_formulas(ensemble):
    both, x, y = ensemble
    ranks = (x < y[:, None]).sum(1)
    expected = [mean(ranks == rank).mean() for rank in range(6)]
    np.testing.assert_allclose(value(both, "rank_histogram"), expected, atol=1e-12)
    p, o = (x > 285).mean(1), y > 285
    np.testing.assert_allclose(value(both, "brier@285"), mean((p - o) ** 2).mean(), rtol=1e-12)
    frequency = value(both, "reliability@285")
    certain = p > 0.95
    assert frequency[-1] == pytest.approx(mean(certain * o).sum() / mean(certain * 1.0).sum())
    q = np.quantile(x, 0.9, axis=1)
    loss = 2 * np.where(y < q, 0.1 * (q - y), 0.9 * (y - q))
    np.testing.assert_allclose(value(both, "quantile_score@0.9"), mean(loss).mean(), rtol=1e-12)


def test_tied_ranks_share_alike():
    obs = truth()
    same = xr.concat([forecast_of(obs, leads=(6,))] * 3, dim="number").assign_coords(
        number=[0, 1, 2]
    )
    np.testing.assert_allclose(value(align(same, obs, None), "rank_histogram"), 0.25)


def test_the_energy_score_is_its_double_sum(ensemble):
    both, x, y = ensemble
    norm = lambda field: np.sqrt(mean(field**2)).mean()  # noqa: E731
    distance = np.mean([norm(x[:, i] - y) for i in range(5)])
    pairs = np.mean([norm(x[:, i] - x[:, j]) for i, j in itertools.combinations(range(5), 2)])
    np.testing.assert_allclose(value(both, "energy_score"), distance - pairs / 2, rtol=1e-12)
    following = np.mean([norm(x[:, i] - x[:, (i + 1) % 5]) for i in range(5)])
    np.testing.assert_allclose(
        value(both, "energy_score_neighbours"), distance - following / 2, rtol=1e-12
    )


def test_an_ensemble_of_one_has_the_crps_of_its_absolute_error():
    obs = truth()
    one = align(forecast_of(obs, leads=(6,), error=noise(1)), obs, None)
    np.testing.assert_allclose(value(one, "crps"), value(one, "mae"), rtol=1e-12)


def test_fractions_skill_is_one_for_the_truth_and_counts_neighbourhoods():
    obs = truth()
    perfect = align(forecast_of(obs, leads=(6,)), obs, None)
    assert value(perfect, "fss@280") == pytest.approx(1)
    shifted = forecast_of(obs, leads=(6,)).roll(longitude=1)
    f, o = (field[T].values.squeeze() >= 280 for field in (shifted, obs.isel(time=1)))
    fraction = []
    for field in (f * 1.0, o * 1.0):
        made = np.zeros(GRID.shape)
        for i, j in np.ndindex(GRID.shape):
            rows = range(max(0, i - 2), min(7, i + 3))
            made[i, j] = np.mean([[field[r, (j + k) % 12] for k in range(-2, 3)] for r in rows])
        fraction.append(made)
    pf, po = fraction
    expected = 1 - mean((pf - po) ** 2) / (mean(pf**2) + mean(po**2))
    got = value(align(shifted, obs, None), "fss@280")
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def sample_of(forecast, observed, name, grid=GRID, climatology=None):
    made = None if climatology is None else Fields(climatology)
    return Sample(Fields({name: forecast}), Fields({name: observed}), made, grid=grid)


def test_s1_is_a_hundred_where_only_one_side_has_gradients():
    latitude = np.deg2rad(np.array(GRID.latitude))[:, None] * np.ones(GRID.shape)
    sample = sample_of(latitude * 100, latitude * 0, "p")
    error, larger = GradientError("p").field(sample), LargerGradient("p").field(sample)
    inside = slice(1, -1)
    np.testing.assert_allclose(error[inside], 100 / EARTH_RADIUS, rtol=1e-12)
    np.testing.assert_allclose(larger[inside], error[inside])
    assert np.isnan(error[[0, -1]]).all()


def test_seeps_has_its_table_and_expects_one_for_a_forecast_that_is_always_dry():
    name, p1 = "total_precipitation_24hr", 0.5
    dry, light, heavy = 0.0, 0.25e-3, 5e-3  # exactly the dry limit is light
    pairs = np.array([[f, o] for f in (dry, light, heavy) for o in (dry, light, heavy)])
    grid = LatLonGrid.regular(60.0)
    columns = np.zeros((2, *grid.shape))
    columns.reshape(2, -1)[:, :9] = pairs.T
    climatology = {
        f"{name}_seeps_dry_fraction": np.full(grid.shape, p1),
        f"{name}_seeps_threshold": np.full(grid.shape, 4e-3),
    }
    sample = sample_of(columns[0], columns[1], name, grid, climatology)
    penalty = Seeps(name).field(sample).ravel()[:9].reshape(3, 3)
    expected = 0.5 * np.array([[0, 2, 8], [2, 0, 6], [2 + 1.2, 1.2, 0]])
    np.testing.assert_allclose(penalty, expected)
    # a dry forecast: wet days are light twice as often as heavy
    assert penalty[0] @ [p1, (1 - p1) * 2 / 3, (1 - p1) / 3] == pytest.approx(1)
    climatology[f"{name}_seeps_dry_fraction"][:] = 0.9
    assert np.isnan(
        Seeps(name).field(sample_of(columns[0], columns[1], name, grid, climatology))
    ).all()
    with pytest.raises(ValueError, match="needs a climatology with total_precipitation_24hr_seeps"):
        Seeps(name).field(sample_of(columns[0], columns[1], name, grid))


def test_powers_add_up_to_the_mean_square_and_stand_at_their_wavenumber():
    grid = LatLonGrid.gaussian(8)
    latitude = np.deg2rad(np.array(grid.latitude))[:, None]
    longitude = np.deg2rad(np.array(grid.longitude))
    wave = np.cos(latitude) ** 3 * np.cos(3 * longitude) + 2.0  # Y₃₃ and Y₀₀
    power = spectra.power(wave, grid)
    np.testing.assert_allclose(power[0], 4.0, rtol=1e-12)
    # ⟨cos⁶φ cos²3λ⟩ = 16/35 / 2
    np.testing.assert_allclose(power[3], 8 / 35, rtol=1e-12)
    np.testing.assert_allclose(power.sum(), 4 + 8 / 35, rtol=1e-12)


def test_real_pressure_loses_nothing_in_its_spectrum():
    with xr.open_dataset(HERE / "weather" / "era5_msl_2025120100_2.5x2.5.nc") as file:
        msl = file["msl"].isel(latitude=slice(None, None, -1)).astype("f8")
    grid = LatLonGrid.from_coordinates(msl["latitude"].values, msl["longitude"].values)
    square = (msl.values**2).mean(-1) @ grid.row_areas()
    # 1e-6: areas of rows against exact quadrature, of a field that is nearly constant
    np.testing.assert_allclose(spectra.power(msl.values, grid).sum(), square, rtol=1e-6)
    kept = spectra.truncated(msl.values, grid, 42)
    np.testing.assert_allclose(spectra.power(kept, grid)[43:], 0, atol=1e-9)


def test_solid_rotation_has_twice_its_rate_times_the_sine_of_latitude_as_vorticity():
    grid = LatLonGrid.regular(10.0)
    latitude = np.deg2rad(np.array(grid.latitude))[:, None] * np.ones(grid.shape)
    rate = 1e-5
    east = rate * EARTH_RADIUS * np.cos(latitude)
    made = spectra.vorticity(east, np.zeros(grid.shape), grid)
    np.testing.assert_allclose(made, 2 * rate * np.sin(latitude), atol=1e-17)


def test_blurring_mends_a_forecast_that_is_too_strong():
    obs = truth()
    strong = forecast_of(obs, leads=(6,)) * np.float32(2)
    both = align(strong.assign_attrs({}), obs, None)
    assert value(both, "rmse") > 100
    # the sum and difference of float32 fields of size 500
    assert value(both, "rmse_blurred") < 1e-3
    assert value(both, "effective_resolution") == spectra.largest_wavenumber(GRID)


def test_derived_variables_are_their_formulas():
    levels = (300, 700, 1000)
    shape = (3, *GRID.shape)
    u, v, q = np.full(shape, 3.0), np.full(shape, 4.0), np.full(shape, 0.01)
    fields = {"u_component_of_wind": u, "v_component_of_wind": v, "specific_humidity": q}
    make = lambda name, **more: derived_named(name).compute({**fields, **more}, GRID, levels)  # noqa: E731
    np.testing.assert_allclose(make("wind_speed"), 5.0)
    # a constant q and u: q u Δp / g over 1000 to 300 hPa
    np.testing.assert_allclose(
        make("integrated_vapour_transport"), 0.01 * 5 * 70000 / STANDARD_GRAVITY
    )
    z = np.arange(3.0)[:, None, None] * np.ones(shape)
    np.testing.assert_allclose(make("thickness:300:1000", geopotential=z), -2 / STANDARD_GRAVITY)
    t = np.full(shape, 280.0)
    relative = make("relative_humidity", temperature=t)
    dims = ("level", "latitude", "longitude")
    level = xr.DataArray(np.array(levels), dims="level")
    back = specific_humidity(xr.DataArray(relative, dims=dims), xr.DataArray(t, dims=dims), level)
    below = relative < 100 * 300 / 10  # where e stays below p
    np.testing.assert_allclose(back.values[below], q[below], rtol=1e-5)  # its p is float32


def test_every_metric_says_its_unit_and_what_is_good():
    for name, metric_of in METRICS.items():
        metric = metric_of(T) or metric_of("wind_vector") or metric_of("mean_sea_level_pressure")
        metric = metric or metric_of("total_precipitation_24hr")
        assert metric.units in ("field", "1", "squared"), name
        assert metric.best in ("low", "high", "zero", "one"), name
    with pytest.raises(ValueError, match=r"unknown metric 'rsme' \(did you mean 'rmse'\?\); there"):
        metric_named("rsme")
    with pytest.raises(ValueError, match="the metric brier needs values in the variable's units"):
        metric_named("brier")
