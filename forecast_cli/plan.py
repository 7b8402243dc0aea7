"""`graphcast plan`: the memory that a forecast or an update needs, before anything is compiled."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.choices import PRECISIONS, either
from forecast_cli.terminal import console, next_step, size

if TYPE_CHECKING:
    from rich.table import Table

    from graphcast.blocks import Layout
    from graphcast.machine.needs import StepMemory


def plan(
    checkpoint: Annotated[Path, typer.Option(help="Weights: .safetensors or .npz.")],
    inputs: Annotated[str, typer.Option(help="File, store or URL on the grid of the forecast.")],
    memory: Annotated[
        str | None, typer.Option(help="Memory of a device (12GB); what this one has, if not given.")
    ] = None,
    devices: Annotated[
        int,
        typer.Option(
            help="Devices that members, init times or a training batch are spread over, or that "
            "one window is split over.",
            min=1,
        ),
    ] = 1,
    precision: Annotated[str, typer.Option(help=f"{either(PRECISIONS)}.")] = "float32",
    train: Annotated[
        bool, typer.Option("--train", help="Plan a training update in place of a forecast.")
    ] = False,
    ar_steps: Annotated[
        int, typer.Option(help="Forecast steps in each training sample.", min=1)
    ] = 1,
    batch: Annotated[int, typer.Option(help="Samples in a training update.", min=1)] = 1,
) -> None:
    """Say how much memory a forecast or a training update needs.

    The plan says what is on the device and on the host, and how the work is cut
    into blocks to fit. `graphcast forecast` makes the same plan from what the
    device has free.

    Example:
        graphcast plan --checkpoint GraphCast.npz --inputs era5.zarr --memory 12GB
    """
    if not train and (ar_steps, batch) != (1, 1):
        raise ValueError("--ar-steps and --batch describe a training update; give --train as well")
    from data.channels import Channels
    from data.grids import grid_of
    from data.sources import open_inputs
    from forecast_cli.arguments import number_of_bytes
    from graphcast.checkpoints import read_checkpoint
    from graphcast.machine import fitting, fitting_update
    from graphcast.machine.devices import windows_at_once
    from graphcast.machine.memory import available_memory
    from graphcast.machine.needs import RUNTIME
    from graphcast.operations.cluster.runtime import graph_cache
    from graphcast.precision import precision_named
    from mesh import build_graphs

    rounding = precision_named(precision)
    available = available_memory() if memory is None else number_of_bytes(memory)
    weights = read_checkpoint(checkpoint)
    entries = open_inputs(inputs)
    dataset = entries[0]
    grid = grid_of(dataset, "the inputs")
    channels = Channels(weights.task)
    graphs = build_graphs(grid, weights.spec.mesh, cache=graph_cache())
    sizes = (weights.spec, channels, graphs, rounding, available)
    frame = grid.size * len(channels.targets) * 4
    if train:
        on_each = -(-batch // devices)
        chosen = fitting_update(*sizes, steps=ar_steps, batch=on_each)
        held = 2 * batch * (2 + ar_steps) * frame
        console.print(_table(f"memory of an update of {batch}", chosen.memory, RUNTIME + held))
        _say_fit(available, devices, chosen.layout)
        console.print("  gradient    keeps latents between rounds, computes the rest again")
        return
    at_once = windows_at_once(len(entries), devices)
    chosen = fitting(*sizes, devices=devices // at_once)
    host = RUNTIME + 5 * at_once * frame
    console.print(_table("memory of a forecast", chosen.memory, host))
    _say_fit(available, devices, chosen.layout)
    if devices > 1:
        console.print(
            f"  windows     {at_once} of {len(entries)} side by side, "
            f"each split over {devices // at_once} devices"
        )
    kept = "kept between steps" if chosen.economy.keep_edges else "computed in each, to save memory"
    console.print(f"  edge terms  {kept}")
    more = [] if weights.moments is not None else ["--statistics", "STATISTICS"]
    more += [] if memory is None else ["--memory", memory]
    console.print(f"  output      {size(frame)} a step before compression")
    more += ["--inputs", inputs, "--lead-time", "10d", "--output", "forecast.zarr"]
    next_step("forecast", "--checkpoint", checkpoint, *more)


def _say_fit(available: int, devices: int, layout: "Layout") -> None:
    console.print(f"  fits into   {size(available)} a device, {devices} of them")
    blocks, groups, group = layout.mesh_senders.shape
    console.print(
        f"  blocks      {layout.rows.blocks} of {layout.rows.length} grid points, "
        f"{blocks} of {groups * group} mesh edges"
    )


def _table(title: str, step: "StepMemory", host: int) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None)
    table.add_column("")
    table.add_column("", justify="right")
    rows = {
        "weights": step.weights,
        "geometry": step.geometry,
        "state and forcings": step.state,
        "work": step.work,
        "[bold]a device[/]": step.device,
        "[bold]the host[/], besides": host,
    }
    for name, count in rows.items():
        table.add_row(name, size(count))
    return table
