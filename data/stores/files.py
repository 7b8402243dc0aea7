"""Files that appear whole or not at all, and the exchange of one folder for another."""

import ctypes
import errno
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_AT_FDCWD = -100  # paths are relative to the working folder (Linux: fcntl.h)
_RENAME_EXCHANGE = 2  # Linux: linux/fs.h
_NO_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}  # kernel or file system cannot do it


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    A crash or an exception leaves an existing `path` as it was. The bytes are on the disk before
    the name is, and the file's mode follows the umask, whichever library wrote it. Temporary files
    that an earlier process left when it was killed while writing this file are removed.

    Raises:
        FileNotFoundError: the folder of `path` does not exist.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "report.html"
    >>> with written_whole(path) as temporary:
    ...     _ = temporary.write_text("<html></html>")
    >>> [file.name for file in path.parent.iterdir()]
    ['report.html']
    """
    if path.parent.is_dir():
        for abandoned in path.parent.glob(f".{_escaped(path.name)}.*.tmp"):
            if _is_abandoned(abandoned):
                abandoned.unlink(missing_ok=True)
    with written_aside(path) as temporary:
        yield temporary


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """`written_whole` for one of very many files of a store: it does not look for abandoned ones.

    The store removes them (`remove_torn`): listing a folder of 100,000 chunks for each chunk would
    take longer than writing it.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}")
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    try:
        # Made here, so that it has the umask's mode: some libraries make files for the owner alone.
        with temporary.open("wb") as file:
            mode = os.fstat(file.fileno()).st_mode
        yield temporary
        with temporary.open("rb+") as file:
            os.fchmod(file.fileno(), mode & 0o777)
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_torn(folder: Path) -> None:
    """Remove the temporary files that killed writers left in a store: ours, and zarr's."""
    for pattern in (".*.tmp", "*.partial"):
        for path in folder.rglob(pattern):
            if path.is_file():
                path.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Flush a written file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def share(source: Path, target: Path) -> None:
    """Give the bytes of a finished file a second name, or copy them where no link can be made.

    Only for files that are never written in place.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        with written_aside(target) as temporary:
            shutil.copyfile(source, temporary)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with its contents, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names on one file system in a single step; False where that cannot be done.

    Linux can (renameat2 with RENAME_EXCHANGE, on ext4, xfs, btrfs, tmpfs and others); network file
    systems and other systems often cannot.
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):  # no Linux, or a libc before 2018
        return False
    names = os.fsencode(one), os.fsencode(other)
    if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(other))


def check_space(target: Path, needed: int, sentence: str, remedy: str) -> None:
    """Refuse to begin what cannot fit beside `target`.

    Args:
        target: the store or file to be written.
        needed: bytes.
        sentence: beginning of the error, as "the forecast may need".
        remedy: end of the error, as "ask for fewer lead times".

    Raises:
        OSError: the disk has fewer bytes free.
    """
    place = next(parent for parent in target.parents if parent.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OSError(
            f"{sentence} {needed / 1e9:.1f} GB but {place} has {free / 1e9:.1f} GB free; make room,"
            f" choose another output, or {remedy}"
        )


def _escaped(name: str) -> str:
    """A name as a pattern that matches itself alone."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _is_abandoned(temporary: Path) -> bool:
    """Whether the process of this machine that was writing a temporary file has ended."""
    host, _, process = temporary.name.removesuffix(".tmp").rpartition(".")
    if not process.isdecimal() or not host.endswith(f".{socket.gethostname()}"):
        return False  # another machine's, which may still be writing
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's process, alive
    return False
