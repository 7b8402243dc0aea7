"""`graphcast forecast` of several files and init times, and in a log."""

import json
import re

import xarray as xr

from .conftest import analyses


def test_surface_and_upper_files_are_read_together_for_many_init_times(graphcast, case):
    dataset = analyses(5)
    dataset[["2m_temperature"]].to_netcdf(case.folder / "my sfc.nc")
    dataset.drop_vars("2m_temperature").to_netcdf(case.folder / "pl.nc")
    both = {"inputs": None, "init_time": "2024-06-03T06/2024-06-03T18/6h", "lead_time": "6h"}
    files = [x for name in ("my sfc.nc", "pl.nc") for x in ("--inputs", case.folder / name)]
    run = graphcast(*case.forecast(**both), *files)
    assert run.code == 0, run.err
    assert "init time  2024-06-03T06 UTC, 2024-06-03T12 UTC, 2024-06-03T18 UTC" in run.out
    assert f"read from {case.folder}/my sfc.nc, {case.folder}/pl.nc: all variables" in run.out
    assert f"--truth '{case.folder}/my sfc.nc' --truth {case.folder}/pl.nc" in run.out
    forecast = xr.open_zarr(case.output)
    assert forecast.sizes["time"] == 3
    manifest = json.loads(forecast.attrs["provenance"])
    assert manifest["source"]["inputs"] == [str(x) for x in files[1::2]]
    latest = case.folder / "latest.zarr"
    run = graphcast(*case.forecast(**both | {"init_time": "latest", "output": latest}), *files)
    assert "init time  2024-06-04T00 UTC" in run.out
    assert (
        graphcast(*case.forecast(init_time="2024-06-03T18", output=case.folder / "one")).code == 2
    )


def test_a_log_has_a_line_for_each_lead(graphcast, case):
    lines = graphcast(*case.forecast(lead_time="18h"), "--no-examine").err.splitlines()
    assert lines[0] == "compiling the program of a step, which the first lead waits for"
    assert lines[1].endswith("+6 h written, 1 of 3, the next one tells how long it takes")
    assert re.fullmatch(r"2024-06-03T06 \+12 h written, 2 of 3, about \d+ s left", lines[2])
    assert lines[3] == "2024-06-03T06 +18 h written, 3 of 3"
