"""Scores of a year of forecasts: this engine beside a plain numpy loop, plain dask, WeatherBench-X.

    python benchmarks/scoring.py --init-times 60 --leads 20 --runs 2

Every job reads the same Zarr stores (121 × 240 points, four variables on three levels, chunks of
one init time and lead time) and computes RMSE, MAE, bias and ACC over four regions. Each runs in a
process of its own, in turns; the lines have CPU seconds, wall seconds and peak memory. Reading
alone (decompression) is the bound. WeatherBench-X is measured where it is installed (from
google-research/weatherbenchX); it is no dependency.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

HOUR = np.timedelta64(1, "h")
ROWS, COLUMNS, LEVELS = 121, 240, (300, 500, 850)
VARIABLES = ("geopotential", "temperature", "u_component_of_wind", "v_component_of_wind")
REGIONS = {"global": (-90, 90), "n.hem": (20, 90), "s.hem": (-90, -20), "tropics": (-20, 20)}
DIMS = ("level", "latitude", "longitude")


def make(folder: Path, init_times: int, leads: int) -> None:
    """Smooth fields with noise, twelve-hourly, and a climatology that is constant in time."""
    rng = np.random.default_rng(0)
    coords = {
        "level": list(LEVELS),
        "latitude": np.linspace(-90, 90, ROWS),
        "longitude": np.arange(COLUMNS) * 1.5,
    }
    shape = (len(LEVELS), ROWS, COLUMNS)
    start = np.datetime64("2020-01-01T00", "ns")
    steps = (12 * HOUR * np.arange(1, leads + 1)).astype("timedelta64[ns]")
    wave = np.sin(np.deg2rad(np.arange(COLUMNS) * 6.0)) * 10

    def fields(*more: int) -> np.ndarray:
        return (280 + wave + rng.standard_normal((*more, *shape), np.float32)).astype("f4")

    for i in range(init_times + leads):
        truth = xr.Dataset(
            {v: (("time", *DIMS), fields(1), {"units": "K"}) for v in VARIABLES},
            {"time": [start + i * 12 * HOUR], **coords},
        )
        _append(truth, folder / "truth.zarr", "time", first=i == 0)
    for i in range(init_times):
        forecast = xr.Dataset(
            {
                v: (("time", "prediction_timedelta", *DIMS), fields(1, leads), {"units": "K"})
                for v in VARIABLES
            },
            {"time": [start + i * 12 * HOUR], "prediction_timedelta": steps, **coords},
        )
        chunked = forecast.chunk(time=1, prediction_timedelta=1)
        _append(chunked, folder / "forecast.zarr", "time", first=i == 0)
    mean = {v: (DIMS, np.full(shape, 280, "f4"), {"units": "K"}) for v in VARIABLES}
    xr.Dataset(mean, coords).to_zarr(folder / "climatology.zarr", zarr_format=2)


def _append(dataset: xr.Dataset, path: Path, dim: str, *, first: bool) -> None:
    if first:
        encoding = {n: {"units": "hours since 1970-01-01"} for n in ("time",)}
        dataset.to_zarr(path, zarr_format=2, encoding=encoding)
    else:
        dataset.to_zarr(path, append_dim=dim)


def ours(folder: Path) -> float:
    """The command's own function, with all its checks."""
    from verification.files import score_files  # noqa: PLC0415

    scores = score_files(
        str(folder / "forecast.zarr"),
        str(folder / "truth.zarr"),
        climatology=str(folder / "climatology.zarr"),
        baselines=(),
        force=True,  # the fields are made up
    )
    return float(scores["temperature"].sel(metric="rmse", region="global").mean())


def loop(folder: Path) -> float:
    """What one would write by hand: zarr, numpy, one init time and lead time after the other."""
    import zarr  # noqa: PLC0415

    forecast, truth, climatology = (
        zarr.open_group(folder / f"{name}.zarr", mode="r")
        for name in ("forecast", "truth", "climatology")
    )
    latitude = np.linspace(-90, 90, ROWS)
    edges = np.sin(np.deg2rad(np.clip([-90, *(latitude[1:] + latitude[:-1]) / 2, 90], -90, 90)))
    rows = np.stack(
        [
            np.diff(edges) * ((latitude >= south) & (latitude <= north))
            for south, north in REGIONS.values()
        ]
    )
    rows /= rows.sum(1, keepdims=True) * COLUMNS
    total = []
    for v in VARIABLES:
        f, o, c = forecast[v], truth[v], climatology[v][...]
        for i in range(f.shape[0]):
            for lead in range(f.shape[1]):
                predicted = f[i, lead].astype("f8")
                observed = o[i + lead + 1].astype("f8")
                error = predicted - observed
                a, b = predicted - c, observed - c
                for field in (error, np.abs(error), error**2, a * b, a * a, b * b):
                    mean = field.sum(-1) @ rows.T
                    if field.shape and v == "temperature":
                        total.append(mean[0, 0])
    return float(np.sqrt(np.mean(total[2::6])))


