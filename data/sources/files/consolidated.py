"""Consolidated metadata that are older than their arrays.

A store that has grown, and was not consolidated again, still says its earlier shapes in one place.
Whoever believes that place loses the times that were added, without a word.
"""

import json
import os
from pathlib import Path
from typing import Any


def stale_arrays(folder: str | os.PathLike[str]) -> dict[str, tuple[list[int], list[int]]]:
    """Arrays of a local store whose own metadata say another shape than the consolidated ones.

    Returns:
        Name → the consolidated shape and the array's own; empty for a store that is not
        consolidated.
    """
    root = Path(folder)
    stale = {}
    for name, consolidated in _consolidated_shapes(root).items():
        own = _shape(_read(root / name / ".zarray") or _read(root / name / "zarr.json"))
        if own is not None and own != consolidated:
            stale[name] = (consolidated, own)
    return stale


def _consolidated_shapes(root: Path) -> dict[str, list[int]]:
    """Array → shape, as `.zmetadata` (format 2) or the group's `zarr.json` (format 3) say."""
    second = (_read(root / ".zmetadata") or {}).get("metadata")
    if isinstance(second, dict):
        shapes = {k[: -len("/.zarray")]: _shape(v) for k, v in second.items() if "/.zarray" in k}
    else:
        third = (_read(root / "zarr.json") or {}).get("consolidated_metadata")
        members = third.get("metadata") if isinstance(third, dict) else None
        shapes = {k: _shape(v) for k, v in members.items()} if isinstance(members, dict) else {}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _shape(metadata: Any) -> list[int] | None:
    shape = metadata.get("shape") if isinstance(metadata, dict) else None
    return shape if isinstance(shape, list) else None


def _read(path: Path) -> dict[str, Any] | None:
    """A JSON object; None where there is none, which the reader of the store says better."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
