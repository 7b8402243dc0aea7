"""`graphcast convert`: checkpoints to and from DeepMind's format; forecasts to other formats."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_cli import form_flags as flags
from forecast_cli.terminal import console, next_step, size

if TYPE_CHECKING:
    from data.stores.forecast.form import Form


def convert(  # noqa: PLR0913, PLR0917  the flags are a contract
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Checkpoint or forecast to read.")],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="DST",
            help="Checkpoint (.safetensors, .npz) or forecast (.nc, .grib2, .zarr) to write.",
        ),
    ],
    statistics: Annotated[
        Path | None,
        typer.Option(help="Folder of statistics to put into the new checkpoint."),
    ] = None,
    variables: flags.Variables = None,
    levels: flags.Levels = None,
    lead_times: flags.LeadTimes = None,
    init_times: Annotated[
        str | None, typer.Option(help="Write only these init times, UTC: 2024-06-03T18.")
    ] = None,
    members: flags.Members = None,
    region: flags.Region = None,
    zarr_format: flags.ZarrFormat = 3,
    centre: flags.Centre = "255",
    generating_process: flags.GeneratingProcess = 255,
    bits: flags.Bits = 16,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace DST.")] = False,
) -> None:
    r"""Convert a checkpoint or a forecast, by the ending of the names.

    DeepMind's format (.npz) has no place for statistics: DeepMind's three
    files of them are written into a folder beside it, DST.statistics. A
    forecast becomes a CF netCDF file, whose time is the valid time if there is
    one init time; a GRIB 2 file; or a Zarr store.

    Example:
        graphcast convert GraphCast_small.npz small.safetensors \
            --statistics stats/
        graphcast convert forecast.zarr forecast.nc
        graphcast convert forecast.zarr europe.grib2 --region europe \
            --variables 2t,msl,z --levels 500 --lead-times 1d/10d/1d
    """
    from data.stores.kind import kind_of

    if kind_of(source) != "forecast":
        _refuse_existing(target, overwrite=overwrite)
        _convert_checkpoint(source, target, statistics)
        return
    from forecast_cli.parts import form_of

    form = form_of(
        variables=variables,
        levels=levels,
        lead_times=lead_times,
        init_times=init_times,
        members=members,
        region=region,
        zarr_format=zarr_format,
        centre=centre,
        generating_process=generating_process,
        bits=bits,
    )
    _convert_forecast(source, target, form, overwrite=overwrite)


def _convert_forecast(source: Path, target: Path, form: "Form", *, overwrite: bool) -> None:
    from data.stores.forecast.form import GRIB, NETCDF, write_forecast
    from forecast_cli.parts import grib_words, time_words

    ending = target.suffix.casefold()
    if ending in NETCDF + GRIB:
        _refuse_existing(target, overwrite=overwrite)
    elif ending != ".zarr":
        raise ValueError(
            f"a forecast is converted to .nc, .grib2 or .zarr, and {target.name} ends in"
            f" {ending or 'nothing'}; name it {target.with_suffix('.nc').name}"
        )
    rounding = write_forecast(source, target, form, overwrite=overwrite)
    files = [target] if target.is_file() else [p for p in target.rglob("*") if p.is_file()]
    total = size(sum(path.stat().st_size for path in files))
    console.print(f"[bold]{target}[/]  {total}, of the forecast in {source}")
    for line in grib_words(form.signature, rounding) if ending in GRIB else time_words(target):
        console.print(f"  {line}")
    next_step("info", target)


def _refuse_existing(target: Path, *, overwrite: bool) -> None:
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder, and a file is written; choose another name")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; choose another name or give --overwrite")


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
