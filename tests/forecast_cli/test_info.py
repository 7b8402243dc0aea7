"""`graphcast info`: every kind of file and store, for people and as JSON."""

import json

import numpy as np
import xarray as xr

from data.doctor import examine_file, faults
from data.sources import open_inputs
from data.stores.kind import label
from data.task import TASKS
from tests.forecast_cli.conftest import TASK


def test_info_describes_a_checkpoint(graphcast, case):
    run = graphcast("info", case.checkpoint)
    assert run.code == 0, run.err
    for words in ("two temperatures", "random weights", "500, 850 hPa", "inside"):
        assert words in run.out
    told = json.loads(graphcast("info", case.checkpoint, "--json").out)
    assert told["kind"] == "checkpoint"
    assert told["task"]["targets"] == list(TASK.targets)
    assert told["network"]["latent_size"] == 8
    assert told["statistics"] == "inside"
    assert told["next"].startswith("graphcast forecast --checkpoint ")


def test_info_describes_a_folder_of_statistics(graphcast, case):
    folder = case.folder / "statistics"
    run = graphcast(
        *("statistics", case.inputs, "--time", "2024-06-03T00/2024-06-03T12", "--output", folder)
    )
    assert run.code == 0, run.err
    run = graphcast("info", folder)
    assert run.code == 0, run.err
    for words in ("statistics", "500, 850 hPa", "2024-06-03T00/2024-06-03T12/6h", "3"):
        assert words in run.out
    assert f"--statistics {folder} " in run.out
    told = json.loads(graphcast("info", folder, "--json").out)
    assert told["levels"] == [500, 850]
    assert told["frames"] == 3
    bare = json.loads(graphcast("info", case.folder / "stats", "--json").out)
    assert bare["comment"] == "origin not stated"


def test_info_describes_graphs_and_states(graphcast, case):
    assert graphcast(*case.forecast()).code == 0
    (graphs,) = (case.folder / "cache" / "graphcast" / "graphs").iterdir()
    assert "file of graphs" in graphcast("info", graphs).out


def test_info_describes_analyses_and_what_they_lack(graphcast, case):
    run = graphcast("info", case.inputs)
    assert "2024-06-03T00:00, 2024-06-03T06:00, 2024-06-03T12:00" in run.out
    assert "graphcast_small: needs 13 levels, and the file lacks 50, 100, 150" in run.out
    assert "geopotential (m2 s-2)" in run.out
    assert f"next: graphcast doctor {case.inputs}" in run.out


def test_info_and_doctor_never_disagree_on_what_a_file_serves(graphcast, case, tmp_path):
    (analyses,) = open_inputs(case.inputs)
    one_time = tmp_path / "one_time.nc"
    analyses.isel(time=[0]).to_netcdf(one_time)
    for path in (case.inputs, one_time):
        told = json.loads(graphcast("info", path, "--json").out)["tasks"]
        for name, task in TASKS.items():
            errors = [f for f in examine_file(path, task) if f.severity == "error"]
            by_labels = [f for f in errors if f.rule in ("times", "levels", "variables", "statics")]
            assert {*told[name]} == {f.message.removeprefix(f"task {name!r} ") for f in by_labels}
    assert any("there is one time only" in fault for fault in told["graphcast"])


def test_a_file_that_serves_a_task_has_no_faults(case):
    (analyses,) = open_inputs(case.inputs)
    assert faults(analyses, TASK) == []
    (fault,) = faults(analyses.drop_vars("2m_temperature"), TASK)
    assert "2m_temperature, and the file lacks them" in fault.message


def test_info_describes_a_forecast(graphcast, case):
    assert graphcast(*case.forecast()).code == 0
    run = graphcast("info", case.output)
    assert "6 to 12 h, 2 steps" in run.out
    assert "precision float32" in run.out
    told = json.loads(graphcast("info", case.output, "--json").out)
    assert told["lead_time"] == [6, 12]
    assert told["init_time"] == ["2024-06-03T06:00"]
    assert told["grid"]["rows"] == 10


def test_info_describes_scores(graphcast, case):
    assert graphcast(*case.forecast(init_time="2024-06-03T06", lead_time="6h")).code == 0
    scores = case.folder / "scores.zarr"
    run = graphcast("score", "--forecast", case.output, "--truth", case.inputs, "--output", scores)
    assert run.code == 0, run.err
    run = graphcast("info", scores)
    assert run.code == 0, run.err
    for words in ("rmse, ", "global, n.hem", "2024-06-03T06", "6 to 6 h"):
        assert words in run.out
    assert str(case.inputs) in "".join(run.out.split())  # long paths are folded
    told = json.loads(graphcast("info", scores, "--json").out)
    assert "rmse" in told["metrics"]


def test_info_counts_the_members_of_an_ensemble(graphcast, case):
    (analyses,) = open_inputs(case.inputs)
    ensemble = case.folder / "ensemble.nc"
    analyses.expand_dims(number=[0, 1, 2]).to_netcdf(ensemble)
    assert json.loads(graphcast("info", ensemble, "--json").out)["members"] == 3
    output = case.folder / "ensemble.zarr"
    assert graphcast(*case.forecast(inputs=ensemble, output=output)).code == 0
    assert json.loads(graphcast("info", output, "--json").out)["members"] == 3


def test_info_describes_forecasts_of_others(graphcast, tmp_path):
    times, leads = np.array(["2017-01-01"], "M8[ns]"), np.array([12, 24])
    steps = xr.DataArray(leads, dims="lead_time", attrs={"units": "hours"})
    dims = ("time", "realization", "lead_time", "latitude", "longitude")
    other = xr.Dataset(
        {"2m_temperature": (dims, np.ones((1, 5, 2, 3, 4)), {"units": "K"})},
        coords={
            "time": times,
            "realization": np.arange(5),
            "lead_time": steps,
            "latitude": [-90.0, 0.0, 90.0],
            "longitude": np.arange(4) * 90.0,
        },
    )
    other.to_netcdf(tmp_path / "other.nc")
    told = json.loads(graphcast("info", tmp_path / "other.nc", "--json").out)
    assert (told["kind"], told["members"], told["lead_time"]) == ("forecast", 5, [12, 24])


def test_info_describes_stores_of_kinds_that_it_has_no_words_for(graphcast, tmp_path):
    store = tmp_path / "rank.nc"
    xr.Dataset({"rank": ("bin", [1, 2])}, attrs={"truth": "x", **label("graphs", 1)}).to_netcdf(
        store
    )
    told = json.loads(graphcast("info", store, "--json").out)
    assert (told["sizes"], told["variables"], told["truth"]) == ({"bin": 2}, ["rank"], "x")


def test_info_refuses_what_it_does_not_know(graphcast, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("weather")
    run = graphcast("info", path)
    assert run.code == 2
    assert "GRIB or netCDF" in run.sentence


def test_the_next_command_has_the_flags_that_it_needs(graphcast, case):
    npz = case.folder / "a.npz"
    assert graphcast("convert", case.checkpoint, npz).code == 0
    assert f"--checkpoint {npz} --statistics STATISTICS --inputs" in graphcast("info", npz).out
    inside = graphcast("info", case.checkpoint).out
    assert f"--checkpoint {case.checkpoint} --inputs" in inside
