"""The engine: statistics and entrants that it does not know, bins, resumption."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import xarray as xr

from data.stores.kind import kind_of
from mesh.grid import LatLonGrid
from tests.verification.made_up_weather import HOUR, forecast_of, truth
from verification import (
    AnomalyProduct,
    Each,
    Error,
    Forecast,
    MeanOf,
    MeanOfRoots,
    MeanOverMembers,
    Metric,
    Persistence,
    SquaredError,
    Statistic,
    align,
    by_init_time,
    evaluate,
    means_of,
    read_means,
)

U, V = "u_component_of_wind", "v_component_of_wind"


@dataclass(frozen=True)
class VectorError(Statistic):
    """|f - o|² of a vector with two components."""

    east: str
    north: str

    @property
    def variables(self):
        return (self.east, self.north)

    def field(self, sample):
        return sum(sample.error(v) ** 2 for v in self.variables)


@dataclass(frozen=True)
class Exceeded(Statistic):
    """Whether a side exceeds each threshold, 0 or 1."""

    variable: str
    side: str
    thresholds: tuple[float, ...]

    @property
    def variables(self):
        return (self.variable,)

    def bins(self, sample):
        return {"threshold": self.thresholds}

    def field(self, sample):
        side = sample.forecast if self.side == "forecast" else sample.truth
        return np.stack([(side[self.variable] > threshold) * 1.0 for threshold in self.thresholds])


@dataclass(frozen=True)
class FrequencyBias(Metric):
    """How often the forecast exceeds a threshold, over how often the truth does."""

    variable: str
    thresholds: tuple[float, ...]

    units = "1"
    best = "one"

    @property
    def statistics(self):
        return tuple(Exceeded(self.variable, s, self.thresholds) for s in ("forecast", "truth"))

    def value(self, means):
        forecast, observed = self.statistics
        return means[forecast] / means[observed]


def wind(seed=0):
    """The made-up truth with two wind components in place of its variables."""
    a, b = truth(seed=seed), truth(seed=seed + 1)
    return xr.Dataset({U: a.geopotential - 280, V: b.geopotential - 280})


def noise(seed):
    return lambda shape: np.random.default_rng(seed).normal(size=shape)


def area(obs):
    return LatLonGrid.from_coordinates(obs.latitude.values, obs.longitude.values).row_areas()


def test_a_statistic_of_two_variables_is_averaged_like_any_other():
    obs = wind()
    both = align(forecast_of(obs, inits=(0, 2), error=noise(1)), obs, None)
    metric = MeanOfRoots(VectorError(U, V))
    means = means_of([Forecast(both), Persistence(both)], metric.statistics, ["global"])
    values = evaluate(means["forecast"], metric).sel(region="global", level=500)
    roots = []
    for i in (0, 2):
        f = both.forecast.sel(time=obs.time[i], level=500)
        o = obs.sel(level=500).isel(time=[i + 1, i + 2, i + 3])
        square = sum((f[v].values - o[v].values) ** 2 for v in (U, V))
        roots.append(np.sqrt(square.astype("f8").mean(-1) @ area(obs)))
    # 1e-5: the fields and their squares are float32
    np.testing.assert_allclose(values, np.mean(roots, axis=0), rtol=1e-5)
    assert set(means) == {"forecast", "persistence"}


def test_bins_stay_through_the_means_and_a_metric_may_differ_in_them():
    obs = truth()
    both = align(forecast_of(obs, inits=(0, 1), error=2.0), obs, None)
    warm = FrequencyBias("2m_temperature", (275.0, 285.0))
    high = FrequencyBias("geopotential", (280.0,))  # other thresholds in the same pass
    statistics = [*warm.statistics, *high.statistics]
    means = means_of([Forecast(both)], statistics, ["global", "tropics"])["forecast"]
    value = evaluate(means, warm)
    assert set(value.dims) == {"threshold", "prediction_timedelta", "region"}
    assert list(value.threshold.values) == [275.0, 285.0]
    assert (value >= 1).all()  # the forecast is 2 K too warm
    assert list(evaluate(means, high).threshold.values) == [280.0]
    ratio = []
    for i in (0, 1):
        of = [(x.astype("f8") > 285.0).mean("longitude").values @ area(obs) for x in (
            both.forecast["2m_temperature"].isel(time=i).sel(prediction_timedelta=12 * HOUR),
            obs["2m_temperature"].isel(time=i + 2),
        )]  # fmt: skip
        ratio.append(of[0] / of[1])
    got = value.sel(threshold=285.0, region="global", prediction_timedelta=12 * HOUR)
    np.testing.assert_allclose(got, np.mean(ratio), rtol=1e-12)


def test_members_are_bins_until_a_metric_averages_them():
    obs = truth()
    members = xr.concat(
        [forecast_of(obs, error=noise(seed)) for seed in (4, 5)], dim="number"
    ).assign_coords(number=[0, 1])
    both = align(members, obs, None)
    metric = MeanOverMembers(MeanOfRoots(SquaredError("geopotential")))
    means = means_of([Forecast(both), Persistence(both)], metric.statistics)
    each = means["forecast"].of(Each(SquaredError("geopotential")))
    assert "number" in each.dims
    xr.testing.assert_allclose(by_init_time(means["forecast"], metric), (each**0.5).mean("number"))
    assert "number" not in means["persistence"].of(Each(SquaredError("geopotential"))).dims
    with pytest.raises(ValueError, match=r"has 4 axes, .* declares 3; wrap it in Each"):
        means_of([Forecast(both)], [SquaredError("geopotential")])


def test_a_dimension_that_is_not_declared_is_refused():
    @dataclass(frozen=True)
    class Silent(Exceeded):
        def bins(self, sample):
            return {}

    obs = truth()
    both = align(forecast_of(obs), obs, None)
    with pytest.raises(ValueError, match=r"has 4 axes, .* declares 3; name what it adds in `bins`"):
        means_of([Forecast(both)], [Silent("geopotential", "truth", (1.0,))])


def test_another_centres_forecast_is_one_more_entrant():
    obs = truth()
    ours = align(forecast_of(obs, inits=(0, 1, 2), error=0.5), obs, None)
    another = align(forecast_of(obs, inits=(1, 2, 3), error=0.25), obs, None)
    bias = MeanOf(Error("geopotential"), best="zero")
    means = means_of(
        [Forecast(ours), Forecast(another, "another"), Persistence(ours)], bias.statistics
    )
    assert list(means) == ["forecast", "another", "persistence"]
    # 2⁻¹ and 2⁻²: exact in float32 next to values of 280, but for their own rounding
    np.testing.assert_allclose(evaluate(means["another"], bias), 0.25, rtol=1e-4)
    np.testing.assert_allclose(evaluate(means["forecast"], bias), 0.5, rtol=1e-4)
    one, other = (by_init_time(means[name], bias) for name in ("forecast", "another"))
    common, _ = xr.align(one, other, join="inner")
    assert list(common.init_time.values) == list(obs.time.values[1:3])


def test_entrants_and_statistics_that_cannot_be_told_apart_are_refused():
    obs = truth()
    both = align(forecast_of(obs), obs, None)
    with pytest.raises(ValueError, match="told apart by their names, and these are a, a"):
        means_of([Forecast(both, "a"), Persistence(both, "a")], [Error("geopotential")])

    def namesake():
        @dataclass(frozen=True)
        class Error(Statistic):
            variable: str
            variables = ("geopotential",)

            def field(self, sample):
                return sample.forecast["geopotential"]

        Error.__qualname__ = "Error"
        return Error("geopotential")

    with pytest.raises(ValueError, match="two statistics differ and have one repr"):
        means_of([Forecast(both)], [Error("geopotential"), namesake()])


def test_a_missing_variable_is_named_with_the_entrant_that_lacks_it():
    obs = truth()
    both = align(forecast_of(obs), obs, None)
    with pytest.raises(ValueError, match=r"Error\(variable='vorticity'\) needs vorticity, which f"):
        means_of([Forecast(both)], [Error("vorticity")])
    with pytest.raises(ValueError, match="anomalies of geopotential need a climatology"):
        means_of([Forecast(both)], [AnomalyProduct("geopotential", "truth", "truth")])


def test_persistence_without_its_start_is_refused():
    obs = truth()
    both = align(forecast_of(obs, inits=(1,)), obs.isel(time=slice(2, None)), None)
    with pytest.raises(ValueError, match=r"persistence from 2024-06-03T06 needs the truth at that"):
        means_of([Persistence(both)], [Error("geopotential")])


def test_statistics_are_compared_by_value_and_computed_once():
    assert SquaredError("a") == SquaredError("a")
    assert Error("a") != SquaredError("a") != SquaredError("b")
    assert AnomalyProduct("a", "forecast", "truth") != AnomalyProduct("a", "truth", "truth")
    calls = []

    @dataclass(frozen=True)
    class Counted(Error):  # noqa: N818  a forecast's error, no exception
        def field(self, sample):
            calls.append(self)
            return super().field(sample)

    obs = truth()
    both = align(forecast_of(obs), obs, None)
    means_of([Forecast(both)], [Counted("geopotential"), Counted("geopotential")])
    assert len(calls) == 3  # lead times


# ---- the store of means ----------------------------------------------------------------------


def assert_same(one, other):
    assert list(one) == list(other)
    for name in one:
        assert list(one[name].sums) == list(other[name].sums)
        for key, part in one[name].sums.items():
            xr.testing.assert_equal(part.total, other[name].sums[key].total)
            xr.testing.assert_equal(part.weight, other[name].sums[key].weight)


def job():
    """Two entrants, members, two kinds of bins, and lead times that not every init time has."""
    obs = truth()
    members = xr.concat(
        [forecast_of(truth(12), inits=(0, 2, 6), error=noise(seed)) for seed in (4, 5)],
        dim="number",
    ).assign_coords(number=[0, 1])
    both = align(members, obs, None)
    statistics = [
        Each(SquaredError("geopotential")),
        Exceeded("2m_temperature", "truth", (275.0, 285.0)),
    ]
    return [Forecast(both), Persistence(both)], statistics, ["global", "europe"]


class Killed(BaseException):
    pass


def killed_after(parts):
    def progress(done, total):
        if done >= parts:
            raise Killed

    return progress


@pytest.mark.parametrize("parts", [1, 3, 6, 8])
def test_a_killed_pass_goes_on_and_gives_the_same_means(tmp_path, parts):
    straight = means_of(*job())
    with pytest.raises(Killed):
        means_of(*job(), store=tmp_path / "means.zarr", threads=1, progress=killed_after(parts))
    reports = []
    resumed = means_of(
        *job(),
        store=tmp_path / "means.zarr",
        progress=lambda done, total: reports.append((done, total)),
    )
    assert_same(resumed, straight)
    assert_same(read_means(tmp_path / "means.zarr"), straight)
    assert reports[0][0] in range(0, parts)  # whole init times, with three lead times each
    assert reports[-1] == (8, 8)  # the last init time has two
    assert kind_of(tmp_path / "means.zarr") == "means"
    assert [path.name for path in tmp_path.iterdir()] == ["means.zarr"]


def test_stores_of_other_dates_add_up(tmp_path):
    entrants, statistics, regions = job()
    both = entrants[0].alignment
    for name, inits in (("a", [0]), ("b", [1, 2])):
        part = replace(both, forecast=both.forecast.isel(time=inits))
        means_of([Forecast(part)], statistics, regions, store=tmp_path / name)
    a, b = (read_means(tmp_path / name)["forecast"] for name in "ab")
    whole = means_of([entrants[0]], statistics, regions)["forecast"]
    assert_same({"added": b + a}, {"added": whole})


def test_an_interrupted_store_of_another_pass_is_refused(tmp_path):
    entrants, statistics, regions = job()
    with pytest.raises(Killed):
        means_of(
            *(entrants, statistics, regions),
            store=tmp_path / "m",
            threads=1,
            progress=killed_after(7),
        )
    with pytest.raises(FileExistsError, match="interrupted store of means with another forecast,"):
        means_of(entrants, statistics, ["global"], store=tmp_path / "m")
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match="other is no store of means; `means_of` writes one"):
        read_means(tmp_path / "other")
