"""Scores from files to files: refusals before the work, and files after a kill."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data import sources
from data.stores.building import Building
from data.stores.kind import kind_of
from tests.verification.made_up_weather import forecast_of, truth
from verification import HEADLINE_METRICS, score
from verification.files import examine_truth, open_truth, score_files
from verification.writing import check_targets, write_scores


@pytest.fixture(scope="module")
def scores():
    """Scores of a forecast that is half a unit too high, and of one that is one unit too high."""
    obs = truth()
    return [score(forecast_of(obs, error=error), obs) for error in (0.5, 1.0)]


@pytest.fixture
def files(tmp_path):
    obs = truth()
    forecast_of(obs, error=0.5).chunk(prediction_timedelta=1).to_zarr(
        tmp_path / "forecast.zarr", zarr_format=2
    )
    obs.to_netcdf(tmp_path / "truth.nc")
    obs.isel(time=0, drop=True).to_netcdf(tmp_path / "climatology.nc")
    return [str(tmp_path / name) for name in ("forecast.zarr", "truth.nc", "climatology.nc")]


def read(path):
    opened = (
        xr.open_dataset(path, decode_timedelta=True)
        if path.suffix == ".nc"
        else xr.open_zarr(path, decode_timedelta=True)
    )
    with opened:
        return opened.load()


def test_scores_of_files_are_those_of_their_datasets(files):
    obs = truth()
    scores = score_files(*files[:2], climatology=files[2], regions=("global",), force=True)
    expected = score(forecast_of(obs, error=0.5), obs, climatology=obs.isel(time=0, drop=True))
    # one sum of float64, in another order of rows
    xr.testing.assert_allclose(scores, expected.sel(region=["global"]), rtol=1e-9)
    assert scores.attrs["truth"] == files[1]
    assert list(scores["metric"].values) == list(HEADLINE_METRICS)


@pytest.mark.parametrize("moved", [False, True])
def test_persistence_starts_from_the_inputs_of_the_forecast_where_the_truth_begins_later(
    tmp_path, moved
):
    obs = truth()
    manifest = json.dumps({"source": {"inputs": [str(tmp_path / "inputs.nc")]}})
    forecast = forecast_of(obs, error=0.5).assign_attrs(provenance=manifest)
    forecast.to_zarr(tmp_path / "forecast.zarr", zarr_format=2)
    obs.isel(time=slice(0, 2)).to_netcdf(tmp_path / ("elsewhere.nc" if moved else "inputs.nc"))
    for index in range(1, obs.sizes["time"]):
        obs.isel(time=[index]).to_netcdf(tmp_path / f"truth {index}.nc")
    files = sorted(tmp_path.glob("truth*.nc"))
    later = obs.isel(time=slice(1, None))
    found = open_truth(files, sources.open_forecast(tmp_path / "forecast.zarr"))
    if moved:
        xr.testing.assert_equal(found[list(obs.data_vars)].compute(), later)
        return
    xr.testing.assert_equal(found[list(obs.data_vars)].compute(), obs)
    scores = score_files(str(tmp_path / "forecast.zarr"), files, regions=("global",), force=True)
    assert "persistence" in scores["source"].values
    assert "truth: persistence starts from the forecast's own inputs" in scores.attrs["notes"]


def test_a_lost_chunk_is_named_and_never_counts_as_zeros(files):
    (Path(files[0]) / "geopotential" / "0.1.0.0.0").unlink()
    with pytest.raises(ValueError, match=r"forecast\.zarr lacks chunk 0\.1\.0\.0\.0 of geopotent"):
        score_files(*files[:2], force=True)


@pytest.mark.parametrize("name", ["scores.zarr", "new/scores.nc"])
def test_scores_come_back_and_say_what_they_are(tmp_path, scores, name):
    path = tmp_path / name
    write_scores(scores[0], path)
    xr.testing.assert_equal(read(path), scores[0])
    assert kind_of(path) == "scores"
    write_scores(scores[1], path, overwrite=True)
    xr.testing.assert_equal(read(path), scores[1])
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_earlier_scores_are_replaced_only_when_asked(tmp_path, scores):
    write_scores(scores[0], tmp_path / "scores.zarr")
    with pytest.raises(FileExistsError, match="is there already; choose another"):
        write_scores(scores[1], tmp_path / "scores.zarr")
    xr.testing.assert_equal(read(tmp_path / "scores.zarr"), scores[0])
    (tmp_path / "thesis").mkdir()
    with pytest.raises(FileExistsError, match="not a store of scores, so it will not be replaced"):
        write_scores(scores[0], tmp_path / "thesis", overwrite=True)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", range(4))
def test_a_kill_leaves_the_earlier_scores_or_the_new_ones(tmp_path, scores, monkeypatch, moment):
    """Killed while the store is filled, before it is noted, before and after the names change."""
    path = tmp_path / "scores.zarr"
    write_scores(scores[0], path)
    with monkeypatch.context() as patch:

        def killed(*_args, **_kwargs):
            raise Killed

        def renamed_and_killed(*arguments):
            rename(*arguments)
            raise Killed

        rename = Building._rename
        owner, name, double = [
            (xr.Dataset, "to_zarr", killed),
            (Building, "give_name", killed),
            (Building, "_rename", killed),
            (Building, "_rename", renamed_and_killed),
        ][moment]
        patch.setattr(owner, name, double)
        patch.setattr(Building, "close", lambda building: building._lock.close())  # nothing tidies
        with pytest.raises(Killed):
            write_scores(scores[1], path, overwrite=True)
    xr.testing.assert_equal(read(path), scores[0] if moment < 3 else scores[1])
    check_targets(path, None, overwrite=True)
    write_scores(scores[1], path, overwrite=True)
    xr.testing.assert_equal(read(path), scores[1])
    assert [entry.name for entry in tmp_path.iterdir()] == ["scores.zarr"]


def test_remains_of_a_run_killed_at_its_end_are_removed(tmp_path, scores, monkeypatch):
    path = tmp_path / "scores.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(Building, "close", lambda building: building._lock.close())
        write_scores(scores[0], path)
    assert (tmp_path / "scores.zarr.partial").exists()
    with pytest.raises(FileExistsError, match="is there already"):  # complete, and tidied up
        check_targets(path, None, overwrite=False)
    assert [entry.name for entry in tmp_path.iterdir()] == ["scores.zarr"]


def test_an_interrupted_report_leaves_the_earlier_one(tmp_path, scores, monkeypatch):
    path = tmp_path / "report.html"
    write_scores(scores[0], tmp_path / "scores.zarr", report=path)
    earlier = path.read_bytes()
    monkeypatch.setattr("verification.scorecard.report_html", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_scores(scores[1], tmp_path / "scores.zarr", report=path, overwrite=True)
    assert path.read_bytes() == earlier
    xr.testing.assert_equal(read(tmp_path / "scores.zarr"), scores[0])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["report.html", "scores.zarr"]


def test_killed_after_the_report_the_same_command_finishes_both(tmp_path, scores, monkeypatch):
    path, report = tmp_path / "scores.zarr", tmp_path / "report.html"

    def killed(_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Building, "give_name", killed)
        patch.setattr(Building, "close", lambda building: building._lock.close())
        with pytest.raises(Killed):
            write_scores(scores[0], path, report=report)
    assert report.exists()
    assert not path.exists()
    check_targets(path, report, overwrite=False)
    with pytest.raises(FileExistsError, match=r"report\.html is there already"):
        write_scores(scores[1], path, report=report)  # not the same, so not the same command
    write_scores(scores[0], path, report=report)
    xr.testing.assert_equal(read(path), scores[0])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["report.html", "scores.zarr"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="is no folder that can be written"):
        check_targets(tmp_path / "scores.zarr", None, overwrite=False)


def test_a_truth_of_several_members_is_refused(tmp_path):
    several = truth().expand_dims(number=[0, 1])
    several.to_netcdf(tmp_path / "truth.nc")
    with pytest.raises(ValueError, match=r"must be one series of analyses, and .* holds 2 batch"):
        open_truth(str(tmp_path / "truth.nc"), forecast_of(truth()))


def test_a_truth_in_celsius_is_refused_unless_forced():
    obs = truth()
    celsius = obs.assign({"2m_temperature": obs["2m_temperature"] - 273.15})
    with pytest.raises(ValueError, match=r"the truth does not look right, by the rule .*`force`"):
        examine_truth(celsius, forecast_of(obs))
    assert "the truth: examined" in examine_truth(celsius, forecast_of(obs), force=True)
    later = celsius.assign_coords(time=obs.time + np.timedelta64(999, "D"))
    assert examine_truth(later, forecast_of(obs)) == ""  # nothing of it is compared
