"""Files that appear whole or not at all, and folders that one process builds at a time."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    A crash or an exception leaves an existing `path` as it was. The bytes are on disk before the
    name is.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def claimed(partial: Path, *, parts: set[str], target: Path, what: str) -> IO[bytes]:
    """Make the folder in which `target` is built and lock it for this process until it ends.

    `parts` are the names that such a folder may hold; hidden files are left alone. Raises
    FileExistsError where it holds others or where another process is at it, OSError where it cannot
    be made.
    """
    if partial.exists():
        names = {path.name for path in partial.iterdir() if not path.name.startswith(".")}
        if strangers := names - parts:
            raise FileExistsError(
                f"{partial} is needed to build the {what} but holds {sorted(strangers)}, which are "
                "not ours; choose another output or move them away"
            )
    try:
        partial.mkdir(parents=True, exist_ok=True)
        lock = (partial / "lock").open("wb")
    except OSError as error:
        raise OSError(
            f"cannot write the {what} to {target}: {error.strerror} ({error.filename}); choose an "
            "output that can be written"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise FileExistsError(
            f"another process is writing {target}; wait for it or choose another output"
        ) from error
    return lock


def clear(partial: Path) -> None:
    """Remove such a folder, its journal when nothing else is left that would need it."""
    for path in sorted(partial.iterdir(), key=lambda p: p.name == "journal"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    partial.rmdir()


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that holds nothing, such as one whose `clear` was killed at its end."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
