"""Values below zero of quantities that have none: cut off in the store, kept for the next step.

A network predicts some rain and humidity below zero. Whoever reads the forecast gets 0 there; the
model goes on from what it predicted. What was cut off is therefore kept beside the fields, in files
that no reader of Zarr looks at: of each cell until the steps that need it are done, and of the last
two lead times for good, so that a finished forecast can go on, too. How much was cut off is
counted cell by cell, and stands in the attributes of a finished forecast.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data.stores.files import flush, share, written_aside
from data.stores.forecast.header import Cell, ForecastHeader

FOLDER = ".below_zero"  # inside the store
KEPT = 2  # lead times: a step starts from two frames
_COUNTS = "counts"  # lines of JSON: a cell, then count, sum and minimum for each variable


class Clipping:
    """What was cut off from the cells of one store; `folder` is the store's."""

    def __init__(self, folder: Path, header: ForecastHeader) -> None:
        self._folder = folder / FOLDER
        self._header = header
        self._names = header.nonnegative
        if self._names:
            self._folder.mkdir(exist_ok=True)
            _cut_torn_line(self._folder / _COUNTS)

    def clipped(self, cell: Cell, fields: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The fields without values below zero; what is cut off is on the disk."""
        if not self._names:
            return dict(fields)
        cut, counts = {}, {}
        result = dict(fields)
        for name in self._names:
            values = fields[name]
            below = np.flatnonzero(values < 0)
            negative = values.ravel()[below]
            cut[f"{name}/index"], cut[f"{name}/value"] = below, negative
            lowest = float(negative.min()) if below.size else 0.0
            counts[name] = [int(below.size), float(negative.sum(dtype=np.float64)), lowest]
            result[name] = np.where(values < 0, np.float32(0), values)
        with written_aside(self._file(cell)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **cut)
        self._append(cell, counts)
        flush(self._folder)
        return result

    def restored(self, cell: Cell, fields: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The fields as they were predicted, bit for bit.

        Raises:
            ValueError: what was cut off from this cell is not kept any more.
        """
        result = dict(fields)
        if not self._names:
            return result
        if not self._file(cell).is_file():
            raise ValueError(
                f"the forecast goes on from values as they were predicted, and {self._file(cell)},"
                " which has those below zero, is not there; begin the forecast anew (`overwrite`)"
            )
        with np.load(self._file(cell), allow_pickle=False) as cut:
            for name in self._names:
                values = np.array(fields[name])
                values.ravel()[cut[f"{name}/index"]] = cut[f"{name}/value"]
                result[name] = values
        return result

    def take(self, source: Path, cell: Cell, theirs: Cell) -> None:
        """Take over what was cut off from a cell of a finished store, as far as it is kept."""
        if not self._names:
            return
        other = Clipping(source, self._header)
        self._append(cell, other._counted()[theirs])
        if other._file(theirs).is_file():
            share(other._file(theirs), self._file(cell))
        flush(self._folder)

    def forget(self, cell: Cell) -> None:
        """Remove what was cut off from the cell that a step after `cell` needs no more.

        One more than `KEPT` stays: of several windows side by side, one may be a step ahead.
        """
        earlier = cell._replace(lead=cell.lead - KEPT - 1)
        if self._names and earlier.lead >= 0:
            self._file(earlier).unlink(missing_ok=True)

    def finished(self) -> dict[str, dict[str, Any]]:
        """Attributes for each variable that say how much was cut off; what nobody needs goes."""
        if not self._names:
            return {}
        counts = self._counted()
        with written_aside(self._folder / _COUNTS) as temporary:
            temporary.write_text("".join(_line(cell, counts[cell]) for cell in sorted(counts)))
        last = {cell.lead for cell in self._header.cells[-KEPT:]}
        kept = {self._file(cell).name for cell in self._header.cells if cell.lead in last}
        for path in self._folder.glob("*.npz"):
            if path.name not in kept:
                path.unlink()
        flush(self._folder)
        ordered = [counts[cell] for cell in sorted(counts)]
        return {name: self._attributes(name, [c[name] for c in ordered]) for name in self._names}

    def _append(self, cell: Cell, counts: Mapping[str, Any]) -> None:
        with (self._folder / _COUNTS).open("ab") as lines:
            lines.write(_line(cell, counts).encode())
            lines.flush()
            os.fsync(lines.fileno())

    def _attributes(self, name: str, cells: list[list[Any]]) -> dict[str, Any]:
        size = len(cells) * int(np.prod(self._header.field_shape(name)))
        return {
            "clipped_fraction": sum(count for count, _, _ in cells) / size,
            "clipped_mean": sum(total for _, total, _ in cells) / size,
            "clipped_minimum": min(lowest for _, _, lowest in cells),
        }

    def _counted(self) -> dict[Cell, dict[str, list[Any]]]:
        """The counts of every cell; of a cell that was written twice, the last."""
        lines = map(json.loads, (self._folder / _COUNTS).read_text().splitlines())
        return {Cell(*cell): counts for cell, counts in lines}

    def _file(self, cell: Cell) -> Path:
        return self._folder / f"{'.'.join(map(str, cell))}.npz"


def _line(cell: Cell, counts: Mapping[str, Any]) -> str:
    return f"{json.dumps([list(cell), counts])}\n"


def _cut_torn_line(path: Path) -> None:
    """Cut off a last line that a killed process did not end."""
    if path.is_file() and not (content := path.read_bytes()).endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)
