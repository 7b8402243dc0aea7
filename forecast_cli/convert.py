"""`graphcast convert`: checkpoints from DeepMind's format to ours and back, forecasts to netCDF."""

from pathlib import Path
from typing import Annotated

import typer
import xarray as xr

from data.moments import write_moments
from data.stores.files import written_whole
from forecast_cli.info import is_forecast
from forecast_cli.terminal import console, size
from graphcast.checkpoints import checkpoint_format, read_checkpoint
from graphcast.network.model import parameter_count
from graphcast.operations.provenance import file_sha256
from graphcast.operations.weights import with_statistics


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
    r"""Convert a checkpoint or a forecast to another format.

    The suffixes of SRC and DST say from what to what.
    DeepMind's format (.npz) has no place for statistics: they are written
    beside it, as DeepMind's three files, into a folder named DST.statistics. A
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
    if is_forecast(str(source)):
        _forecast_to_netcdf(source, target)
        return
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
        folder.mkdir(exist_ok=True)
        write_moments(checkpoint.moments, folder)
        console.print(f"  statistics in {folder}")
    console.print(f"next: [cyan]graphcast info {target}[/]")


def _forecast_to_netcdf(source: Path, target: Path) -> None:
    """Copy a forecast store to one netCDF file, lead by lead, with its CF attributes."""
    if target.suffix != ".nc":
        raise ValueError(f"a forecast is converted to a netCDF file, named *.nc, not to {target}")
    with xr.open_zarr(source) as forecast, written_whole(target) as temporary:
        # CF allows no fill value on coordinates, and xarray adds one unless told not to.
        encoding = {str(name): {"_FillValue": None} for name in forecast.coords}
        forecast.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    console.print(f"[bold]{target}[/]  {size(target.stat().st_size)}, the forecast in {source}")
    console.print(f"next: [cyan]ncdump -h {target}[/]")
