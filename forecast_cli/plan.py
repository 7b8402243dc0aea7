"""`graphcast plan`: the memory that a forecast or an update needs, before anything is compiled."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli.choices import PRECISIONS, either
from forecast_cli.terminal import console, next_step, size

if TYPE_CHECKING:
    from rich.table import Table

    from graphcast.machine.needs import StepMemory
    from graphcast.operations import Planned


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
    from forecast_cli.arguments import number_of_bytes
    from graphcast import operations

    limit = None if memory is None else number_of_bytes(memory)
    if train:
        update = operations.plan_update(
            checkpoint,
            inputs,
            steps=ar_steps,
            batch=batch,
            memory=limit,
            devices=devices,
            precision=precision,
        )
        _say_memory(f"memory of an update of {batch}", update, devices)
        console.print("  gradient    keeps latents between rounds, computes the rest again")
        return
    planned = operations.plan(
        checkpoint, inputs, memory=limit, devices=devices, precision=precision
    )
    _say_memory("memory of a forecast", planned, devices)
    if devices > 1:
        console.print(
            f"  windows     {planned.side_by_side} of {planned.windows} side by side, "
            f"each split over {planned.parts} devices"
        )
    keeps = planned.plan.economy.keep_edges
    console.print(
        f"  edge terms  {'kept between steps' if keeps else 'computed in each, to save memory'}"
    )
    more = [] if planned.has_statistics else ["--statistics", "STATISTICS"]
    more += [] if memory is None else ["--memory", memory]
    console.print(f"  output      {size(planned.frame)} a step before compression")
    more += ["--inputs", inputs, "--lead-time", "10d", "--output", "forecast.zarr"]
    next_step("forecast", "--checkpoint", checkpoint, *more)


def _say_memory(title: str, planned: "Planned", devices: int) -> None:
    console.print(_table(title, planned.plan.memory, planned.host))
    console.print(f"  fits into   {size(planned.available)} a device, {devices} of them")
    layout = planned.plan.layout
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
