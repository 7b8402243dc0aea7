"""Make the parity cases beside this file with DeepMind's own code.

Nothing of DeepMind's code is here: the script imports it from a checkout of
https://github.com/google-deepmind/weathernext (the cases were made at 9c034db, with
https://github.com/google-deepmind/xarray_jax at v0.1.1 on the path), in an environment with what it
needs (dm-haiku, chex, jraph, trimesh, rtree, xarray, netcdf4, and jax as below):

    cd tests/reference
    python make_parity_cases.py --deepmind WEATHERNEXT --output parity

A case is a random network on smooth random fields of realistic size. All biases and layer norms
are moved away from 0 and 1, so that a swapped parameter changes the numbers. Each folder gets

    params.npz       DeepMind's checkpoint format
    inputs.nc, forcings.nc, targets.nc
    predictions_{f32,bf16}_{N}step.nc
    grad_norms.npz   the norm of each parameter's gradient, by precision and number of steps
    grads_f32_1step.npz   the gradients themselves, where the case asks for them
    graph.npz        the three graphs and their features
    meta.json        losses, sizes and versions

With --check, each case in the folder is computed again from its own parameters and fields, and the
largest difference from its files is printed.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from deepmind import PRECISIONS, graphs, one_step, predictor, run

INIT = np.datetime64("2022-01-01T06", "ns")
STEP = np.timedelta64(6, "h").astype("timedelta64[ns]")


@dataclass(frozen=True)
class Case:
    """One folder: DeepMind's name of the task, a grid, a network and what is run."""

    name: str
    task: str
    latitude: tuple[float, ...]
    longitude: tuple[float, ...]
    network: tuple[tuple[str, Any], ...]
    steps: dict[str, tuple[int, ...]]
    whole_gradient: bool
    seed: int


CASES = (
    Case(
        name="small_10deg_poles",
        task="TASK_13",
        latitude=tuple(np.linspace(-90, 90, 19).tolist()),
        longitude=tuple(np.arange(0, 360, 10.0).tolist()),
        network=(
            ("resolution", 10.0),
            ("mesh_size", 2),
            ("latent_size", 32),
            ("gnn_msg_steps", 3),
            ("hidden_layers", 1),
            ("radius_query_fraction_edge_length", 0.6),
            ("mesh2grid_edge_normalization_factor", 0.7),
        ),
        steps={"f32": (1, 4), "bf16": (1, 4)},
        whole_gradient=True,
        seed=1,
    ),
    Case(
        name="operational_16x32_nopoles",
        task="TASK_13_PRECIP_OUT",
        latitude=tuple(np.linspace(-84.375, 84.375, 16).tolist()),
        longitude=tuple(np.arange(0, 360, 11.25).tolist()),
        network=(
            ("resolution", 0.0),
            ("mesh_size", 2),
            ("latent_size", 32),
            ("gnn_msg_steps", 2),
            ("hidden_layers", 1),
            ("radius_query_fraction_edge_length", 0.6),
        ),
        steps={"f32": (1, 2)},
        whole_gradient=False,
        seed=2,
    ),
)


