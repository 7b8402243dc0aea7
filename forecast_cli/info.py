"""`graphcast info`: what is in a checkpoint, a forecast or a file of analyses."""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
import xarray as xr
from rich.table import Table

from data.channels import Channels
from data.sources import open_inputs
from data.task import STEP, TASKS, Task
from data.variables import VARIABLES
from forecast_cli.arguments import hours
from forecast_cli.score import is_scores
from forecast_cli.terminal import console
from graphcast.checkpoints import FORMATS, Checkpoint, read_checkpoint
from graphcast.network.model import parameter_count


def info(
    path: Annotated[str, typer.Argument(metavar="CKPT_OR_DATASET", help="File, store or URL.")],
) -> None:
    """Say what a checkpoint or a dataset holds, and what it can do.

    Example:
        graphcast info GraphCast_small.npz
    """
    if Path(path).suffix in FORMATS:
        describe_checkpoint(path, read_checkpoint(Path(path)))
    elif is_forecast(path):
        describe_forecast(path)
    elif is_scores(Path(path)):
        describe_scores(path)
    else:
        describe_analyses(path, open_inputs(path, init_time=_UNKNOWN_INIT))


# Files with nothing but relative times are worth describing too: no real file has this init time.
_UNKNOWN_INIT = np.datetime64("1700-01-01T00", "ns")


def describe_checkpoint(path: str, checkpoint: Checkpoint) -> None:
    """Network, task, statistics and licence of a checkpoint."""
    spec, task = checkpoint.spec, checkpoint.task
    channels = Channels(task)
    resolution = f"{spec.resolution:g}°" if spec.resolution else "any"
    rows = {
        "network": f"{parameter_count(checkpoint.model):,} parameters, latent {spec.latent_size}, "
        f"{spec.processor_steps} processor steps, multi-mesh levels 0 to {spec.mesh.splits}",
        "resolution": resolution,
        "task": f"{task.name}: {channels.input_width} input channels, "
        f"{len(channels.targets)} output channels",
        "predicts": ", ".join(sorted(task.targets)),
        "forcings": ", ".join(sorted(task.forcings)) or "none",
        "statics": ", ".join(sorted(task.statics)) or "none",
        "levels": f"{', '.join(map(str, task.levels))} hPa" if task.levels else "none",
        "statistics": "inside"
        if checkpoint.moments is not None
        else "not inside: forecast needs --statistics",
        "description": checkpoint.description or "none",
        "licence": checkpoint.license or "not stated",
        **checkpoint.provenance,
    }
    _print(path, "checkpoint", rows)
    statistics = "" if checkpoint.moments is not None else "--statistics DIR "
    console.print(
        f"next: [cyan]graphcast forecast --checkpoint {path} {statistics}--inputs ANALYSES "
        "--lead-time 10d --output forecast.zarr[/]"
    )


def is_forecast(path: str) -> bool:
    """Whether the path is one of our forecast stores."""
    attributes = Path(path) / ".zattrs"
    return attributes.is_file() and "forecast_store_layout" in attributes.read_text()


def describe_forecast(path: str) -> None:
    """Init times, lead times, variables and making of a forecast."""
    with xr.open_zarr(path) as forecast:
        leads = forecast["prediction_timedelta"].values / np.timedelta64(1, "h")
        rows = {
            "init time": _times(forecast["time"].values),
            "lead time": f"{leads[0]:.0f} to {leads[-1]:.0f} h, {len(leads)} steps",
            **_grid_rows(forecast),
            "weights": forecast.attrs.get("source", "not stated"),
            **_making(json.loads(forecast.attrs.get("provenance", "{}"))),
        }
    _print(path, "forecast", rows)
    console.print(
        f"next: [cyan]graphcast score --forecast {path} --truth ANALYSES --output scores.zarr[/]"
    )


