"""From files of several forecasts to scores, comparisons and a store that is extended."""

import json

import numpy as np
import pytest
import xarray as xr
import zarr

from forecast_cli.__main__ import main
from tests.verification.made_up_weather import forecast_of, truth
from verification import read_means
from verification.comparing import evenly_spaced
from verification.engine import Work
from verification.protocols import PROTOCOLS

SMALL = ("--regions", "global", "--variables", "2t", "--metrics", "rmse", "--test", "none")


def noise(seed, size=1.0):
    return lambda shape: size * np.random.default_rng(seed).normal(size=shape)


def plausible():
    """The made-up truth, with geopotential as high as its levels are."""
    obs = truth(times=32)
    base = xr.DataArray(np.float32([55000, 14500]), {"level": [500, 850]})
    z = ((obs["geopotential"] - 280) * 10 + base).transpose(*obs["geopotential"].dims)
    return obs.assign(geopotential=z.assign_attrs(obs["geopotential"].attrs))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two forecasts from 24 init times, of which they share 20; truth, climatology, fewer inits."""
    folder = tmp_path_factory.mktemp("run")
    obs = plausible()
    ours = forecast_of(obs, inits=range(24), error=noise(1))
    theirs = forecast_of(obs, inits=range(4, 28), error=noise(2, 1.2))
    ours.chunk(time=1, prediction_timedelta=1).to_zarr(folder / "ours.zarr", zarr_format=2)
    theirs.to_zarr(folder / "theirs.zarr", zarr_format=2)
    obs.to_netcdf(folder / "truth.nc")
    obs.mean("time").to_netcdf(folder / "climatology.nc")
    return folder


def run(monkeypatch, folder, *words):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(
        "sys.argv", ["graphcast", "score", "--force", "--truth", "truth.nc", *words]
    )
    try:
        main()
    except SystemExit as stop:
        return stop.code
    return 0


def oracle(folder, name):
    """RMSE at 6 h of 2 m temperature over the globe, at each init time."""
    forecast = xr.open_zarr(folder / f"{name}.zarr", decode_timedelta=True)["2m_temperature"]
    obs = xr.open_dataset(folder / "truth.nc")["2m_temperature"]
    rows = np.diff(np.sin(np.deg2rad([-90, -75, -45, -15, 15, 45, 75, 90]))) / 2
    made = {}
    for init in forecast.time.values:
        f = forecast.sel(time=init).isel(prediction_timedelta=0).astype("f8").values
        o = obs.sel(time=init + np.timedelta64(6, "h")).astype("f8").values
        made[init] = np.sqrt(((f - o) ** 2).mean(-1) @ rows)
    return made


def test_two_forecasts_are_scored_on_all_and_compared_on_what_both_have(monkeypatch, folder):
    code = run(
        monkeypatch,
        folder,
        *("--forecast", "ours=ours.zarr", "--forecast", "theirs=theirs.zarr"),
        *("--variables", "2t", "--regions", "global", "--lead-times", "6h", "--metrics", "rmse"),
        *("--test", "hac", "--test", "ar2", "--json", "two.json", "--csv", "two.csv"),
        *("--output", "two.zarr"),
    )
    assert code == 0
    content = json.loads((folder / "two.json").read_text())
    ours, theirs = oracle(folder, "ours"), oracle(folder, "theirs")
    values = {row["forecast"]: row for row in content["scores"]}
    assert values["ours"]["value"] == pytest.approx(np.mean(list(ours.values())), rel=1e-12)
    assert values["theirs"]["value"] == pytest.approx(np.mean(list(theirs.values())), rel=1e-12)
    assert (values["ours"]["n"], values["ours"]["unit"], values["ours"]["level"]) == (24, "K", None)
    common = sorted(set(ours) & set(theirs))
    differences = np.array([ours[t] - theirs[t] for t in common])
    row, other = (row for row in content["comparisons"] if row["forecast"] == "ours")
    assert (row["test"], other["test"]) == ("hac", "ar2")
    assert (row["reference"], row["n"]) == ("theirs", 20)
    assert row["difference"] == pytest.approx(differences.mean(), rel=1e-12)
    mean_of_theirs = np.mean([theirs[t] for t in common])
    assert row["relative"] == pytest.approx(differences.mean() / mean_of_theirs, rel=1e-12)
    assert row["low"] < row["difference"] < row["high"]
    assert row["p"] < 0.05
    assert len((folder / "two.csv").read_text().splitlines()) == 1 + len(content["scores"])
    with xr.open_zarr(folder / "two.zarr", decode_timedelta=True) as store:
        each = store["2m_temperature_by_init_time"].squeeze(drop=True).sel(source="ours")
        each = each.dropna("init_time")
        np.testing.assert_allclose(each, [ours[t] for t in each.init_time.values], rtol=1e-12)


def test_a_longer_period_adds_to_the_scores_that_are_there(monkeypatch, folder):
    words = ["--forecast", "ours.zarr", "--output", "longer.zarr", *SMALL]
    assert run(monkeypatch, folder, *words, "--time", "2024-06-03/2024-06-04") == 0
    first = zarr.open_group(folder / "longer.zarr/sums", mode="r")
    assert len(list(first.array_keys())) == 8
    # a sum of a finished init time is read, not made again
    with monkeypatch.context() as patch:
        made, shard = [], Work.shard
        patch.setattr(Work, "shard", lambda w, t, *a: (made.append(t), shard(w, t, *a))[1])
        assert run(monkeypatch, folder, *words) == 0
        assert len(made) == 16
    assert run(monkeypatch, folder, *words[:2], "--output", "whole.zarr", *SMALL) == 0
    with (
        xr.open_zarr(folder / "longer.zarr") as longer,
        xr.open_zarr(folder / "whole.zarr") as whole,
    ):
        xr.testing.assert_equal(longer.load(), whole.load())


def test_the_sums_of_a_store_of_scores_can_be_read_and_added(monkeypatch, folder):
    words = ["--forecast", "ours.zarr", *SMALL]
    for name, period in (("a", "2024-06-03/2024-06-04"), ("b", "2024-06-05/2024-06-08")):
        assert run(monkeypatch, folder, *words, "--time", period, "--output", f"{name}.zarr") == 0
    both = read_means(folder / "a.zarr")["forecast"] + read_means(folder / "b.zarr")["forecast"]
    assert len(both.init_times) == 24


def test_other_processes_give_the_same_numbers(monkeypatch, folder):
    words = ["--forecast", "ours.zarr", *SMALL]
    words += ["--time", "2024-06-03/2024-06-03"]
    assert run(monkeypatch, folder, *words, "--scheduler", "processes", "--output", "p.zarr") == 0
    assert run(monkeypatch, folder, *words, "--output", "t.zarr") == 0
    with xr.open_zarr(folder / "p.zarr") as one, xr.open_zarr(folder / "t.zarr") as other:
        xr.testing.assert_equal(one["2m_temperature"].load(), other["2m_temperature"].load())


def test_protocols_choose_times_metrics_and_say_so(monkeypatch, folder, capsys):
    words = ["--forecast", "ours.zarr", "--climatology", "climatology.nc"]
    code = run(
        *(monkeypatch, folder, *words, "--protocol", "paper", "--regions", "global"),
        *("--variables", "2t"),
        *("--output", "paper.zarr", "--json", "paper.json"),
    )
    assert code == 0
    content = json.loads((folder / "paper.json").read_text())
    assert content["protocol"]["name"] == "paper"
    assert "06 and 18 UTC" in content["protocol"]["protocol"]
    assert (
        "initial times at 6, 18 UTC; lead times every 12 h up to 240 h"
        in (content["protocol"]["times"])
    )
    assert {row["metric"] for row in content["scores"]} == {"rmse", "acc", "bias"}
    assert {row["lead_hours"] for row in content["scores"]} == {12}
    assert {row["n"] for row in content["scores"]} == {12}
    code = run(
        *(monkeypatch, folder, *words, "--protocol", "wmo", "--regions", "wmo.nh"),
        *("--variables", "2t", "--time", "2024-06-03/2024-06-03"),
        *("--output", "wmo.zarr", "--json", "wmo.json"),
    )
    assert code == 0
    content = json.loads((folder / "wmo.json").read_text())
    assert content["protocol"]["weights"] == "cosine of latitude"
    assert "is of a 1.5 degree grid, and these fields are on 7 x 12" in content["protocol"]["notes"]
    assert {"acc_centred", "activity", "bias"} <= {row["metric"] for row in content["scores"]}


def test_a_reference_from_other_hours_is_paired_with_its_mean_6_hours_around(monkeypatch, folder):
    """As the paper does with HRES beyond 3.5 days."""
    obs = plausible()
    forecast_of(obs, inits=range(1, 24, 2), leads=(12,), error=noise(3)).to_zarr(
        folder / "odd.zarr", zarr_format=2
    )
    forecast_of(obs, inits=range(0, 26, 2), leads=(12,), error=noise(4)).to_zarr(
        folder / "even.zarr", zarr_format=2
    )
    code = run(
        *(monkeypatch, folder, "--forecast", "odd.zarr", "--forecast", "even.zarr"),
        *("--protocol", "paper", "--regions", "global", "--metrics", "rmse", "--variables", "2t"),
        *("--baseline", "none", "--output", "shifted.zarr", "--json", "shifted.json"),
    )
    assert code == 0
    content = json.loads((folder / "shifted.json").read_text())
    with xr.open_zarr(folder / "shifted.zarr") as store:
        each = store["2m_temperature_by_init_time"].squeeze(drop=True)
        odd, even = (each.sel(source=s).dropna("init_time").values for s in ("odd", "even"))
    expected = (odd - (even[:-1] + even[1:]) / 2).mean()
    (row,) = content["comparisons"]
    assert (row["n"], row["reference"]) == (12, "even")
    assert row["difference"] == pytest.approx(expected, rel=1e-12)


def test_missing_points_are_counted_where_that_is_asked_for(monkeypatch, folder, capsys):
    obs = plausible()
    forecast = forecast_of(obs, inits=range(4), leads=(6,), error=2.0)
    forecast["2m_temperature"][1, 0, 3, :6] = np.nan
    forecast.to_zarr(folder / "gaps.zarr", zarr_format=2)
    words = ["--forecast", "gaps.zarr", "--variables", "2t", "--baseline", "none"]
    words += ["--output", "gaps_scores.zarr", "--metrics", "bias", "--regions", "global"]
    assert run(monkeypatch, folder, *words) == 2
    assert "missing points counted (--missing count)" in capsys.readouterr().err
    words += ["--missing", "count", "--overwrite"]
    assert run(monkeypatch, folder, *words, "--json", "gaps.json") == 0
    content = json.loads((folder / "gaps.json").read_text())
    (row,) = content["scores"]
    assert row["value"] == pytest.approx(2.0, rel=1e-6)  # float32 next to 280
    assert row["n"] == 4
    # half a row of seven at the equator: sin 15° / 2
    said = "points are missing at 1 of 4 init times, up to 12.941% of a region's area"
    assert said in content["protocol"]["notes"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--protocol", "mine"], "--protocol is one of own, paper, wb2, wmo, and not 'mine'"),
        (["--baseline", "climatology"], "--baseline climatology needs --climatology C.zarr"),
        (["--baseline", "persistense"], "and not 'persistense' (did you mean 'persistence'?)"),
        (["--truth-for", "hres=o.zarr"], "--truth-for names a forecast (forecast), and not 'hres'"),
        (["--truth-for", "hres"], "--truth-for reads NAME=PATH, as hres=hres.zarr, and not 'hres'"),
        (["--reference", "hres"], "--reference names a forecast or baseline that is scored"),
        (["--metrics", "rsme"], "unknown metric 'rsme' (did you mean 'rmse'?)"),
        (["--variables", "wind_speed"], "wind_speed is computed from u_component_of_wind"),
        (["--variables", "rain"], "or derived ones (wind_speed, 10m_wind_speed,"),
        (["--variables", "wind_vector"], "wind_vector needs u_component_of_wind and v_component"),
        (["--variables", "thickness:100:850"], "forecast or truth lacks 100 hPa; they have 500, 8"),
        (["--levels", "300"], "--levels has 300 hPa, which forecast lacks; it has 500, 850 hPa"),
        (["--levels", "low"], "--levels reads numbers, as 500,850, and not 'low'"),
        (["--lead-times", "9d"], "--lead-times has 216 h, which forecast lacks; it has 6, 12, 18"),
        (["--time", "1999-01-01/1999-01-02"], "has none of the init times of forecast, which go"),
        (["--test", "chi2"], "unknown test(s) 'chi2'; there are ar2, hac, bootstrap"),
        (["--missing", "skip"], "--missing is refuse or count, and not 'skip'"),
        (["--scheduler", "gpu"], "--scheduler is threads, processes or an address as tcp://host"),
        (["--forecast", "theirs.zarr", "--forecast", "theirs.zarr"], "and 'theirs' comes twice"),
        (["--metrics", "acc"], "none of the metrics acc is one of"),
        (
            ["--metrics", "spectrum", "--regions", "tropics"],
            "spectra are of the whole globe, and --regions",
        ),
    ],
)
def test_wrong_flags_are_one_sentence(monkeypatch, folder, capsys, words, message):
    forecast = [] if words[0] == "--forecast" else ["--forecast", "ours.zarr"]
    assert run(monkeypatch, folder, *forecast, *words, "--output", "no.zarr") == 2
    said = capsys.readouterr().err
    assert said.lstrip().startswith("error:")
    assert message in said
    assert not (folder / "no.zarr").exists()


def test_protocols_score_what_the_paper_counts():
    paper = PROTOCOLS["paper"]
    surface = [v for v in paper.variables if v.startswith(("2m", "10m", "mean"))]
    upper = [v for v in paper.variables if v not in surface]
    targets = len(surface) + len(upper) * len(paper.levels)
    assert (targets, targets * (paper.longest // paper.lead_step)) == (69, 1380)
    empty = forecast_of(truth(), leads=(6,))
    with pytest.raises(ValueError, match="the protocol paper scores initial times at 6, 18 UTC"):
        paper.select(empty)


def test_a_series_with_gaps_is_laid_on_even_steps():
    times = np.datetime64("2024-06-03", "ns") + np.array([0, 6, 18]) * np.timedelta64(1, "h")
    labelled = xr.DataArray(np.zeros(3), {"init_time": times})
    spread = evenly_spaced(np.array([[1.0], [2.0], [3.0]]), labelled)
    np.testing.assert_array_equal(spread[:, 0], [1.0, 2.0, np.nan, 3.0])
