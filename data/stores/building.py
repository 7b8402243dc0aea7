"""A store under construction: a folder that gets its name when all of it is there.

Every folder that the project writes is made by a `Building`: forecasts, datasets, planets, scores,
statistics and training runs. A single file needs only `data.stores.files.written_whole`.

A store `f.zarr` is built in `f.zarr.partial/` beside it:

    store/      what will be `f.zarr`
    journal     a line of JSON (kind, fingerprint, notes), then one line for each committed key
    lock        locked by the process that builds; the system unlocks it when that process ends
    result      what is made of `store/` and will be `f.zarr` (or `f.nc`) in its place: `finish_as`
    replaced    the earlier `f.zarr`, for a moment, where two names cannot be exchanged at once

**Killed at any moment.** A key is committed once its files are on the disk, so what the journal
names is whole. `finish` first notes in the journal the inode of `store/`, then renames it to the
target. If a store of that name is there, the two names are exchanged in one step: readers find the
earlier store or the new one, whole. By the inode a later run knows whether the renaming was done,
and goes on from either side of it; the last thing removed is the journal. Where the file system
cannot exchange names (`files.exchange`), the earlier store is moved aside and the new one moved in:
between the two renames nothing has the name, and the next run with any arguments completes the
exchange before it does anything else.
"""

import contextlib
import json
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import IO, Any

from data.stores.files import exchange, flush, remove, remove_torn, written_aside
from data.stores.kind import WORDS, StoreKind
from data.stores.partial import Interrupted, inode_of, interrupted, noted_inode, partial_path
from data.stores.targets import (
    local_path,
    locked,
    of_another_version,
    refuse_another_kind,
    refuse_existing,
)

_OURS = frozenset({"store", "result", "journal", "lock", "replaced"})  # names in a partial folder