def dask_plain(folder: Path) -> float:
    """The same in xarray over dask, all at once."""
    chunks = {"time": 1, "prediction_timedelta": 1}
    forecast = xr.open_zarr(folder / "forecast.zarr", chunks=chunks, decode_timedelta=True)
    truth = xr.open_zarr(folder / "truth.zarr", chunks={"time": 1})
    climatology = xr.open_zarr(folder / "climatology.zarr", chunks=None)
    observed = truth.sel(time=forecast.time + forecast.prediction_timedelta)
    weights = np.cos(np.deg2rad(forecast.latitude))
    error, a, b = forecast - observed, forecast - climatology, observed - climatology
    made = []
    for south, north in REGIONS.values():
        inside = weights.where((weights.latitude >= south) & (weights.latitude <= north), 0.0)
        for field in (error, abs(error), error**2, a * b, a * a, b * b):
            made.append(field.astype("f8").weighted(inside).mean(["latitude", "longitude"]))
    import dask  # noqa: PLC0415

    done = dask.compute(*made)
    return float(np.sqrt(done[2]["temperature"]).mean())


def weatherbench_x(folder: Path) -> float:
    """WeatherBench-X's metrics, bins by region, and its in-process aggregation by init time."""
    from weatherbenchX import aggregation, binning, time_chunks, weighting  # noqa: PLC0415
    from weatherbenchX.data_loaders import xarray_loaders  # noqa: PLC0415
    from weatherbenchX.metrics import base, deterministic  # noqa: PLC0415

    forecast = xr.open_zarr(folder / "forecast.zarr", chunks=None, decode_timedelta=True)
    climatology = xr.open_zarr(folder / "climatology.zarr", chunks=None)
    times, leads = forecast["time"].values, forecast["prediction_timedelta"].values
    targets = xarray_loaders.TargetsFromXarray(
        path=str(folder / "truth.zarr"), variables=list(VARIABLES)
    )
    predictions = xarray_loaders.PredictionsFromXarray(
        ds=forecast.rename(time="init_time", prediction_timedelta="lead_time"),
        variables=list(VARIABLES),
    )
    metrics = {
        "rmse": deterministic.RMSE(),
        "mae": deterministic.MAE(),
        "bias": deterministic.Bias(),
        "acc": deterministic.ACC(climatology),
    }
    bounds = {name: ((south, north), (0, 360)) for name, (south, north) in REGIONS.items()}
    aggregator = aggregation.Aggregator(
        reduce_dims=["init_time", "latitude", "longitude"],
        bin_by=[binning.Regions(bounds)],
        weigh_by=[weighting.GridAreaWeighting()],
    )
    state = None
    for init, lead in time_chunks.TimeChunks(times, leads, 1, len(leads)):
        observed, predicted = targets.load_chunk(init, lead), predictions.load_chunk(init, lead)
        statistics = base.compute_unique_statistics_for_all_metrics(metrics, predicted, observed)
        part = aggregator.aggregate_statistics(statistics)
        state = part if state is None else state + part
    values = state.metric_values(metrics)
    return float(values["rmse.temperature"].isel(region=0).mean())


def reading(folder: Path) -> float:
    """Only reads every chunk once: the bound of decompression."""
    import zarr  # noqa: PLC0415

    forecast = zarr.open_group(folder / "forecast.zarr", mode="r")
    return sum(
        float(forecast[v][i].ravel()[0]) for v in VARIABLES for i in range(forecast[v].shape[0])
    )


JOBS = {
    "graphcast score": ours,
    "numpy loop": loop,
    "plain dask": dask_plain,
    "WeatherBench-X": weatherbench_x,
    "reading alone": reading,
}


def measured(job: str, folder: Path) -> dict[str, float]:
    """CPU and wall seconds, peak memory and result of one job in a process of its own."""
    command = [sys.executable, __file__, "--job", job, "--folder", str(folder)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        return {"error": process.stderr.strip().splitlines()[-1]}
    return {
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall": time.perf_counter() - started,
        **json.loads(process.stdout.strip().splitlines()[-1]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--init-times", type=int, default=60)
    parser.add_argument("--leads", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--jobs", nargs="*", default=list(JOBS))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--job", choices=list(JOBS))
    options = parser.parse_args()
    if options.job:
        value = JOBS[options.job](options.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps({"GiB": peak, "value": value}))
        return
    folder = options.folder or Path(tempfile.mkdtemp())
    if not (folder / "climatology.zarr").exists():
        make(folder, options.init_times, options.leads)
    for _ in range(options.runs):
        for job in options.jobs:
            print(f"{job:<16}", measured(job, folder), flush=True)
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
