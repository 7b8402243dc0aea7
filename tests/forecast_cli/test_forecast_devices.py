"""`graphcast forecast` with several devices: members side by side, interrupted and resumed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import xarray as xr

from .conftest import analyses

# Interrupted when the first member has a lead that the others do not have yet.
INTERRUPTED = """
from data.stores.forecast.store import ForecastStore
from forecast_cli.__main__ import main

write = ForecastStore.write

def interrupted(self, lead, fields, **place):
    if (lead, place["member"]) == (1, 1):
        raise KeyboardInterrupt
    write(self, lead, fields, **place)

ForecastStore.write = interrupted
main()
"""


def on_four_devices(*command):
    # Unoptimised: these programs take longer to compile than to run.
    flags = "--xla_force_host_platform_device_count=4 --xla_backend_optimization_level=0"
    environment = os.environ | {"XLA_FLAGS": flags}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def test_members_side_by_side_go_on_after_an_interruption(graphcast, case):
    frames = analyses(2)
    members = xr.concat([frames, frames + 1.0, frames + 2.0], "batch")
    inputs = case.folder / "members.nc"
    members.rename(latitude="lat", longitude="lon").to_netcdf(inputs)
    one = case.folder / "one.zarr"
    assert graphcast(*case.forecast(inputs=inputs, output=one)).code == 0

    flags = [*case.forecast(inputs=inputs), "--devices", 4]
    assert on_four_devices("-c", INTERRUPTED, *flags).returncode == 130
    run = on_four_devices("-m", "forecast_cli", *flags)
    assert run.returncode == 0, run.stderr
    assert "3 of 6 taken from the interrupted run" in run.stdout
    expected, made = xr.open_zarr(one).load(), xr.open_zarr(case.output).load()
    for name in expected.data_vars:
        # float32: another program, and sums over edges in another order
        np.testing.assert_allclose(made[name], expected[name], rtol=1e-6)


def test_more_devices_than_there_are_get_a_sentence(graphcast, case):
    run = graphcast(*case.forecast(devices=1000))
    assert run.code == 2
    assert "--devices counts from 1 to" in run.sentence