class Building:
    """A store being built by this process: write into `folder`, `commit` each part, `finish`.

    As a context manager it releases the lock on exit. Committed parts stay for the next run; if
    there are none, the partial folder is removed.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "scores"
    >>> with Building.open(target, "scores", "SHA-256 of what they are made from") as building:
    ...     _ = (building.folder / "june").write_text("0.7")
    ...     building.commit("june")  # killed here, or any moment later
    >>> target.exists()
    False
    >>> with Building.open(target, "scores", "SHA-256 of what they are made from") as building:
    ...     if "june" not in building.done:
    ...         raise AssertionError("what is committed is not made again")
    ...     _ = (building.folder / "july").write_text("0.6")
    ...     _ = building.finish()
    >>> sorted(file.name for file in target.iterdir())
    ['july', 'june']
    >>> [path.name for path in target.parent.iterdir()]
    ['scores']
    """

    def __init__(
        self, target: Path, kind: StoreKind, lock: IO[bytes], kept: Collection[str]
    ) -> None:
        self.target = target
        self.kind: StoreKind = kind
        self._partial = partial_path(target)
        self._lock = lock
        self._kept = frozenset(kept)
        self._replace = False
        self._mend()
        left = interrupted(target)
        self.interrupted = left
        self.named = left is not None and left.named
        self.done: frozenset[str] = left.done if left else frozenset()

    @classmethod
    def open(
        cls,
        target: str | os.PathLike[str],
        kind: StoreKind,
        fingerprint: str,
        *,
        overwrite: bool = False,
        grows: bool = False,
        lay_out: Callable[[Path], None] | None = None,
        kept: Collection[str] = (),
    ) -> "Building":
        """Resume the interrupted store of this fingerprint, or begin a new one.

        Args:
            target: where the store will stand; a local path.
            kind: what kind of store it is; only one of this kind is ever replaced.
            fingerprint: text (SHA-256) of what decides the bytes.
            overwrite: replace the store of that name once the new one is complete, and discard the
                interrupted one of another fingerprint.
            grows: replace the store of that name, all of which is in the new one.
            lay_out: fills the new, empty folder before the first key.
            kept: names of files in the partial folder that are worth keeping even if nothing is
                committed (`beside`).

        Raises:
            FileExistsError: the target exists and `overwrite` is not given; it is not a store of
                this kind; the interrupted store has another fingerprint; another process is
                building it.
            OSError: the place cannot be written.
            ValueError: the target is not a local path.
        """
        target = local_path(target, kind)
        if not (overwrite or grows) and not partial_path(target).exists():
            refuse_existing(target, kind)
        building = cls.claim(target, kind, kept=kept)
        try:
            building._resume_or_begin(fingerprint, overwrite, grows, lay_out)
        except BaseException:
            building.close()
            raise
        return building

    @classmethod
    def claim(
        cls, target: str | os.PathLike[str], kind: StoreKind, *, kept: Collection[str] = ()
    ) -> "Building":
        """Lock a target for this process; for stores with their own rules of resumption.

        Arguments and errors are those of `open`. `interrupted` then has the state that an earlier
        run left; the caller begins anew (`begin`) or goes on from it (`resume`, `keep_only`).
        """
        target = local_path(target, kind)
        refuse_another_kind(target, kind)
        return cls(target, kind, locked(target, kind, {*_OURS, *kept}), kept)

    @property
    def folder(self) -> Path:
        """The folder of the store's files: `target` once the store has its name."""
        return self.target if self.named else self._partial / "store"

    def beside(self, name: str) -> Path:
        """The path of a helper file in the partial folder, one of the names in `kept`."""
        return self._partial / name

    def begin(
        self,
        fingerprint: str,
        *,
        notes: Mapping[str, Any] | None = None,
        lay_out: Callable[[Path], None] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Begin from nothing. The journal comes last: where there is one, the layout is whole."""
        self._replace = overwrite
        for name in ("journal", "store", "result", "replaced"):
            remove(self._partial / name)
        self.named = False
        self.folder.mkdir()
        if lay_out is not None:
            lay_out(self.folder)
        self._start_journal(fingerprint, notes or {}, frozenset())

    def resume(self, *, overwrite: bool = False) -> None:
        """Go on from the committed keys; `overwrite` lets `finish` replace the target."""
        self._replace = overwrite

    def keep_only(self, done: Collection[str], notes: Mapping[str, Any]) -> None:
        """Begin the journal anew with these notes and, of the committed keys, only `done`."""
        assert self.interrupted is not None
        self._start_journal(self.interrupted.fingerprint, notes, frozenset(done))

    def commit(self, key: str) -> None:
        """Note in the journal that all files of `key` (one line of text) are on the disk."""
        with (self._partial / "journal").open("ab") as journal:
            journal.write(f"{key}\n".encode())
            journal.flush()
            os.fsync(journal.fileno())
        self.done |= {key}

    def finish(self) -> Path:
        """Give the complete store its name, remove the partial folder and release the lock.

        Raises:
            FileExistsError: the target appeared meanwhile, and `overwrite` was not given.
        """
        self.give_name()
        self.close()
        return self.target

    def finish_as(self, make: Callable[[Path, Path], None]) -> Path:
        """Give the name to what is made of the complete store, a file or a folder, and finish.

        Killed while it is made, or while it gets its name, the next run makes it anew.

        Args:
            make: writes the result; called with the store's folder and the path of the result.

        Raises:
            FileExistsError: as `finish`.
        """
        if not self.named:
            result = self._partial / "result"
            if left := self.interrupted:  # the inode of an earlier result is no sign of this one
                self.keep_only(self.done, left.notes)
            remove(result)
            make(self.folder, result)
            self.give_name(result)
        self.close()
        return self.target

    def give_name(self, result: Path | None = None) -> None:
        """Give the store (or the result made of it) its name, and keep the lock."""
        if self.named:
            return
        result = result or self.folder
        remove_torn(result)
        if self.target.exists() and not self._replace:
            raise FileExistsError(
                f"{self.target} appeared while the {WORDS[self.kind].noun} was made, which is kept"
                f" in {self.folder}: move one of them, and run again"
            )
        for path in (result, *(p for p in result.rglob("*") if p.is_dir())):
            flush(path)
        self._note(json.dumps({"inode": result.stat().st_ino}))
        self._rename(result)
        flush(self.target.parent)
        self.named = True

    def dissolve(self) -> None:
        """Remove the partial folder, whose files are moved or worth nothing, and release the lock.

        Helper files go first, then the journal, and the lock last.
        """
        last = {"journal": 1, "lock": 2}
        for path in sorted(self._partial.iterdir(), key=lambda p: last.get(p.name, 0)):
            remove(path)
        with contextlib.suppress(OSError):  # another process may be waiting in it
            self._partial.rmdir()
        self._lock.close()

    def close(self) -> None:
        """Release the lock; committed keys and kept files stay for the next run."""
        if self._lock.closed:
            return
        if self.named or not (self.done or self._has_kept()):
            self.dissolve()
        self._lock.close()

    def __enter__(self) -> "Building":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _resume_or_begin(
        self,
        fingerprint: str,
        overwrite: bool,
        grows: bool,
        lay_out: Callable[[Path], None] | None,
    ) -> None:
        left = self.interrupted
        same = left is not None and (left.kind, left.fingerprint) == (self.kind, fingerprint)
        if self.named and same:
            return
        if not overwrite:
            if not grows:
                refuse_existing(self.target, self.kind)
            self.refuse_other(fingerprint)
        if same and not self.named:
            self.resume(overwrite=overwrite or grows)
        else:
            self.begin(fingerprint, lay_out=lay_out, overwrite=overwrite or grows)

    def refuse_other(self, fingerprint: str) -> None:
        """Refuse to discard an interrupted store of another fingerprint that is worth keeping.

        Raises:
            FileExistsError: something of it is committed or kept.
        """
        left = self.interrupted
        if left is None or self.named or not (left.done or self._has_kept()):
            return
        words = WORDS[self.kind]
        if left.kind != self.kind:
            raise of_another_version(self.target, self.kind)
        if left.fingerprint != fingerprint:
            raise FileExistsError(
                f"{self._partial} holds an interrupted {words.noun} with {words.differs}; run it"
                " with the same ones, choose another output, or overwrite it"
                " (`overwrite`)"
            )

    def _has_kept(self) -> bool:
        places = [self._partial / name for name in self._kept]
        return any(p.is_file() or (p.is_dir() and any(p.iterdir())) for p in places)

    def _start_journal(
        self, fingerprint: str, notes: Mapping[str, Any], done: frozenset[str]
    ) -> None:
        head = {"kind": self.kind, "fingerprint": fingerprint, "notes": notes}
        with written_aside(self._partial / "journal") as path:
            path.write_text("".join(f"{line}\n" for line in (json.dumps(head), *sorted(done))))
        self.interrupted = Interrupted(self.kind, fingerprint, notes, done, named=False)
        self.done = done

    def _note(self, line: str) -> None:
        done = self.done
        self.commit(line)
        self.done = done

    def _rename(self, result: Path) -> None:
        if self.target.is_file() and result.is_file():
            result.replace(self.target)
        elif not self.target.exists() or not exchange(result, self.target):
            replaced = self._partial / "replaced"
            remove(replaced)
            if self.target.exists():
                self.target.rename(replaced)
            result.rename(self.target)

    def _mend(self) -> None:
        """Complete an exchange that was cut off between two renames; cut off a torn last line."""
        store, result, replaced = (self._partial / n for n in ("store", "result", "replaced"))
        if replaced.exists() and not self.target.exists():
            noted = noted_inode(self._partial)
            new = [path for path in (result, store) if noted == inode_of(path)]
            [*new, replaced][0].rename(self.target)
        journal = self._partial / "journal"
        if journal.is_file():
            content = journal.read_bytes()
            if not content.endswith(b"\n"):
                os.truncate(journal, content.rfind(b"\n") + 1)
