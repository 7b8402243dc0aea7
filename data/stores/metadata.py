"""The metadata of our Zarr stores on the disk: consolidated, in one order, changed whole.

Format 3 keeps the attributes of an array in its `zarr.json`, and consolidated metadata in that of
the root; format 2 in `.zattrs` and `.zmetadata`. Readers that find consolidated metadata need one
file, so it is replaced after the files of the arrays.
"""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zarr
from zarr.abc.store import Store

from data.stores.files import written_aside

ROOT = ""  # the name of the root group, beside those of arrays


def consolidate(store: Store) -> None:
    """Gather the metadata of a store at its root, as xarray does where it writes one."""
    with warnings.catch_warnings():
        # zarr warns that format 3 does not define it yet. Readers that do not know it ignore it;
        # others need one request in place of one for each array.
        warnings.filterwarnings("ignore", "Consolidated metadata is currently not part")
        zarr.consolidate_metadata(store)


def put_in_order(folder: Path) -> None:
    """Sort the consolidated metadata: zarr lists arrays in the file system's order."""
    for name in (".zmetadata", "zarr.json"):
        if (folder / name).is_file():
            _write(folder / name, _read(folder / name))


def add_attributes(folder: Path, added: Mapping[str, Mapping[str, Any]]) -> None:
    """Add attributes to arrays by their names, and to the root by `ROOT`; others stay.

    Each file is replaced whole, and the one that readers look at comes last.
    """
    if (folder / "zarr.json").is_file():
        _add_in_format_3(folder, added)
    else:
        _add_in_format_2(folder, added)


def set_length(folder: Path, names: tuple[str, ...], length: int) -> None:
    """Set the length of the first dimension of arrays of format 3; no chunk is touched."""
    root = _read(folder / "zarr.json")
    for name in names:
        entry = _read(folder / name / "zarr.json")
        entry["shape"][0] = length
        _write(folder / name / "zarr.json", entry)
        root["consolidated_metadata"]["metadata"][name]["shape"][0] = length
    _write(folder / "zarr.json", root)


def _add_in_format_3(folder: Path, added: Mapping[str, Mapping[str, Any]]) -> None:
    root = _read(folder / "zarr.json")
    gathered = (root.get("consolidated_metadata") or {}).get("metadata", {})
    for name, attributes in added.items():
        if name == ROOT:
            root["attributes"] |= attributes
            continue
        entry = _read(folder / name / "zarr.json")
        entry["attributes"] |= attributes
        _write(folder / name / "zarr.json", entry)
        if name in gathered:
            gathered[name]["attributes"] |= attributes
    _write(folder / "zarr.json", root)


def _add_in_format_2(folder: Path, added: Mapping[str, Mapping[str, Any]]) -> None:
    gathered = _read(folder / ".zmetadata")
    for name, attributes in added.items():
        place = f"{name}/.zattrs".lstrip("/")
        gathered["metadata"][place] |= attributes
        if name != ROOT:
            _write(folder / place, {**_read(folder / place), **attributes})
    _write(folder / ".zmetadata", gathered)
    if ROOT in added:  # `kind.zarr_attributes` reads this one
        _write(folder / ".zattrs", {**_read(folder / ".zattrs"), **added[ROOT]})


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with written_aside(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True))
