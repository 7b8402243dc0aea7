"""ZIP archives of weather files, as the Climate Data Store sends what comes in several streams."""

import shutil
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

from data.sources.files.formats import SUFFIXES

_START = b"PK\x03\x04"


def is_archive(path: Path) -> bool:
    """Whether a path is a ZIP archive, by its first bytes."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == _START


def files_of(archive: Path) -> list[Path]:
    """The GRIB and netCDF files of an archive, unpacked into a folder that ends with the process.

    Raises:
        ValueError: the archive is damaged, locked, holds no such file, or is larger than the disk.
    """
    state = archive.stat()
    folder = _unpacked(archive.absolute(), state.st_mtime_ns, state.st_size)
    return sorted(Path(folder.name).iterdir())


@lru_cache(maxsize=16)
def _unpacked(archive: Path, _changed: int, _size: int) -> "tempfile.TemporaryDirectory[str]":
    folder = tempfile.TemporaryDirectory(prefix="graphcast-")
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if m.filename.casefold().endswith(SUFFIXES)]
            if not members:
                raise ValueError(
                    f"an archive holds GRIB or netCDF files, and {archive} has none of"
                    f" {', '.join(SUFFIXES)}; unpack it and look"
                )
            needed = sum(member.file_size for member in members)
            if needed > shutil.disk_usage(folder.name).free:
                raise ValueError(
                    f"the files of an archive are unpacked into {tempfile.gettempdir()}, and those"
                    f" of {archive} have {needed:,} bytes, more than is free there; unpack it"
                    " elsewhere"
                )
            for number, member in enumerate(members):
                name = Path(member.filename).name
                taken = (Path(folder.name) / name).exists()
                target = Path(folder.name) / (f"{number}-{name}" if taken else name)
                with opened.open(member) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        folder.cleanup()
        raise ValueError(
            f"a ZIP archive must be whole and not locked, and {archive} cannot be unpacked"
            f" ({error}); fetch it again"
        ) from error
    except BaseException:
        folder.cleanup()
        raise
    return folder
