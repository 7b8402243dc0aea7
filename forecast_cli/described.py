"""What `graphcast info` says of each kind of file and store."""

import json
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from data.canonical.lead_times import is_forecast
from data.description import (
    UNKNOWN_INIT,
    Row,
    Rows,
    analyses_rows,
    forecast_rows,
    scores_rows,
    statistics_rows,
    store_rows,
    words,
)
from data.sources import open_forecast
from data.sources.files.formats import open_raw
from data.stores.kind import WORDS, StoreKind, kind_of

WEIGHTS = (".safetensors", ".npz")


class Described(NamedTuple):
    """A file or store: its kind in words, its rows, and the command to go on with.

    `next` has the words after `graphcast`; none where there is no such command.
    """

    kind: str
    rows: Rows
    next: tuple[str, ...] = ()


def described(path: str) -> Described:
    """What is at a path or URL.

    Raises:
        ValueError, OSError: nothing is there, or it cannot be read.
    """
    if Path(path).suffix in WEIGHTS and Path(path).is_file():
        return _tensors(path)
    kind = kind_of(path)
    if kind is None and is_forecast(open_raw(path)):
        return _forecast(path)
    if kind in (None, "analyses", "planet"):
        return _fields(path, kind)
    if kind == "training":
        from forecast_cli.training.described import run_next, run_rows

        return Described("training run", run_rows(path), run_next(path))
    of_kind = {
        "forecast": _forecast,
        "scores": _scores,
        "statistics": _statistics,
        "means": _means,
    }
    return of_kind[kind](path) if kind in of_kind else _store(path, kind)


def _tensors(path: str) -> Described:
    """Weights, graphs or a training state."""
    from safetensors import SafetensorError, safe_open

    header = {}
    if path.endswith(".safetensors"):
        try:
            with safe_open(path, framework="numpy") as file:
                header = json.loads((file.metadata() or {}).get("graphcast", "{}"))
        except (SafetensorError, json.JSONDecodeError):
            pass  # `read_checkpoint` says what is wrong with it
    kind = kind_of(header)
    if kind is None:
        return _checkpoint(path)
    rows = {key: Row(json.dumps(value), value) for key, value in header.items()}
    return Described(WORDS[kind].noun, rows)


def _checkpoint(path: str) -> Described:
    """Network, task, statistics and licence of a checkpoint."""
    from data.channels import Channels
    from graphcast.checkpoints import read_checkpoint
    from graphcast.network import parameter_count

    checkpoint = read_checkpoint(Path(path))
    spec, task, inside = checkpoint.spec, checkpoint.task, checkpoint.moments is not None
    channels, parameters = Channels(task), parameter_count(checkpoint.model)
    rows = {
        "network": Row(
            f"{parameters:,} parameters, latent {spec.latent_size}, {spec.processor_steps} "
            f"processor steps, multi-mesh levels 0 to {spec.mesh.splits}",
            {
                "parameters": parameters,
                "latent_size": spec.latent_size,
                "processor_steps": spec.processor_steps,
                "mesh_splits": spec.mesh.splits,
            },
        ),
        "resolution": Row(f"{spec.resolution:g}°" if spec.resolution else "any", spec.resolution),
        "task": Row(
            f"{task.name}: {channels.input_width} input channels, {len(channels.targets)} output "
            f"channels, steps of {task.step_hours} h",
            json.loads(task.to_json()),
        ),
        "predicts": words(sorted(task.targets)),
        "forcings": words(sorted(task.forcings)),
        "statics": words(sorted(task.statics)),
        "levels": Row(
            f"{', '.join(map(str, task.levels))} hPa" if task.levels else "none", list(task.levels)
        ),
        "statistics": Row(
            "inside" if inside else "not inside: forecast needs --statistics",
            "inside" if inside else None,
        ),
        "description": words(checkpoint.description or "none"),
        "licence": words(checkpoint.license or "not stated"),
        **{name: words(text) for name, text in checkpoint.provenance.items()},
    }
    statistics = () if inside else ("--statistics", "STATISTICS")
    return Described("checkpoint", rows, _forecast_command(path, *statistics))


def _forecast_command(checkpoint: str, *more: str) -> tuple[str, ...]:
    begin = ("forecast", "--checkpoint", checkpoint, *more, "--inputs", "ANALYSES")
    return (*begin, "--lead-time", "10d", "--output", "forecast.zarr")


def _forecast(path: str) -> Described:
    return Described(
        "forecast",
        forecast_rows(open_forecast(path)),
        ("score", "--forecast", path, "--truth", "ANALYSES", "--output", "scores.zarr"),
    )


def _scores(path: str) -> Described:
    return Described("scores", scores_rows(_opened(path)))


def _store(path: str, kind: StoreKind) -> Described:
    return Described(WORDS[kind].noun, store_rows(_opened(path)))


def _statistics(path: str) -> Described:
    from data.moments import read_moments

    return Described(
        "statistics",
        statistics_rows(read_moments(Path(path))),
        _forecast_command("WEIGHTS", "--statistics", path),
    )


def _means(path: str) -> Described:
    from verification import read_means

    means = read_means(path)
    sums = next(iter(means.values())).sums
    times = {str(t)[:16] for part in sums.values() for t in part.total["init_time"].values}
    rows = {
        "entrants": words(sorted(means)),
        "statistics": words(sorted(map(str, sums))),
        "init times": words(sorted(times)),
    }
    return Described("means", rows)


def _fields(path: str, kind: StoreKind | None) -> Described:
    """Analyses: whose, and which tasks can start from them."""
    from data.doctor import faults
    from data.sources import open_inputs
    from data.task import TASKS

    entries = open_inputs(path, init_time=UNKNOWN_INIT)
    lacking = {
        name: [f.message.removeprefix(f"task {name!r} ") for f in faults(entries[0], task)]
        for name, task in TASKS.items()
    }
    served = next((name for name, found in lacking.items() if not found), None)
    noun = {"planet": "simulated planet", "analyses": "dataset of analyses"}.get(str(kind))
    return Described(
        noun or "analyses",
        analyses_rows(entries, lacking),
        ("doctor", path, *(("--task", served) if served else ())),
    )


def _opened(path: str) -> xr.Dataset:
    """A store that this package wrote, or a netCDF file converted from one, lazily."""
    from data.stores.forecast.netcdf import along_lead_time
    from data.stores.reading import whole

    if Path(path).is_dir():
        store: xr.Dataset = xr.open_zarr(whole(path), decode_timedelta=True)
        return store
    return along_lead_time(xr.open_dataset(path, engine="netcdf4", decode_timedelta=True))
