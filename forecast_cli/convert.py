"""`graphcast convert`: checkpoints from DeepMind's format to ours and back."""

from pathlib import Path
from typing import Annotated

import typer

from data.moments import write_moments
from forecast_cli.forecast import with_statistics
from forecast_cli.provenance import file_sha256
from forecast_cli.terminal import console, size
from graphcast.checkpoints import checkpoint_format, read_checkpoint
from graphcast.model import parameter_count


def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Checkpoint to read.")],
    target: Annotated[
        Path, typer.Argument(metavar="DST", help="Checkpoint to write: .safetensors or .npz.")
    ],
    statistics: Annotated[
        Path | None,
        typer.Option(help="Folder of statistics to put into the new checkpoint."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace DST.")] = False,
) -> None:
    """Convert a checkpoint; the ends of the names say from what to what.

    DeepMind's format (.npz) has no place for statistics: they are written beside it, as DeepMind's
    three files, into a folder named DST.statistics.

    Example:
        graphcast convert GraphCast_small.npz small.safetensors --statistics stats/
    """
    to = checkpoint_format(target)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; choose another name or give --overwrite")
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
