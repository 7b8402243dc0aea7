"""Checkpoints: files of weights.

Read `checkpoint` first (`Checkpoint`, the contents). `native` (.safetensors, the project's own
format) and `deepmind` (.npz, DeepMind's) read and write it. `tensors` is the safetensors file that
`native` and training states share. A new format is a module and an entry in `FORMATS`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from graphcast.checkpoints.checkpoint import Checkpoint
from graphcast.checkpoints.deepmind import read_deepmind, write_deepmind
from graphcast.checkpoints.native import read_native, write_native


class Format(NamedTuple):
    """How one kind of checkpoint file is read and written."""

    read: Callable[[Path], Checkpoint]
    write: Callable[[Checkpoint, Path], None]


FORMATS = {
    ".safetensors": Format(read_native, write_native),
    ".npz": Format(read_deepmind, write_deepmind),
}


def checkpoint_format(path: Path) -> Format:
    """The format that a checkpoint's suffix names.

    Raises:
        ValueError: no format has this suffix.
    """
    if path.suffix not in FORMATS:
        raise ValueError(
            f"a checkpoint's name ends in {' or '.join(FORMATS)} "
            f"(ours, or DeepMind's), but this one is {path.name}"
        )
    return FORMATS[path.suffix]


def read_checkpoint(path: str | Path) -> Checkpoint:
    """The checkpoint in `path`, in any of `FORMATS`.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: `path` is a folder.
        ValueError: the file is damaged, or no checkpoint.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no checkpoint at {path}")
    if path.is_dir():
        raise IsADirectoryError(f"a checkpoint is one file, and {path} is a folder; name the file")
    return checkpoint_format(path).read(path)


def write_checkpoint(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write `checkpoint` in the format that the suffix of `path` names; it replaces a file there.

    Raises:
        ValueError: no format has this suffix, or the format cannot hold the checkpoint.
    """
    checkpoint_format(Path(path)).write(checkpoint, Path(path))


__all__ = ["FORMATS", "Checkpoint", "checkpoint_format", "read_checkpoint", "write_checkpoint"]
