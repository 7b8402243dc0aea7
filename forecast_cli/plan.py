"""`graphcast plan`: what a forecast needs, before anything is compiled."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from data.channels import Channels
from data.sources import open_inputs
from forecast_cli.runtime import graph_cache
from forecast_cli.terminal import console
from graphcast.checkpoints import read_checkpoint
from graphcast.layout import arrange
from graphcast.memory import RUNTIME, StepMemory, available_memory, fitting
from graphcast.precision import PRECISIONS, precision_named
from mesh.graphs import build_graphs
from mesh.grid import LatLonGrid

GIB = 2**30
UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "KI": 2**10, "MI": 2**20, "GI": GIB}


def plan(
    checkpoint: Annotated[Path, typer.Option(help="Weights: .safetensors or .npz.")],
    inputs: Annotated[str, typer.Option(help="File, store or URL on the grid of the forecast.")],
    memory: Annotated[
        str | None, typer.Option(help="Memory of a device (12GB); what this one has, if not given.")
    ] = None,
    devices: Annotated[int, typer.Option(help="Devices that one sample is split over.")] = 1,
    precision: Annotated[str, typer.Option(help=f"{', '.join(PRECISIONS)}.")] = "float32",
) -> None:
    """Say how much memory a forecast needs on device and host, and how it will fit.

    `graphcast forecast` makes the same plan by itself from what the device has.

    Example:
        graphcast plan --checkpoint GraphCast.npz --inputs era5.zarr --memory 12GB
    """
    rounding = precision_named(precision)
    available = available_memory() if memory is None else number_of_bytes(memory)
    weights = read_checkpoint(checkpoint)
    dataset = open_inputs(inputs)[0]
    grid = LatLonGrid.from_coordinates(dataset["latitude"].values, dataset["longitude"].values)
    channels = Channels(weights.task)
    layout = arrange(build_graphs(grid, weights.spec.mesh, cache=graph_cache()), devices=devices)
    step = fitting(weights.spec, channels, layout, rounding, available, devices=devices)
    frame = grid.size * len(channels.targets) * 4
    console.print(_table(step, host=RUNTIME + 5 * frame))
    kept = "kept between steps" if step.keep_edges else "computed in each step, to save memory"
    console.print(f"  fits into   {available / GIB:.2f} GiB a device, {devices} of them")
    console.print(f"  edge terms  {kept}")
    console.print(
        f"  blocks      {layout.rows.blocks} of {layout.rows.length} grid points, "
        f"{layout.mesh_senders.shape[0]} of {layout.mesh_senders.shape[1]} mesh edges"
    )
    console.print(f"  output      {frame / 1e6:,.0f} MB a step before compression")
    console.print(
        f"next: [cyan]graphcast forecast --checkpoint {checkpoint} --inputs {inputs} "
        "--lead-time 10d --output forecast.zarr[/]"
    )


def number_of_bytes(text: str) -> int:
    """Bytes in `12GB`, `12GiB` or `500M`; `ValueError` otherwise."""
    match = re.fullmatch(r"([0-9.]+)\s*([KMGT]?I?)B?", text.strip().upper())
    if match is None or match[2] not in UNITS:
        raise ValueError(f"--memory reads a size as 12GB or 500MiB, not {text!r}")
    return int(float(match[1]) * UNITS[match[2]])


def _table(step: StepMemory, host: int) -> Table:
    table = Table(title="memory of a forecast", title_justify="left", box=None)
    table.add_column("")
    table.add_column("GiB", justify="right")
    rows = {
        "weights": step.weights,
        "geometry": step.geometry,
        "state and forcings": step.state,
        "work": step.work,
        "[bold]a device[/]": step.device,
        "[bold]the host[/], besides": host,
    }
    for name, count in rows.items():
        table.add_row(name, f"{count / GIB:.2f}")
    return table
