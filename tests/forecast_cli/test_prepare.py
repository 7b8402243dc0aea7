"""`graphcast prepare` as a person types it."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from typer import Typer
from typer.testing import CliRunner

from data.samples import analyses
from data.sources import open_inputs
from data.statistics import task_served
from data.stores.kind import label, simulator
from data.task import TASKS
from data.windows import window
from forecast_cli.prepare import prepare
from tests.reference import real

GFS = real("states/gfs_2p5deg_2011100800_f072.grib2")


def run(*arguments: object) -> str:
    app = Typer()
    app.command()(prepare)
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_packaged_analyses_become_a_dataset_in_two_parts(tmp_path):
    path = tmp_path / "ifs.zarr"
    common = ("--source", analyses(), "--output", path, "--grid", "N8", "--levels", "500,850")
    said = run(*common, "--time", "2024-06-03/2024-06-03")
    assert "4 times from 2024-06-03T00 to 2024-06-03T18, 16 × 32, 6 variables" in said
    assert "next: graphcast statistics" in said
    said = run(*common, "--time", "2024-06-03/2024-06-04/6h")
    assert "8 times" in said
    assert "4 of them in this run" in said
    (found,) = open_inputs(path)
    assert found["temperature"].shape == (8, 2, 16, 32)


def test_a_dataset_made_of_a_simulated_planet_remembers_it(tmp_path):
    planet = open_inputs(analyses())[0].isel(time=slice(0, 2)).load().drop_encoding()
    planet.attrs = {**label("planet", 1), "source": "jcm 3.0: SPEEDY physics"}
    planet.to_netcdf(tmp_path / "planet.nc")
    path = tmp_path / "dataset.zarr"
    said = run("--source", tmp_path / "planet.nc", "--output", path)
    assert "simulated by jcm 3.0: SPEEDY physics: no observation, not ERA5" in said
    (found,) = open_inputs(path)
    assert simulator(found.attrs) == "jcm 3.0: SPEEDY physics"
    # What a forecast starts from is examined as a planet's, too.
    assert simulator(window(found, task_served(found)).frames.attrs) == simulator(found.attrs)
    run("--source", path, "--output", tmp_path / "again.zarr", "--levels", "500,850")
    assert simulator(open_inputs(tmp_path / "again.zarr")[0].attrs) == simulator(found.attrs)


@pytest.mark.slow
def test_one_gfs_state_becomes_the_window_of_a_forecast(tmp_path):
    task = replace(TASKS["graphcast_small"], name="few", levels=(500, 850))
    (tmp_path / "task.json").write_text(task.to_json())
    said = run(
        *("--source", GFS, "--output", tmp_path / "gfs.zarr", "--repeat-single-time"),
        *("--task", tmp_path / "task.json"),
    )
    assert "repeated on request" in said
    (found,) = open_inputs(tmp_path / "gfs.zarr")
    start = window(found, task)
    assert start.init_time == np.datetime64("2011-10-11T00", "ns")
    assert np.isfinite(start.frames["vertical_velocity"]).all()


def test_a_task_is_a_name_or_a_file(tmp_path):
    with pytest.raises(ValueError, match=r"--task is one of graphcast, .* or a JSON file"):
        run("--source", analyses(), "--output", tmp_path / "d.zarr", "--task", "grapcast")


@pytest.mark.slow
def test_a_dask_cluster_gives_the_bytes_of_one_process(tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs dask.distributed")
    expected = tmp_path / "one.zarr"
    run("--source", analyses(), "--output", expected)
    here = {"host": "127.0.0.1", "protocol": "tcp", "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, **here
    ) as cluster:
        path = tmp_path / "two.zarr"
        run("--source", analyses(), "--output", path, "--scheduler", cluster.scheduler_address)
    assert xr.open_zarr(path).identical(xr.open_zarr(expected))
