"""A store under construction: a folder that gets its name when all of it is there.

`Building` is under every folder of ours: forecasts, datasets, planets, scores, statistics and
training runs. A single file needs only `data.stores.files.written_whole`.

A store `f.zarr` is built in `f.zarr.partial/` beside it:

    store/      what will be `f.zarr`
    journal     a line of JSON (kind, fingerprint, notes), then one line for each committed key
    lock        locked by the process that builds; the system unlocks it when that process ends
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
from data.stores.targets import local_path, locked, refuse_another_kind, refuse_existing

_OURS = frozenset({"store", "journal", "lock", "replaced"})  # names in a partial folder


class Building:
    """A store being built by this process: write into `folder`, `commit` each part, `finish`.

    As a context manager it lets go on leaving and keeps what is committed; where nothing is, it
    leaves nothing behind.

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
        found = interrupted(target)
        self.interrupted = found
        self.named = found is not None and found.named
        self.done: frozenset[str] = found.done if found else frozenset()

    @classmethod
    def open(
        cls,
        target: str | os.PathLike[str],
        kind: StoreKind,
        fingerprint: str,
        *,
        overwrite: bool = False,
        lay_out: Callable[[Path], None] | None = None,
        kept: Collection[str] = (),
    ) -> "Building":
        """Go on with the interrupted store of this fingerprint, or begin one.

        Args:
            target: where the store will stand; a local path.
            kind: what kind of store it is; only one of this kind is ever replaced.
            fingerprint: text (SHA-256) of what decides the bytes.
            overwrite: replace the store of that name once the new one is complete, and discard the
                interrupted one of another fingerprint.
            lay_out: fills the new, empty folder with what is there before the first key.
            kept: names, in the partial folder, of what is worth keeping although nothing is
                committed (`beside`).

        Raises:
            FileExistsError: the target is there and `overwrite` is not given; it is something else
                than a store of this kind; the interrupted store has another fingerprint; another
                process is building it.
            OSError: the place cannot be written.
            ValueError: the target is no local path.
        """
        target = local_path(target, kind)
        if not overwrite and not partial_path(target).exists():
            refuse_existing(target, kind)
        building = cls.claim(target, kind, kept=kept)
        try:
            building._resume_or_begin(fingerprint, overwrite, lay_out)
        except BaseException:
            building.close()
            raise
        return building

    @classmethod
    def claim(
        cls, target: str | os.PathLike[str], kind: StoreKind, *, kept: Collection[str] = ()
    ) -> "Building":
        """Lock a target for this process, for stores with rules of their own; see `open`.

        `interrupted` then says what an earlier run left; `begin` or `keep_only` decide about it.
        """
        target = local_path(target, kind)
        refuse_another_kind(target, kind)
        return cls(target, kind, locked(target, kind, {*_OURS, *kept}), kept)

    @property
    def folder(self) -> Path:
        """Where the store's files are now; `target` once it has its name."""
        return self.target if self.named else self._partial / "store"

    def beside(self, name: str) -> Path:
        """A path in the partial folder for what helps to build; `kept` has named it."""
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
        for name in ("journal", "store", "replaced"):
            remove(self._partial / name)
        self.named = False
        self.folder.mkdir()
        if lay_out is not None:
            lay_out(self.folder)
        self._startjournal_lines(fingerprint, notes or {}, frozenset())

    def resume(self, *, overwrite: bool = False) -> None:
        """Go on with what is there; `overwrite` lets `finish` replace the target."""
        self._replace = overwrite

    def keep_only(self, done: Collection[str], notes: Mapping[str, Any]) -> None:
        """Note other `notes` in the journal, and of the committed keys only these."""
        assert self.interrupted is not None
        self._startjournal_lines(self.interrupted.fingerprint, notes, frozenset(done))

    def commit(self, key: str) -> None:
        """Note that everything of `key` (one line of text) is on the disk."""
        with (self._partial / "journal").open("ab") as journal:
            journal.write(f"{key}\n".encode())
            journal.flush()
            os.fsync(journal.fileno())
        self.done |= {key}

    def finish(self) -> Path:
        """Give the complete store its name, remove what helped to build it, and let go.

        Raises:
            FileExistsError: the target appeared meanwhile, and `overwrite` was not given.
        """
        self.give_name()
        self.close()
        return self.target

    def give_name(self) -> None:
        """Give the store its name, without letting go."""
        if self.named:
            return
        remove_torn(self.folder)
        if self.target.exists() and not self._replace:
            raise FileExistsError(
                f"{self.target} appeared while the {WORDS[self.kind].noun} was made, which is kept"
                f" in {self.folder}: move one of them, and run again"
            )
        for folder in (self.folder, *(p for p in self.folder.rglob("*") if p.is_dir())):
            flush(folder)
        self._note(json.dumps({"inode": self.folder.stat().st_ino}))
        self._rename()
        flush(self.target.parent)
        self.named = True

    def dissolve(self) -> None:
        """Remove the partial folder and let go: its files are elsewhere, or worth nothing.

        The journal goes after what helped to build, and the lock last.
        """
        last = {"journal": 1, "lock": 2}
        for path in sorted(self._partial.iterdir(), key=lambda p: last.get(p.name, 0)):
            remove(path)
        with contextlib.suppress(OSError):  # another process may be waiting in it
            self._partial.rmdir()
        self._lock.close()

    def close(self) -> None:
        """Let go of the store; what is committed or kept stays for the next run."""
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
        self, fingerprint: str, overwrite: bool, lay_out: Callable[[Path], None] | None
    ) -> None:
        found = self.interrupted
        same = found is not None and (found.kind, found.fingerprint) == (self.kind, fingerprint)
        if self.named and same:
            return
        if not overwrite:
            refuse_existing(self.target, self.kind)
            self.refuse_other(fingerprint)
        if same and not self.named:
            self.resume(overwrite=overwrite)
        else:
            self.begin(fingerprint, lay_out=lay_out, overwrite=overwrite)

    def refuse_other(self, fingerprint: str) -> None:
        """FileExistsError where the interrupted store is worth keeping, and another one."""
        found = self.interrupted
        if found is None or self.named or not (found.done or self._has_kept()):
            return
        words = WORDS[self.kind]
        if found.kind != self.kind:
            raise FileExistsError(
                f"{self._partial} holds an interrupted {words.noun} that another version of"
                " graphcast began; finish it with that version, choose another output, or overwrite"
                " it (--overwrite)"
            )
        if found.fingerprint != fingerprint:
            raise FileExistsError(
                f"{self._partial} holds an interrupted {words.noun} with {words.differs}; run it"
                " with the same ones, choose another output, or overwrite it (--overwrite)"
            )

    def _has_kept(self) -> bool:
        places = [self._partial / name for name in self._kept]
        return any(p.is_file() or (p.is_dir() and any(p.iterdir())) for p in places)

    def _startjournal_lines(
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

    def _rename(self) -> None:
        if not self.target.exists() or not exchange(self.folder, self.target):
            replaced = self._partial / "replaced"
            remove(replaced)
            if self.target.exists():
                self.target.rename(replaced)
            self.folder.rename(self.target)

    def _mend(self) -> None:
        """Complete an exchange that was cut off between two renames; cut off a torn last line."""
        store, replaced = self._partial / "store", self._partial / "replaced"
        if replaced.exists() and not self.target.exists():
            is_new = noted_inode(self._partial) == inode_of(store)
            (store if is_new else replaced).rename(self.target)
        journal = self._partial / "journal"
        if journal.is_file():
            content = journal.read_bytes()
            if not content.endswith(b"\n"):
                os.truncate(journal, content.rfind(b"\n") + 1)