def main() -> None:
    """Make or check every case."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--deepmind", type=Path, required=True, help="checkout of weathernext")
    parser.add_argument("--output", type=Path, required=True, help="folder with stats/ in it")
    parser.add_argument("--check", action="store_true", help="compare with the files there")
    options = parser.parse_args()
    sys.path.insert(0, str(options.deepmind))
    statistics = {
        name: xr.load_dataset(options.output / "stats" / f"{name}_by_level.nc")
        for name in ("mean", "stddev", "diffs_stddev")
    }
    if options.check:
        for folder in sorted(path.parent for path in options.output.glob("*/params.npz")):
            check(folder, statistics)
        return
    for case in CASES:
        make(case, options.output / case.name, statistics)
        size = sum(file.stat().st_size for file in (options.output / case.name).iterdir())
        print(f"{case.name}: {size} bytes")


def make(case: Case, folder: Path, statistics: dict[str, xr.Dataset]) -> None:
    """Write all files of a case."""
    from weathernext.utils import checkpoint  # noqa: PLC0415  known once --deepmind is read
    from weathernext.weathernext1_graph import graphcast  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(case.seed)
    task = getattr(graphcast, case.task)
    network = graphcast.ModelConfig(**dict(case.network))
    fields = random_fields(case, task, statistics, rng)
    for name, dataset in fields.items():
        write(dataset, folder / f"{name}.nc")
    # What is computed is computed from the files, as the tests do.
    fields = {
        name: xr.load_dataset(folder / f"{name}.nc", decode_timedelta=True) for name in fields
    }
    params = random_parameters(network, task, statistics, fields, rng)
    with (folder / "params.npz").open("wb") as file:
        stored = graphcast.CheckPoint(
            params=params,
            model_config=network,
            task_config=task,
            description=f"random weights of the parity case {case.name}",
            license="none: random numbers",
        )
        checkpoint.dump(file, stored)
    results = run(network, task, params, statistics, fields, case.steps)
    losses: dict[str, Any] = {}
    norms: dict[str, np.ndarray] = {}
    for (precision, steps), (predictions, loss, gradient) in results:
        key = f"{precision}_{steps}step"
        losses[key] = loss
        norms[key] = np.array([np.linalg.norm(g) for g in gradient.values()], np.float32)
        if steps == max(case.steps[precision]):  # its first leads are those of fewer steps
            write(predictions, folder / f"predictions_{key}.nc")
        if case.whole_gradient and key == "f32_1step":
            np.savez_compressed(folder / f"grads_{key}.npz", **gradient)
        norms["names"] = np.array(list(gradient))
    np.savez_compressed(folder / "grad_norms.npz", **norms)
    np.savez_compressed(folder / "graph.npz", **graphs(network, task, fields["inputs"]))
    (folder / "meta.json").write_text(
        json.dumps(
            {"task": case.task, "seed": case.seed, "losses": losses, "versions": versions()},
            indent=1,
        )
    )


def check(folder: Path, statistics: dict[str, xr.Dataset]) -> None:
    """Print how far DeepMind's code is today from the predictions and losses in a folder."""
    from weathernext.utils import checkpoint  # noqa: PLC0415
    from weathernext.weathernext1_graph import graphcast  # noqa: PLC0415

    with (folder / "params.npz").open("rb") as file:
        stored = checkpoint.load(file, graphcast.CheckPoint)
    fields = {
        name: xr.load_dataset(folder / f"{name}.nc", decode_timedelta=True)
        for name in ("inputs", "forcings", "targets")
    }
    expected = json.loads((folder / "meta.json").read_text())["losses"]
    steps = {
        precision: tuple(
            int(key.split("_")[1].removesuffix("step"))
            for key in expected
            if key.startswith(precision)
        )
        for precision in PRECISIONS
    }
    arguments = (stored.model_config, stored.task_config, stored.params, statistics, fields, steps)
    for (precision, count), (predictions, loss, _) in run(*arguments):
        key = f"{precision}_{count}step"
        off = abs(loss["loss"] / expected[key]["loss"] - 1)
        path = folder / f"predictions_{key}.nc"
        worst = 0.0
        if path.exists():
            there = xr.load_dataset(path, decode_timedelta=True)
            worst = max(largest_error(predictions, there, statistics["diffs_stddev"]))
        print(
            f"{folder.name} {key}: loss {off:.1e} relative, predictions {worst:.1e} of a residual σ"
        )


def largest_error(one: xr.Dataset, other: xr.Dataset, spread: xr.Dataset) -> Iterator[float]:
    """Of each variable, the largest difference in units of its six-hour change."""
    for name in other:
        unit = spread[name]
        unit = unit.sel(level=other["level"]) if "level" in unit.dims else unit
        yield float(np.abs((one[name] - other[name]) / unit).max())


