"""`graphcast info` and `graphcast convert`."""

import netCDF4
import numpy as np
import xarray as xr

from graphcast.checkpoints import read_checkpoint


def test_info_describes_a_checkpoint(graphcast, case):
    run = graphcast("info", case.checkpoint)
    assert run.code == 0, run.err
    for words in ("two temperatures", "random weights", "500, 850 hPa", "inside"):
        assert words in run.out


def test_info_describes_analyses_and_what_they_lack(graphcast, case):
    run = graphcast("info", case.inputs)
    assert "2024-06-03T00:00, 2024-06-03T06:00, 2024-06-03T12:00" in run.out
    assert "graphcast_small: lacks" in run.out
    assert "geopotential (m2 s-2)" in run.out


def test_info_describes_a_forecast(graphcast, case):
    assert graphcast(*case.forecast()).code == 0
    run = graphcast("info", case.output)
    assert "6 to 12 h, 2 steps" in run.out
    assert "precision float32" in run.out


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


def test_info_refuses_what_it_does_not_know(graphcast, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("weather")
    run = graphcast("info", path)
    assert run.code == 2
    assert "GRIB or netCDF" in run.sentence


def test_convert_there_and_back_keeps_everything(graphcast, case):
    npz, back = case.folder / "a.npz", case.folder / "back.safetensors"
    run = graphcast("convert", case.checkpoint, npz)
    assert "a.npz.statistics" in run.out
    run = graphcast("convert", npz, back, "--statistics", f"{npz}.statistics")
    assert run.code == 0, run.err
    before, after = read_checkpoint(case.checkpoint), read_checkpoint(back)
    assert before.spec == after.spec
    for one, other in zip(before.moments, after.moments, strict=True):
        for name in one.data_vars:
            np.testing.assert_array_equal(one[name], other[name])
    np.testing.assert_array_equal(
        before.model.processor.update_edges.weights[0],
        after.model.processor.update_edges.weights[0],
    )


def test_the_next_command_has_the_flags_that_it_needs(graphcast, case):
    npz = case.folder / "a.npz"
    assert graphcast("convert", case.checkpoint, npz).code == 0
    assert f"--checkpoint {npz} --statistics DIR --inputs" in graphcast("info", npz).out
    inside = graphcast("info", case.checkpoint).out
    assert f"--checkpoint {case.checkpoint} --inputs" in inside


def test_convert_writes_no_file_over_a_folder(graphcast, case):
    target = case.folder / "a.npz"
    target.mkdir()
    run = graphcast("convert", case.checkpoint, target, "--overwrite")
    assert run.code == 2
    assert "is a folder, and a file is written" in run.sentence


def test_convert_refuses_to_replace(graphcast, case):
    target = case.folder / "a.npz"
    target.touch()
    run = graphcast("convert", case.checkpoint, target)
    assert run.code == 2
    assert "--overwrite" in run.sentence
    assert graphcast("convert", case.checkpoint, target, "--overwrite").code == 0


def test_convert_names_the_formats(graphcast, case):
    run = graphcast("convert", case.checkpoint, case.folder / "a.pt")
    assert run.code == 2
    assert ".safetensors or .npz" in run.sentence


def test_convert_turns_a_forecast_into_netcdf(graphcast, case):
    assert graphcast(*case.forecast()).code == 0
    target = case.folder / "forecast.nc"
    run = graphcast("convert", case.output, target)
    assert run.code == 0, run.err
    with xr.open_dataset(target, decode_timedelta=True) as converted:
        xr.testing.assert_equal(converted.load(), xr.open_zarr(case.output).load())
    with netCDF4.Dataset(target) as plain:
        assert not any("_FillValue" in plain[name].ncattrs() for name in ("latitude", "time"))
    assert graphcast("convert", case.output, case.folder / "forecast.grib").code == 2
