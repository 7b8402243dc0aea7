"""The weights of a forecast: a checkpoint with its statistics, and the digest that names them."""

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from data.channels import Channels
from data.doctor import Finding
from data.moments import read_moments, to_arrays
from graphcast.checkpoints import Checkpoint, read_checkpoint
from graphcast.normaliser import normaliser
from graphcast.operations.provenance import file_sha256
from graphcast.operations.run import Digest
from mesh.grid import LatLonGrid

# Relative difference of grid spacings that is reported: Gaussian rows and rounded descriptions
# differ by less.
OTHER_RESOLUTION = 0.1


class Weights(NamedTuple):
    """A checkpoint that has statistics, and what identifies it in a manifest."""

    checkpoint: Checkpoint
    digest: Digest


def open_weights(checkpoint: Path, statistics: Path | None = None) -> Weights:
    """Read a checkpoint, and the statistics that it needs.

    Args:
        checkpoint: a .safetensors file, or DeepMind's .npz.
        statistics: a folder with mean_by_level.nc, stddev_by_level.nc and diffs_stddev_by_level.nc;
            None if the checkpoint carries its own.

    Raises:
        ValueError: a file cannot be read, or statistics are missing, lack something that the task
            needs, or contradict those in the checkpoint.
    """
    read = with_statistics(read_checkpoint(checkpoint), statistics)
    files = [] if statistics is None else sorted(statistics.glob("*_by_level.nc"))
    hashes = {file.name: file_sha256(file) for file in files}
    digest = Digest(file_sha256(checkpoint), read.description, read.license, hashes)
    return Weights(read, digest)


def with_statistics(checkpoint: Checkpoint, folder: Path | None) -> Checkpoint:
    """The checkpoint with its own statistics, or else those in the folder; see `open_weights`."""
    if folder is None:
        if checkpoint.moments is None:
            raise ValueError(
                "this checkpoint carries no normalisation statistics; give `statistics` a folder "
                "with mean_by_level.nc, stddev_by_level.nc and diffs_stddev_by_level.nc"
            )
        return checkpoint
    moments = read_moments(folder)
    normaliser(Channels(checkpoint.task), moments)  # raises if the task needs more than they have
    if checkpoint.moments is not None:
        inside, outside = to_arrays(checkpoint.moments), to_arrays(moments)
        if inside.keys() != outside.keys() or any((inside[k] != outside[k]).any() for k in inside):
            raise ValueError(
                f"the checkpoint carries its own statistics, and those in {folder} are others; "
                "leave `statistics` out"
            )
    return checkpoint.with_moments(moments)


def resolution_finding(checkpoint: Checkpoint, grid: LatLonGrid) -> Finding | None:
    """A warning if the weights were trained at another grid spacing than `grid` has."""
    trained_at = checkpoint.spec.resolution
    spacings = [
        max(abs(after - before) for before, after in pairwise(axis))
        for axis in (grid.latitude, grid.longitude)
    ]
    if not trained_at or any(abs(x / trained_at - 1) <= OTHER_RESOLUTION for x in spacings):
        return None
    latitude, longitude = spacings
    return Finding(
        "resolution",
        "warning",
        f"the weights were made for a grid of {trained_at:g}°, and the inputs are on one of "
        f"{latitude:g}° × {longitude:g}°, where nobody has tried them",
        "regrid the inputs, or choose weights for their resolution",
    )
