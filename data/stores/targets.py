"""Targets of stores: which may be written, and the lock of the process that writes one."""

import fcntl
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import IO

from data.stores.endings import check_store_ending
from data.stores.kind import WORDS, StoreKind, kind_of
from data.stores.partial import inode_of, partial_path


def local_path(target: str | os.PathLike[str], kind: StoreKind) -> Path:
    """The absolute path of a target.

    Raises:
        ValueError: it is a URL, which cannot be renamed; or its ending is that of something else.
    """
    if re.match(r"\w[\w+.-]+:/", os.fspath(target)):  # a Path has only one of the slashes left
        raise ValueError(
            f"{WORDS[kind].with_article} is written to a local path, got {target}; copy it there"
            " later"
        )
    check_store_ending(Path(target), kind)
    return Path(target).absolute()


def refuse_another_kind(target: Path, kind: StoreKind) -> None:
    """Refuse a target that exists and is not a store of this kind.

    Raises:
        FileExistsError: it is something else.
    """
    if target.exists() and kind_of(target) != kind and not _is_forecast_file(target, kind):
        raise FileExistsError(
            f"{target} is there and is not {WORDS[kind].with_article}, so it will not be replaced;"
            " choose another output or remove it yourself"
        )


def _is_forecast_file(target: Path, kind: StoreKind) -> bool:
    """Whether a forecast may take the place of a GRIB file, which has no attribute for its kind."""
    if kind != "forecast" or not target.is_file():
        return False
    with target.open("rb") as file:
        return file.read(4) == b"GRIB"


def of_another_version(target: Path, kind: StoreKind) -> FileExistsError:
    """The error where an interrupted store of another layout is worth keeping."""
    return FileExistsError(
        f"{partial_path(target)} holds an interrupted {WORDS[kind].noun} that another version of"
        " graphcast began; finish it with that version, choose another output, or overwrite it"
        " (`overwrite`)"
    )


def refuse_existing(target: Path, kind: StoreKind) -> None:
    """Refuse a target that exists.

    Raises:
        FileExistsError: there is a store of this kind, or something else.
    """
    refuse_another_kind(target, kind)
    if target.exists():
        raise FileExistsError(
            f"{target} is there already; choose another output or replace it (`overwrite`)"
        )


def locked(target: Path, kind: StoreKind, parts: Collection[str]) -> IO[bytes]:
    """The lock of the partial folder, which is made where it does not exist."""
    noun, partial = WORDS[kind].noun, partial_path(target)
    while True:
        _refuse_strangers(partial, parts, noun)
        try:
            partial.mkdir(parents=True, exist_ok=True)
            lock = (partial / "lock").open("wb")
        except OSError as error:
            if isinstance(error, FileNotFoundError) and error.filename == str(partial / "lock"):
                continue  # the process that had it was done, and removed the folder
            raise OSError(
                f"cannot write the {noun} to {target}: {error.strerror} ({error.filename}); choose"
                " an output that can be written"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise FileExistsError(
                f"another process is writing {target}; wait for it or choose another output"
            ) from error
        if inode_of(partial / "lock") == os.fstat(lock.fileno()).st_ino:
            return lock
        lock.close()  # likewise: what is locked now has no name any more


def _refuse_strangers(partial: Path, parts: Collection[str], noun: str) -> None:
    if not partial.is_dir():
        return
    names = {path.name for path in partial.iterdir() if not path.name.startswith(".")}
    if strangers := names - set(parts):
        raise FileExistsError(
            f"{partial} is needed to build the {noun} but holds {sorted(strangers)}, which are not"
            " ours; choose another output or move them away"
        )
