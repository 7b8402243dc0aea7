"""One forecast of several processes: the same for all, and written by process 0 alone.

The other hosts may not even see its disk: they are told what is there already.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from data.stores.forecast.header import Cell, ForecastHeader
from data.stores.forecast.store import ForecastStore
from graphcast.machine.hosts import exchange, from_first, is_first, process_count


def check_same(header: ForecastHeader) -> None:
    """Refuse processes that were started to make different forecasts."""
    about = json.loads(header.provenance) | {"fingerprint": header.fingerprint}
    first, *others = (json.loads(text) for text in exchange(json.dumps(about)))
    for process, other in enumerate(others, start=1):
        if other["fingerprint"] != first["fingerprint"]:
            *differing, _ = (key for key in first if first[key] != other.get(key))
            raise ValueError(
                "all processes make one forecast, and process 0 and process "
                f"{process} differ in their {', '.join(differing) or 'grid or times'}; start both "
                "with the same files, flags and packages"
            )


class SharedStore:
    """Process 0's forecast store, as every process has it: what one calls, all call."""

    def __init__(self, header: ForecastHeader, store: ForecastStore | None) -> None:
        missing = set() if store is None else set(store.missing)
        here = "".join("01"[cell in missing] for cell in header.cells)
        told = exchange(here)[0]
        self.header = header
        self._store = store
        self._missing = {cell for cell, flag in zip(header.cells, told, strict=True) if flag == "1"}

    @property
    def missing(self) -> tuple[Cell, ...]:
        """Cells not committed yet, lead time fastest."""
        return tuple(cell for cell in self.header.cells if cell in self._missing)

    def committed_leads(self, *, init: int = 0, member: int = 0) -> tuple[int, ...]:
        """Positions of the lead times already written, ascending."""
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
        exchange()  # reading may have failed
        return self.header.cell({name: from_first(values) for name, values in arrays.items()})

    def write(self, lead: int, fields: xr.Dataset, *, init: int = 0, member: int = 0) -> None:
        """Write and commit one cell; the others learn of an error when they next exchange."""
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
    output: Path, header: ForecastHeader, *, overwrite: bool
) -> Iterator[ForecastStore | SharedStore]:
    """The forecast store, to go on with or new: `ForecastStore.open_or_create` for all."""
    if not is_first():
        yield SharedStore(header, None)
        return
    with ForecastStore.open_or_create(output, header, overwrite=overwrite) as store:
        yield SharedStore(header, store) if process_count() > 1 else store