def random_fields(
    case: Case, task: Any, statistics: dict[str, xr.Dataset], rng: np.random.Generator
) -> dict[str, xr.Dataset]:
    """Inputs, forcings and targets in DeepMind's layout, forcings by DeepMind's own functions."""
    from weathernext.utils import data_utils  # noqa: PLC0415

    count = max(max(steps) for steps in case.steps.values())
    times = np.arange(-1, count + 1) * STEP
    latitude, longitude = np.array(case.latitude, "f4"), np.array(case.longitude, "f4")
    coordinates = {
        "time": times,
        "lat": latitude,
        "lon": longitude,
        "level": np.array(task.pressure_levels, "i4"),
        "datetime": (("batch", "time"), (INIT + times)[None]),
    }
    everything = xr.Dataset(coords=coordinates)
    for name in task.target_variables:
        everything[name] = random_series(name, everything, statistics, rng)
    surface = smooth(latitude, longitude, rng)
    hills = (4e3 * surface / surface.std()).clip(0) + 1e3  # m2 s-2
    everything["geopotential_at_surface"] = (("lat", "lon"), hills.astype("f4"))
    everything["land_sea_mask"] = (("lat", "lon"), (surface > 0).astype("f4"))
    data_utils.add_derived_vars(everything)
    data_utils.add_tisr_var(everything)
    everything = everything.drop_vars("datetime")
    inputs = everything[list(task.input_variables)].isel(time=slice(0, 2))
    later = everything.isel(time=slice(2, None))
    return {
        "inputs": inputs,
        "forcings": later[list(task.forcing_variables)].drop_vars("level", errors="ignore"),
        "targets": later[list(task.target_variables)],
    }


def random_series(
    name: str, frame: xr.Dataset, statistics: dict[str, xr.Dataset], rng: np.random.Generator
) -> xr.DataArray:
    """A smooth field that drifts, of the mean, spread and six-hour change of the statistics."""
    mean, spread, change = (statistics[s][name] for s in ("mean", "stddev", "diffs_stddev"))
    on_levels = "level" in mean.dims
    levels = frame["level"].values if on_levels else [None]

    def at(statistic: xr.DataArray, level: int | None) -> float:
        return float(statistic if level is None else statistic.sel(level=level))

    axes = frame["lat"].values, frame["lon"].values
    columns = []
    for level in levels:
        start = at(mean, level) + at(spread, level) * smooth(*axes, rng)
        steps = [at(change, level) * smooth(*axes, rng) for _ in frame["time"].values[1:]]
        series = np.cumsum([start, *steps], axis=0)
        columns.append(series.clip(0) if name.startswith(("specific", "total")) else series)
    values = np.stack(columns, axis=1) if on_levels else columns[0]
    dims = ("batch", "time", *(("level",) if on_levels else ()), "lat", "lon")
    return xr.DataArray(values[None].astype("f4"), dims=dims)


def smooth(latitude: np.ndarray, longitude: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random polynomial of degree 3 on the unit sphere, of about unit variance."""
    φ, λ = np.meshgrid(np.deg2rad(latitude), np.deg2rad(longitude), indexing="ij")
    x, y, z = np.cos(φ) * np.cos(λ), np.cos(φ) * np.sin(λ), np.sin(φ)
    powers = [(i, j, k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]
    return sum(rng.normal() * x**i * y**j * z**k for i, j, k in powers) / 2


def random_parameters(
    network: Any,
    task: Any,
    statistics: dict[str, xr.Dataset],
    fields: dict[str, xr.Dataset],
    rng: np.random.Generator,
) -> dict[str, dict[str, np.ndarray]]:
    """DeepMind's shapes; weights of unit gain, biases and layer norms away from 0 and 1."""
    import jax  # noqa: PLC0415

    transformed = predictor(network, task, statistics, bfloat16=False)[0]
    first = one_step(fields, 1)
    shapes = jax.eval_shape(transformed.init, jax.random.key(0), *first)

    def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name == "w":
            return rng.normal(size=shape) / np.sqrt(shape[0])
        return 0.2 * rng.normal(size=shape) + (name == "scale")

    return {
        module: {name: drawn(name, leaf.shape).astype("f4") for name, leaf in leaves.items()}
        for module, leaves in shapes.items()
    }


def write(dataset: xr.Dataset, path: Path) -> None:
    """Compressed netCDF."""
    packing = {"zlib": True, "complevel": 9, "shuffle": True}
    dataset.to_netcdf(path, encoding=dict.fromkeys(map(str, dataset.data_vars), packing))


def versions() -> dict[str, str]:
    """Of what computed the case."""
    from importlib.metadata import version  # noqa: PLC0415

    packages = {"jax": "jax", "haiku": "dm-haiku", "xarray": "xarray", "numpy": "numpy"}
    return {name: version(package) for name, package in packages.items()}


if __name__ == "__main__":
    main()
