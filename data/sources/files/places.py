"""The files that a person names: paths, folders, patterns (`era5/*.grib`) and URLs."""

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from data.sources.files import zarr
from data.sources.files.archive import files_of, is_archive
from data.sources.files.formats import SUFFIXES

Place: TypeAlias = str | Path
Places: TypeAlias = Place | Iterable[Place]


def files_named(places: Places) -> tuple[str, ...]:
    """Every file, Zarr store and URL that some places stand for, each once.

    A folder or a ZIP archive stands for the GRIB, netCDF and Zarr files in it, by the ends of their
    names; a pattern for what matches it, in the order of the names.

    Raises:
        FileNotFoundError: there is nothing at a place, or nothing matches a pattern.
        ValueError: a folder holds no such file, or no place is named.
    """
    names = [places] if isinstance(places, str | Path) else list(places)
    files = tuple(dict.fromkeys(file for name in names for file in _files(str(name))))
    if not files:
        raise ValueError("at least one input file must be named, and none is")
    return files


def files_in(folder: Path) -> list[Path]:
    """The files and Zarr stores in a folder, or in a ZIP archive, by the ends of their names.

    Raises:
        ValueError: there are none.
    """
    if is_archive(folder):
        return files_of(folder)
    inside = sorted(p for p in folder.iterdir() if p.suffix.casefold() in SUFFIXES)
    if not inside:
        raise ValueError(
            f"a folder is a Zarr store, or holds GRIB, netCDF or Zarr files by the ends of their"
            f" names, and {folder} is no store and has none of {', '.join(SUFFIXES)}"
        )
    return inside


def _files(name: str) -> list[str]:
    path = Path(name)
    if is_archive(path):
        return [str(file) for file in files_of(path)]
    if "://" in name or path.is_file() or zarr.is_store(path):
        return [name]
    if path.is_dir():
        return [str(file) for file in files_in(path)]
    if glob.has_magic(name):
        # Path.glob takes no pattern that begins at the root
        found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207
        if not found:
            raise FileNotFoundError(f"an input file must exist, and none matches {name}")
        return [file for match in found for file in _files(match)]
    raise FileNotFoundError(f"an input file must exist, and there is none at {name}")
