"""`graphcast convert`: checkpoints and forecasts in another format."""

import numpy as np
import pytest
import xarray as xr

from graphcast.checkpoints import read_checkpoint
from tests.data.stores.small_forecast import header, write_all


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


def test_convert_turns_a_forecast_into_other_formats_which_other_commands_read(graphcast, case):
    assert graphcast(*case.forecast()).code == 0
    target = case.folder / "a forecast.nc"
    run = graphcast("convert", case.output, target)
    assert run.code == 0, run.err
    assert "time is the valid time" in run.out
    assert f"next: graphcast info '{target}'" in run.out
    info = graphcast("info", target)
    assert "6 to 12 h, 2 steps" in info.out, info.err
    score = ("score", "--truth", case.inputs)
    one = graphcast(*score, "--forecast", case.output, "--output", case.folder / "1.zarr")
    other = graphcast(*score, "--forecast", target, "--output", case.folder / "2.zarr")
    assert (one.code, other.code) == (0, 0), other.err
    xr.testing.assert_equal(
        xr.open_zarr(case.folder / "1.zarr").load(), xr.open_zarr(case.folder / "2.zarr").load()
    )


def test_convert_says_what_a_grib_file_says_and_how_it_rounds(graphcast, tmp_path):
    store = write_all(tmp_path / "f.zarr", header())
    target = tmp_path / "f.grib2"
    flags = ("--variables", "2t,z", "--levels", "500", "--lead-times", "6h/12h/6h")
    run = graphcast("convert", store, target, *flags, "--region", "europe")
    assert run.code == 0, run.err
    assert "centre 255 (missing), generating process 255 (missing)" in run.out
    assert "packed in 16 bits: 2t ±" in run.out
    assert graphcast("info", target).code == 0
    run = graphcast("convert", store, target, "--overwrite", "--centre", "ecmf", *flags)
    assert "centre ecmf, generating process 255" in run.out


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("f.png",), "is converted to .nc, .grib2 or .zarr, and f.png ends in .png; name it f.nc"),
        (("f.nc", "--region", "mars"), "--region is north/west/south/east in degrees, as 72/-25/"),
        (("f.nc", "--levels", "high"), "--levels reads hPa, as 500,850; not 'high'"),
        (
            ("f.nc", "--lead-times", "soon"),
            "--lead-times reads days and hours, as 10d, 36h or 1d12h",
        ),
        (("f.nc", "--lead-times", "6h/1d"), "reads first/last/step, as 1d/10d/1d, or a list"),
        (("f.nc", "--lead-times", "1d/6h/6h"), "goes from the first to a later one"),
        (("f.zarr", "--zarr-format", "4"), "--zarr-format is 3 or 2, and 4 was given"),
        (("f.nc", "--members", "a"), "--members reads numbers, as 0,1; not 'a'"),
    ],
)
def test_convert_refuses_what_it_cannot_read(graphcast, tmp_path, flags, sentence):
    store = write_all(tmp_path / "forecast.zarr", header())
    run = graphcast("convert", store, tmp_path / flags[0], *flags[1:])
    assert run.code == 2
    assert sentence in run.sentence
