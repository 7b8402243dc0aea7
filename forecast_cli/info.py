"""`graphcast info`: what is in a checkpoint, a forecast, scores or a file of analyses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.terminal import console

if TYPE_CHECKING:
    import xarray as xr

    from graphcast.checkpoints import Checkpoint

WEIGHTS = (".safetensors", ".npz")


def info(
    path: Annotated[str, typer.Argument(metavar="CKPT_OR_DATASET", help="File, store or URL.")],
) -> None:
    """Say what a checkpoint or a dataset holds, and what it can do.

    Example:
        graphcast info GraphCast_small.npz
    """
    if Path(path).suffix in WEIGHTS:
        from graphcast.checkpoints import read_checkpoint

        describe_checkpoint(path, read_checkpoint(Path(path)))
        return
    from data.description import UNKNOWN_INIT, analyses_rows, forecast_rows, scores_rows
    from data.stores.kind import kind_of

    kind = kind_of(path)
    if kind == "forecast":
        _print(path, "forecast", forecast_rows(_opened(path)))
        _print_next(f"graphcast score --forecast {path} --truth ANALYSES --output scores.zarr")
    elif kind == "scores":
        _print(path, "scores", scores_rows(_opened(path)))
        _print_next(f"xarray.open_zarr({path!r})")
    else:
        from data.sources import open_inputs

        name = "simulated planet" if kind == "planet" else "analyses"
        _print(path, name, analyses_rows(open_inputs(path, init_time=UNKNOWN_INIT)))


def describe_checkpoint(path: str, checkpoint: "Checkpoint") -> None:
    """Network, task, statistics and licence of a checkpoint."""
    from data.channels import Channels
    from graphcast.network import parameter_count

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
    _print_next(
        f"graphcast forecast --checkpoint {path} {statistics}--inputs ANALYSES "
        "--lead-time 10d --output forecast.zarr"
    )


def _opened(path: str) -> "xr.Dataset":
    """A store that this package wrote, or a netCDF file converted from one, lazily."""
    import xarray as xr

    from data.stores.reading import whole

    if Path(path).is_dir():
        opened: xr.Dataset = xr.open_zarr(whole(path), decode_timedelta=True)
    else:
        opened = xr.open_dataset(path, engine="netcdf4", decode_timedelta=True)
    return opened


def _print_next(command: str) -> None:
    console.print(f"next: [cyan]{command}[/]")


def _print(path: str, kind: str, rows: dict[str, str]) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(name, text)
    console.print(f"[bold]{path}[/]  {kind}")
    console.print(table)
