"""The forecast store of several processes: they agree on one forecast, and process 0 writes it.

The other hosts need not see process 0's disk: it tells them what is written already.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from data.stores.forecast.form import WHOLE, Form
from data.stores.forecast.header import Cell, ForecastHeader
from data.stores.forecast.store import (
    ForecastStore,
    discard_interrupted,
    interrupted_provenance,
)
from data.stores.partial import interrupted, partial_path
from graphcast.machine.hosts import exchange, from_first, is_first, process_count
from graphcast.operations.manifests import differences


def check_same(header: ForecastHeader, **flags: str | bool) -> None:
    """Refuse processes that were started to make different forecasts.

    Processes that went different ways would wait for each other in different collectives.

    Args:
        header: what is forecast.
        flags: what else decides which way a process goes.

    Raises:
        ValueError: names the first process that differs, and in which parts of the manifest.
    """
    about = json.loads(header.provenance)
    about["flags"] |= flags
    about["fingerprint"] = header.fingerprint
    first, *others = (json.loads(text) for text in exchange(json.dumps(about)))
    for process, other in enumerate(others, start=1):
        differing = [key for key in first if first[key] != other.get(key)]
        if differing:
            named = [key for key in differing if key != "fingerprint"]
            raise ValueError(
                "all processes make one forecast, and process 0 and process "
                f"{process} differ in their {', '.join(named) or 'grid or times'}; start both "
                "with the same files, flags and packages"
            )


def check_same_values(hashes: list[str]) -> None:
    """Refuse processes that have read different values.

    Args:
        hashes: SHA-256 of each window that this process has read.

    Raises:
        ValueError: names the first process that differs.
    """
    first, *others = exchange(" ".join(hashes))
    for process, other in enumerate(others, start=1):
        if other != first:
            raise ValueError(
                "all processes make one forecast, and process 0 and process "
                f"{process} have read different values from their inputs; give both the same files"
            )


class SharedStore:
    """A collective view of process 0's forecast store: every process must make every call."""

    def __init__(self, header: ForecastHeader, store: ForecastStore | None) -> None:
        missing = set() if store is None else set(store.missing)
        flags = "".join("01"[cell in missing] for cell in header.cells)
        flags = exchange(flags)[0]
        self.header = header
        self.provenance = exchange("" if store is None else store.provenance)[0]
        self._store = store
        self._missing = {c for c, flag in zip(header.cells, flags, strict=True) if flag == "1"}

    @property
    def missing(self) -> tuple[Cell, ...]:
        """Cells that are not committed yet, lead time fastest."""
        return tuple(cell for cell in self.header.cells if cell in self._missing)

    def committed_leads(self, *, init: int = 0, member: int = 0) -> tuple[int, ...]:
        """Positions of the lead times that are written, ascending."""
        leads = range(len(self.header.leads))
        return tuple(lead for lead in leads if Cell(init, member, lead) not in self._missing)

    def read(self, lead: int, *, init: int = 0, member: int = 0) -> xr.Dataset:
        """One committed cell, bit for bit, on every process."""
        names = self.header.variables
        if self._store is None:
            arrays = {n: np.zeros(self.header.field_shape(n), np.float32) for n in names}
        else:
            cell = self._store.read(lead, init=init, member=member)
            arrays = {n: cell[n].values for n in names}
        exchange()  # raises everywhere if process 0 could not read
        return self.header.cell({name: from_first(values) for name, values in arrays.items()})

    def record(self, provenance: str) -> None:
        """Replace the store's attribute `provenance`."""
        if self._store is not None:
            self._store.record(provenance)
        self.provenance = provenance

    def take(self, source: Path, cells: Mapping[Cell, Cell]) -> None:
        """Take cells from a finished forecast; see `ForecastStore.take`."""
        if self._store is not None:
            self._store.take(source, cells)
        exchange()  # raises everywhere if process 0 could not
        self._missing -= set(cells)

    def write(self, lead: int, fields: xr.Dataset, *, init: int = 0, member: int = 0) -> None:
        """Write and commit one cell; the others learn of an error at their next `exchange`."""
        if self._store is not None:
            self._store.write(lead, fields, init=init, member=member)
        self._missing.discard(Cell(init, member, lead))

    def finish(self) -> None:
        """Give the complete store its final name."""
        if self._store is not None:
            self._store.finish()
        exchange()


@contextmanager
def opened(
    output: Path,
    header: ForecastHeader,
    form: Form = WHOLE,
    *,
    overwrite: bool,
    grows: bool = False,
    anew: bool = False,
) -> Iterator[ForecastStore | SharedStore]:
    """The forecast store on every process: resumed, or new.

    Args:
        output: where the store will stand, on process 0.
        header: what is forecast.
        form: what the complete store becomes.
        overwrite: replace a store of that name.
        grows: the store of that name is the beginning of this one, which may take its place.
        anew: discard what an interrupted run left, even if it can be resumed.

    Raises:
        FileExistsError: the name is taken, or what was interrupted is another forecast.
        OSError: the place cannot be written.
    """
    if not is_first():
        yield SharedStore(header, None)
        return
    if anew:
        discard_interrupted(output)
    if not overwrite:
        _refuse_other(output, header)
    with ForecastStore.open_or_create(
        output, header, form, overwrite=overwrite, grows=grows
    ) as store:
        yield SharedStore(header, store) if process_count() > 1 else store


def _refuse_other(output: Path, header: ForecastHeader) -> None:
    """Refuse an interrupted forecast of something else, and say what differs."""
    left = interrupted(output)
    if left is None or left.named or not left.done or left.fingerprint == header.fingerprint:
        return
    manifest = interrupted_provenance(output)
    if left.kind == "forecast" and manifest:
        raise FileExistsError(
            f"{partial_path(output)} holds an interrupted forecast with"
            f" {differences(manifest, json.loads(header.provenance))}; run it with the same"
            " settings, choose another output, or overwrite it (`overwrite`)"
        )
