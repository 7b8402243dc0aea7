"""`graphcast convert`: checkpoints to and from DeepMind's format, forecasts to netCDF."""

from pathlib import Path
from typing import Annotated

import typer

from forecast_cli.terminal import console, next_step, size


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="Checkpoint or forecast store to read.")
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="DST", help="Checkpoint (.safetensors, .npz) or forecast (.nc) to write."
        ),
    ],
    statistics: Annotated[
        Path | None,
        typer.Option(help="Folder of statistics to put into the new checkpoint."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace DST.")] = False,
) -> None:
    r"""Convert a checkpoint or a forecast, by the endings of the names.

    DeepMind's format (.npz) has no place for statistics: DeepMind's three
    files of them are written into a folder beside it, DST.statistics. A
    forecast becomes a CF netCDF file.

    Example:
        graphcast convert GraphCast_small.npz small.safetensors \
            --statistics stats/
        graphcast convert forecast.zarr forecast.nc
    """
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder, and a file is written; choose another name")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; choose another name or give --overwrite")
    from data.stores.kind import kind_of

    if kind_of(source) == "forecast":
        from data.stores.forecast.netcdf import write_netcdf

        write_netcdf(source, target)
        console.print(f"[bold]{target}[/]  {size(target.stat().st_size)}, the forecast in {source}")
        next_step("info", target)
        return
    _convert_checkpoint(source, target, statistics)


def _convert_checkpoint(source: Path, target: Path, statistics: Path | None) -> None:
    from data.moments import write_moments
    from graphcast.checkpoints import checkpoint_format, read_checkpoint
    from graphcast.network import parameter_count
    from graphcast.operations.provenance import file_sha256
    from graphcast.operations.weights import with_statistics

    to = checkpoint_format(target)
    checkpoint = read_checkpoint(source)
    if statistics is not None:
        checkpoint = with_statistics(checkpoint, statistics)
    checkpoint.provenance.setdefault("converted_from_sha256", file_sha256(source))
    to.write(checkpoint, target)
    console.print(
        f"[bold]{target}[/]  {size(target.stat().st_size)}, "
        f"{parameter_count(checkpoint.model):,} parameters from {source}"
    )
    if checkpoint.moments is None:
        console.print("  no statistics inside: give them with --statistics to forecast")
    elif target.suffix == ".npz":
        folder = target.with_name(f"{target.name}.statistics")
        write_moments(checkpoint.moments, folder)
        console.print(f"  statistics in {folder}")
    next_step("info", target)
