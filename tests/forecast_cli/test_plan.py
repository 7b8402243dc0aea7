"""`graphcast plan`."""

import re

import pytest
import xarray as xr

from forecast_cli.arguments import number_of_bytes

from .conftest import analyses


def test_plan_says_what_fits(graphcast, case):
    run = graphcast("plan", "--checkpoint", case.checkpoint, "--inputs", case.inputs)
    assert run.code == 0, run.err
    for words in ("a device", "the host", "kept between steps", "next: graphcast forecast"):
        assert words in run.out


def test_members_are_planned_side_by_side(graphcast, case):
    frames = analyses(2)
    members = case.folder / "members.nc"
    xr.concat([frames, frames + 1.0], "batch").rename(latitude="lat", longitude="lon").to_netcdf(
        members
    )
    run = graphcast("plan", "--checkpoint", case.checkpoint, "--inputs", members, "--devices", 4)
    assert run.code == 0, run.err
    assert "2 of 2 side by side, each split over 2 devices" in run.out


def test_plan_of_training_grows_with_steps_and_batch(graphcast, case):
    command = ("plan", "--checkpoint", case.checkpoint, "--inputs", case.inputs, "--train")

    def device(*flags):
        run = graphcast(*command, *flags, "--memory", "1TB")
        assert run.code == 0, run.err
        assert "keeps latents between rounds" in run.out
        return number_of_bytes(re.search(r"a device +([0-9.]+ [kMG]?B)", run.out)[1])

    assert device("--ar-steps", "12", "--batch", "64") > device()


def test_training_flags_without_train_are_refused(graphcast, case):
    flags = ("--checkpoint", case.checkpoint, "--inputs", case.inputs, "--ar-steps", "2")
    run = graphcast("plan", *flags)
    assert run.code == 2
    assert "give --train as well" in run.sentence


def test_plan_that_cannot_fit_says_what_would_help(graphcast, case):
    flags = ("--checkpoint", case.checkpoint, "--inputs", case.inputs, "--memory", "10kB")
    run = graphcast("plan", *flags)
    assert run.code == 2
    assert "--precision bfloat16" in run.sentence


@pytest.mark.parametrize(
    ("text", "count"), [("12GB", 12e9), ("1GiB", 2**30), ("500m", 5e8), ("1.5 GB", 1.5e9)]
)
def test_sizes_are_read_as_people_write_them(text, count):
    assert number_of_bytes(text) == count


@pytest.mark.parametrize("text", ["plenty", "1.2.3GB", ".GB", "-1GB"])
def test_other_sizes_are_refused(text):
    with pytest.raises(ValueError, match="reads a size as 12GB"):
        number_of_bytes(text)
