"""`graphcast convert`: checkpoints and forecasts in another format."""

import netCDF4
import numpy as np
import xarray as xr

from graphcast.checkpoints import read_checkpoint


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