def describe_scores(path: str) -> None:
    """What was scored against what, by which metrics, where and at which lead times."""
    with xr.open_zarr(path) as scores:
        leads = scores["prediction_timedelta"].values / np.timedelta64(1, "h")
        rows = {
            "forecast": str(scores.attrs["forecast"]),
            "truth": str(scores.attrs["truth"]),
            "baseline": str(scores.attrs["baseline"]),
            "init times": str(scores.attrs["initial_times"]),
            "lead time": f"{leads[0]:g} to {leads[-1]:g} h, {len(leads)} of them",
            "variables": ", ".join(str(name) for name in scores if name != "sample_count"),
            "metrics": ", ".join(scores["metric"].values),
            "regions": ", ".join(scores["region"].values),
            "weights": str(scores.attrs["forecast_source"]),
        }
    _print(path, "scores", rows)
    console.print(f"next: [cyan]xarray.open_zarr({path!r})[/]")


def _making(provenance: dict[str, Any]) -> dict[str, str]:
    """The flags, versions and hashes of a result, one row each."""
    return {
        name: ", ".join(f"{k} {v}" for k, v in value.items())
        if isinstance(value, dict)
        else str(value)
        for name, value in provenance.items()
        if name not in ("inputs", "weights", "statistics")
    }


def describe_analyses(path: str, entries: list[xr.Dataset]) -> None:
    """Times, levels and variables of a dataset, and which published tasks it could start."""
    dataset = entries[0]
    times = dataset["time"].values if "time" in dataset.coords else np.array([])
    rows = {
        "entries": str(len(entries)),
        "time": _times(np.atleast_1d(times)) if times.size else "no time axis",
        **_grid_rows(dataset),
        "tasks": "; ".join(_fit(dataset, task) for task in TASKS.values()),
        "init times": _times(np.array([t for t in times if t - STEP in set(times)])),
    }
    _print(path, "analyses", rows)


def _fit(dataset: xr.Dataset, task: Task) -> str:
    """Whether a task can start from the dataset's variables and levels, or what it lacks."""
    needed = [name for name in task.inputs if name not in task.forcings]
    lacking = [name for name in needed if name not in dataset]
    levels = set(dataset["level"].values.tolist()) if "level" in dataset.coords else set()
    if not lacking and set(task.levels) <= levels:
        return f"{task.name}: yes"
    missing_levels = len(set(task.levels) - levels)
    parts = [f"{len(lacking)} variables"] * bool(lacking)
    parts += [f"{missing_levels} levels"] * bool(missing_levels)
    return f"{task.name}: lacks {' and '.join(parts)}"


def _grid_rows(dataset: xr.Dataset) -> dict[str, str]:
    latitude, longitude = dataset["latitude"].values, dataset["longitude"].values
    rows = {
        "grid": f"{latitude.size} × {longitude.size}, latitude {latitude[0]:g}° to "
        f"{latitude[-1]:g}°, longitude {longitude[0]:g}° to {longitude[-1]:g}°",
        "variables": ", ".join(_described(dataset[name]) for name in dataset.data_vars),
    }
    if "level" in dataset.coords:
        rows["levels"] = f"{', '.join(f'{x:g}' for x in dataset['level'].values)} hPa"
    return rows


def _described(array: xr.DataArray) -> str:
    name = str(array.name)
    units = array.attrs.get("units", VARIABLES[name].units if name in VARIABLES else "?")
    return f"{name} ({units})"


def _times(times: np.ndarray) -> str:
    if times.size and times[0] < _UNKNOWN_INIT + np.timedelta64(100, "D"):
        texts = [f"t{hours(time - _UNKNOWN_INIT):+d} h" for time in times]
    else:
        texts = [str(time)[:16] for time in times]
    if len(texts) <= 3:
        return ", ".join(texts) or "none"
    return f"{texts[0]} … {texts[-1]}, {len(texts)} of them"


def _print(path: str, kind: str, rows: dict[str, str]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(name, text)
    console.print(f"[bold]{path}[/]  {kind}")
    console.print(table)
