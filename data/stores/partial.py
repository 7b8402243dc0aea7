"""The partial folder beside a target: where it is, and what an interrupted run left in it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Interrupted(NamedTuple):
    """The state that an interrupted run left on the disk.

    Attributes:
        kind: the kind of store; None if an earlier version of graphcast began it, which cannot be
            resumed.
        fingerprint: text (SHA-256) of what decides the bytes.
        notes: notes that its maker left at the beginning.
        done: committed keys.
        named: whether its store has the target's name already, and only clearing up is left.
    """

    kind: str | None
    fingerprint: str
    notes: Mapping[str, Any]
    done: frozenset[str]
    named: bool


def partial_path(target: Path) -> Path:
    """The folder beside a target in which its store is built."""
    return target.with_name(target.name + ".partial")


def interrupted(target: str | os.PathLike[str]) -> Interrupted | None:
    """The state that an interrupted run left beside a target; None if it cannot be resumed."""
    target = Path(target).absolute()
    partial = partial_path(target)
    lines = journal_lines(partial)
    if not lines:
        return None
    inode = noted_inode(partial)
    named = inode is not None and inode == inode_of(target)
    places = [inode_of(partial / name) for name in ("store", "result")]
    building = inode is None or inode in places
    if not named and not ((partial / "store").is_dir() and building):
        return None  # copied elsewhere while it got its name: nothing says which store is new
    done = frozenset(line for line in lines[1:] if not line.startswith('{"inode"'))
    try:
        head = json.loads(lines[0])
        return Interrupted(head["kind"], head["fingerprint"], head["notes"], done, named)
    except (ValueError, KeyError, TypeError):
        return Interrupted(None, "", {}, done, named=False)


def interrupted_folder(target: str | os.PathLike[str]) -> Path | None:
    """The folder of an interrupted store; None if there is none, or it has its name already."""
    left = interrupted(target)
    if left is None or left.named:
        return None
    return partial_path(Path(target).absolute()) / "store"


def journal_lines(partial: Path) -> list[str]:
    """The lines of a journal; a last one without its end was never committed."""
    try:
        whole = (partial / "journal").read_bytes().rpartition(b"\n")[0]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return whole.decode().split("\n") if whole else []


def noted_inode(partial: Path) -> int | None:
    """The inode of the store that was given its name, or was about to be."""
    for line in reversed(journal_lines(partial)):
        if line.startswith('{"inode"'):
            return int(json.loads(line)["inode"])
    return None


def inode_of(path: Path) -> int | None:
    """The inode that has a name now; None where nothing has it."""
    try:
        return path.stat().st_ino
    except (FileNotFoundError, NotADirectoryError):
        return None
