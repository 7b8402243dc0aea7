"""How fast a training dataset is made, beside plain xarray and dask, in one JSON line.

    python benchmarks/preparation.py [--resolution 0.5 --times 24 --grid 1.0 --workers 1 2]

Both read the same store, in WeatherBench 2's layout, take 13 levels of it, regrid it with the same
function and write Zarr 3 with the same chunks, shards and codecs. The plain one neither checks the
fields nor resumes after a crash. GB/s are uncompressed float32 bytes read from the source. Each run
is a new process. Its peak memory does not include workers; its CPU seconds do, and the start of
Python. Caches of the disk are warm.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.preparation import Recipe, prepare
from data.stores.analyses.header import DatasetHeader
from data.stores.workers import Fleet
from data.task import LEVELS_13, Task
from mesh.grid import LatLonGrid

LEVELS = (*LEVELS_13[:6], 350, *LEVELS_13[6:])  # one more than is wanted
NAMES = ("temperature", "u_component_of_wind", "2m_temperature")
TASK = Task("benchmark", NAMES, NAMES, (), LEVELS_13)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=float, default=0.5, help="of the source, degrees")
    parser.add_argument("--times", type=int, default=24)
    parser.add_argument("--grid", default="1.0", help="to regrid to; 'same' for none")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3, help="the median is reported")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)  # how, source, target
    arguments = parser.parse_args()
    grid = None if arguments.grid == "same" else arguments.grid
    if arguments.one:
        how, source, target = arguments.one
        print(json.dumps(run(how, source, Path(target), grid)))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), arguments)))


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    source = folder / "source.zarr"
    raw = write_source(source, arguments.resolution, arguments.times)
    results: dict[str, object] = {}
    for how in ("xarray", *(f"prepare-{n}" for n in arguments.workers)):
        runs = [separate(how, source, folder / "target.zarr", arguments.grid)
                for _ in range(arguments.repeats)]  # fmt: skip
        seconds = float(np.median([r["seconds"] for r in runs]))
        results[{"xarray": "plain_xarray"}.get(how, how.replace("-", "_"))] = {
            "seconds": round(seconds, 2),
            "cpu_seconds": round(float(np.median([r["cpu_seconds"] for r in runs])), 2),
            "gb_per_second": round(raw / seconds / 1e9, 3),
            "peak_memory_gib": round(max(r["peak_memory_gib"] for r in runs), 2),
            "stored_mb": round(runs[0]["stored_mb"], 1),
        }
    return {
        "source": f"{arguments.resolution} degrees, {len(LEVELS)} levels, {arguments.times} times",
        "grid": arguments.grid,
        "source_gb": round(raw / 1e9, 3),
        **results,
        "repeats": arguments.repeats,
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "xarray": xr.__version__,
        "zarr": zarr.__version__,
    }


def write_source(path: Path, resolution: float, times: int) -> int:
    """Smooth fields with some noise, so that they compress about as analyses do; their bytes."""
    latitude, longitude = LatLonGrid.regular(resolution).axes()
    φ, λ = np.deg2rad(latitude)[:, None], np.deg2rad(longitude)
    rng = np.random.default_rng(0)
    wave = np.cos(φ) * np.cos(3 * λ)
    noise = 0.02 * rng.standard_normal((len(LEVELS), latitude.size, longitude.size))
    shape = (times, len(LEVELS), latitude.size, longitude.size)
    field = (wave + noise).astype(np.float32)
    dims = ("time", "level", "latitude", "longitude")
    upper = np.broadcast_to(field, shape)
    stamps = np.datetime64("2020-01-01", "ns") + np.arange(times) * np.timedelta64(6, "h")
    coords = {"time": stamps, "level": [*LEVELS], "latitude": latitude, "longitude": longitude}
    dataset = xr.Dataset(
        {
            "temperature": (dims, upper),
            "u_component_of_wind": (dims, upper),
            "2m_temperature": ((dims[0], *dims[2:]), upper[:, 0]),
        },
        coords=coords,
    ).chunk(time=1)
    scaled = dataset.assign(temperature=255 + 20 * dataset["temperature"],
                            **{"2m_temperature": 285 + 20 * dataset["2m_temperature"]})  # fmt: skip
    scaled.to_zarr(path, zarr_format=2, consolidated=True)
    return 4 * times * latitude.size * longitude.size * (2 * len(LEVELS) + 1)


def separate(how: str, source: Path, target: Path, grid: str) -> dict[str, float]:
    """One run in a process of its own."""
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, __file__, "--grid", grid, "--one", how, str(source), str(target)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return measured


def run(how: str, source: str, target: Path, grid: str | None) -> dict[str, float]:
    start = time.perf_counter()
    if how == "xarray":
        plain(source, target, grid)
    else:
        workers = int(how.partition("-")[2])
        prepare(Recipe(source, grid=grid), target, task=TASK, fleet=Fleet(workers))
    seconds = time.perf_counter() - start
    # of this process; not getrusage, which counts what the one that started it had
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    stored = sum(p.stat().st_size for p in target.rglob("*") if p.is_file())
    used = os.times()
    cpu = used.user + used.system + used.children_user + used.children_system
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_memory_gib": peak / 2**20,
        "stored_mb": stored / 1e6,
    }


def plain(source: str, target: Path, grid: str | None) -> None:
    """The same by hand: open, select, regrid, to_zarr."""
    from data.regrid import regrid  # noqa: PLC0415  beside the other one's imports

    dataset = xr.open_zarr(source).sel(level=list(LEVELS_13)).drop_encoding()
    if grid is not None:
        dataset = regrid(dataset, LatLonGrid.named(grid))
    header = DatasetHeader(
        tuple(sorted(NAMES)), (), LEVELS_13,
        tuple(dataset["latitude"].values.tolist()), tuple(dataset["longitude"].values.tolist()),
        "", "",
    )  # fmt: skip
    codecs = [
        zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"),
        zarr.codecs.Crc32cCodec(),
    ]
    encoding = {}
    for name in NAMES:
        shape = header.field_shape(name)
        shards = (header.group_times, *shape)
        encoding[name] = {"chunks": (1, *shape), "shards": shards, "compressors": codecs}
        dataset[name] = dataset[name].chunk(dict(zip(dataset[name].dims, shards, strict=True)))
    dataset.to_zarr(target, zarr_format=3, consolidated=False, encoding=encoding)


if __name__ == "__main__":
    main()
