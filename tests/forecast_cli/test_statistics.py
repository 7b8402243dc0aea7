"""`graphcast statistics`: normalisation from a training period, and from nothing else."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from data import statistics as library
from data.moments import read_moments
from data.statistics import moments_of
from data.task import Task
from forecast_cli.statistics import statistics

TASK = Task(
    name="warmth",
    inputs=("temperature", "2m_temperature", "land_sea_mask", "day_progress_cos"),
    targets=("temperature", "2m_temperature"),
    forcings=("day_progress_cos",),
    levels=(500, 850),
)
YEAR = "2020-01-02/2020-01-05/6h"


def weather(days=8, levels=(300, 500, 850)):
    rng = np.random.default_rng(0)
    count = 4 * days
    upper = 250 + rng.standard_normal((count, len(levels), 3, 4))
    return xr.Dataset(
        {
            "temperature": (
                ("time", "level", "latitude", "longitude"),
                upper.astype(np.float32),
                {"units": "K"},
            ),
            "2m_temperature": (
                ("time", "latitude", "longitude"),
                (upper[:, -1] + 30).astype(np.float32),
                {"units": "K"},
            ),
            "land_sea_mask": (("latitude", "longitude"), rng.random((3, 4)).astype(np.float32)),
        },
        coords={
            "time": np.datetime64("2020-01-01", "ns") + np.arange(count) * np.timedelta64(6, "h"),
            "level": list(levels),
            "latitude": [-60.0, 0.0, 60.0],
            "longitude": [0.0, 90.0, 180.0, 270.0],
        },
    )


@pytest.fixture
def case(tmp_path):
    """Arguments of a run that succeeds; three times to a chunk."""
    weather().chunk(time=3).to_zarr(tmp_path / "data.zarr", zarr_format=3, consolidated=False)
    (tmp_path / "task.json").write_text(TASK.to_json())
    return {
        "data": str(tmp_path / "data.zarr"),
        "time": YEAR,
        "output": tmp_path / "statistics",
        "task": str(tmp_path / "task.json"),
        "force": True,  # random numbers are no weather
    }


def test_statistics_are_the_moments_of_the_period_alone(case):
    statistics(**case)
    found = read_moments(case["output"])
    expected = moments_of(weather().sel(time=slice("2020-01-02", "2020-01-05T18")), TASK)
    for one, other in zip(found, expected, strict=True):
        xr.testing.assert_equal(one, other)
    assert sorted(path.name for path in case["output"].iterdir()) == [
        "diffs_stddev_by_level.nc",
        "mean_by_level.nc",
        "stddev_by_level.nc",
    ]


def test_the_files_say_what_they_were_made_from(case):
    statistics(**case)
    for part in read_moments(case["output"]):
        assert part.attrs["time_range"] == "2020-01-02T00/2020-01-05T18/6h"
        assert part.attrs["source"] == case["data"]
        assert part.attrs["task"] == "warmth"
        assert part.attrs["frames"] == 16
        assert len(part.attrs["data_sha256"]) == 64


def digest(case):
    statistics(**case, overwrite=True)
    return read_moments(case["output"]).mean.attrs["data_sha256"]


def test_the_digest_follows_the_numbers_and_not_their_storage(case, tmp_path):
    first = digest(case)
    weather().drop_vars("land_sea_mask").assign(land_sea_mask=weather()["land_sea_mask"]).to_netcdf(
        tmp_path / "same.nc"
    )
    assert digest({**case, "data": str(tmp_path / "same.nc")}) == first
    changed = weather()
    changed["2m_temperature"][9, 1, 1] += 0.01
    changed.to_netcdf(tmp_path / "other.nc")
    assert digest({**case, "data": str(tmp_path / "other.nc")}) != first
    assert digest({**case, "time": "2020-01-02/2020-01-04"}) != first


@pytest.mark.parametrize("at", [0, 1, 7, 15])
def test_interrupted_statistics_resume_to_the_same_numbers(case, monkeypatch, at):
    statistics(**{**case, "output": case["output"].with_name("whole")})
    whole = read_moments(case["output"].with_name("whole"))
    through, counted = library.sums_of, []

    def interrupted(*arguments):
        for sums in through(*arguments):
            if sums.frames > at:
                raise KeyboardInterrupt
            yield sums

    def watched(*arguments):
        for sums in through(*arguments):
            counted.append(sums.frames)
            yield sums

    monkeypatch.setattr(library, "sums_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        statistics(**case)
    assert not case["output"].exists()
    assert (case["output"].with_name("statistics.partial") / "unfinished.npz").exists()
    monkeypatch.setattr(library, "sums_of", watched)
    statistics(**case)
    assert counted == list(range(at + 1, 17))
    for one, other in zip(read_moments(case["output"]), whole, strict=True):
        xr.testing.assert_identical(one, other)
    assert not case["output"].with_name("statistics.partial").exists()


def test_unfinished_statistics_of_other_data_are_not_resumed(case, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(library, "sums_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        statistics(**case)
    other = {**case, "time": "2020-01-02/2020-01-03"}
    with pytest.raises(FileExistsError, match="interrupted folder of statistics with other data,"):
        statistics(**other)
    monkeypatch.undo()
    statistics(**other, overwrite=True)
    assert read_moments(case["output"]).mean.attrs["frames"] == 8


def test_a_folder_with_other_files_is_refused_since_it_would_be_replaced_whole(case):
    case["output"].mkdir()
    (case["output"] / "thesis.tex").write_text("words")
    with pytest.raises(FileExistsError, match=r"holds nothing else, .* has thesis.tex; choose ano"):
        statistics(**case, overwrite=True)
    (case["output"] / "thesis.tex").unlink()
    statistics(**case)


def test_the_test_period_is_not_touched(case, tmp_path):
    with pytest.raises(ValueError, match="may not have seen the test period, 2020-01-05T00/2020-0"):
        statistics(**case, test_period="2020-01-05/2020-01-08")
    stated = weather().assign_attrs(test_period="2020-01-05T18/2020-01-08")
    stated.to_netcdf(tmp_path / "stated.nc")
    case["data"] = str(tmp_path / "stated.nc")
    with pytest.raises(ValueError, match="2020-01-02T00/2020-01-05T18/6h overlaps it; end it"):
        statistics(**case)
    statistics(**case, test_period="2020-01-06/2020-01-08")
    statistics(**{**case, "time": "2020-01-02/2020-01-04"}, overwrite=True)


def test_a_task_that_names_a_test_period_keeps_it(case, tmp_path):
    kept = replace(TASK, test_period="2020-01-05/2020-01-08")
    (tmp_path / "task.json").write_text(kept.to_json())
    with pytest.raises(ValueError, match="may not have seen the test period, 2020-01-05T00/2020-0"):
        statistics(**case)
    statistics(**{**case, "time": "2020-01-02/2020-01-04"})


def test_without_a_task_every_variable_of_the_data_is_counted(case):
    case["task"] = None
    statistics(**case)
    found = read_moments(case["output"])
    assert found.mean.attrs["task"] == "everything"
    assert {"temperature", "2m_temperature", "land_sea_mask", "day_progress_sin"} <= set(found.mean)
    assert found.mean["level"].values.tolist() == [300, 500, 850]
    assert "temperature" in found.diffs_stddev


def test_data_without_a_known_variable_are_refused(case, tmp_path):
    weather()[["temperature"]].rename(temperature="warmth").to_netcdf(tmp_path / "w.nc")
    with pytest.raises(ValueError, match="the data have warmth; rename them"):
        statistics(**{**case, "task": None, "data": str(tmp_path / "w.nc")})


def test_one_analysis_that_stands_twice_has_no_statistics(case, tmp_path):
    made = json.dumps({"recipe": {"repeat_single": True}})
    twice = weather().assign_attrs(training_store_layout=1, provenance=made)
    twice.to_netcdf(tmp_path / "twice.nc")
    with pytest.raises(
        ValueError, match="one analysis at both times, repeated on request, so nothing"
    ):
        statistics(**{**case, "data": str(tmp_path / "twice.nc")})


def test_an_unknown_task_is_refused(case):
    case["task"] = "grafcast"
    with pytest.raises(ValueError, match="or a JSON file, and there is no file grafcast"):
        statistics(**case)


def test_the_same_statistics_again_are_left_alone(case, capsys, monkeypatch):
    statistics(**case)
    assert "16 frames" in capsys.readouterr().out
    before = {p: p.stat().st_mtime_ns for p in case["output"].iterdir()}
    monkeypatch.setattr(library, "sums_of", None)  # nothing is counted
    statistics(**case)
    said = capsys.readouterr().out
    assert "16 frames" in said
    assert "they were there already, made from the same source, times and task" in said
    assert {p: p.stat().st_mtime_ns for p in case["output"].iterdir()} == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": "2020-01-02/2020-01-04"}, "times 2020-01-02T00/2020-01-05T18/6h, not 2020-01-02"),
        ({"task": None}, "statistics with another task; choose another"),
    ],
)
def test_other_statistics_are_not_replaced_unasked(case, change, words):
    statistics(**case)
    with pytest.raises(FileExistsError, match=words):
        statistics(**case | change)


def test_times_that_are_not_there_are_refused(case):
    case["time"] = "2020-01-07/2020-01-09"
    with pytest.raises(ValueError, match="lack 4 of 12, the first at 2020-01-09T00"):
        statistics(**case)
