"""A finished forecast under the name of a new one: the same, the beginning of it, or another.

The same forecast is left as it is. A forecast that goes further, or has more init times, takes over
what is there, and ends in the bytes of one that was made at once. Any other is refused, and the
sentence names what differs.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from data.stores.forecast.header import Cell, ForecastHeader
from data.stores.kind import kind_of, zarr_attributes
from data.wording import hour
from graphcast.machine.hosts import exchange, is_first
from graphcast.operations.manifests import differences
from graphcast.operations.provenance import window_sha256
from graphcast.operations.run import Run
from graphcast.operations.turns import Turn, position


class ChangedInputsError(FileExistsError):
    """A forecast, finished or interrupted, started from other values than the inputs have now."""


class Finished(NamedTuple):
    """A finished forecast of this version.

    Attributes:
        path: its store, on process 0.
        run: what it is a forecast of.
        manifest: the attribute `provenance`.
        fingerprint: of its header.
    """

    path: Path
    run: Run
    manifest: Mapping[str, Any]
    fingerprint: str

    def begins(self, run: Run) -> bool:
        """Whether `run` has all of it, and more lead times or init times."""
        return (
            replace(self.run, steps=run.steps, init_times=run.init_times) == run
            and set(self.run.init_times) <= set(run.init_times)
            and self.run.steps <= run.steps
            and self.run != run
        )

    def refuse(self, wanted: Mapping[str, Any]) -> None:
        """Refuse to write another forecast under its name.

        Raises:
            FileExistsError: names what differs from the manifest `wanted`.
        """
        raise FileExistsError(
            f"{self.path} is there already, made with {differences(self.manifest, wanted)}; choose"
            " another output or replace it (`overwrite`)"
        )

    def cells_of(self, turn: Turn, header: ForecastHeader) -> dict[Cell, Cell]:
        """Cells of the turn in a store with this header → the finished cell with the same labels.

        Raises:
            ChangedInputsError: they started from other values.
        """
        cells: dict[Cell, Cell] = {}
        for place, window in zip(turn.places, turn.windows, strict=True):
            init_time = header.init_times[place[0]]
            if init_time not in self.run.init_times:
                continue
            theirs = (self.run.init_times.index(init_time), place[1])
            number = position(header, theirs)
            record = self.manifest["inputs"][number]
            if window_sha256(window, init_time + self.run.leads[-1]) != record["sha256"]:
                raise ChangedInputsError(
                    f"{self.path} started from other values: those for {hour(init_time)} have"
                    " changed since; choose another output or replace it (`overwrite`)"
                )
            cells |= {Cell(*place, lead): Cell(*theirs, lead) for lead in range(self.run.steps)}
        return cells


def finished(output: Path) -> Finished | None:
    """The finished forecast of this name on process 0, told to every process; None without one.

    Raises:
        FileExistsError: another version made it.
    """
    attributes: dict[str, Any] = {}
    if is_first() and kind_of(output) == "forecast":
        attributes = zarr_attributes(output)
    attributes = json.loads(exchange(json.dumps(attributes))[0])
    if not attributes:
        return None
    try:
        text = attributes["provenance"]
        manifest = json.loads(text)
        return Finished(output, Run.from_json(text), manifest, str(attributes["fingerprint"]))
    except (KeyError, ValueError) as error:
        raise FileExistsError(
            f"{output} is there already, made by another version of graphcast or another program;"
            " choose another output or replace it (`overwrite`)"
        ) from error
