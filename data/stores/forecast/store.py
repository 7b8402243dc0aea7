"""The forecast store: WeatherBench 2's forecast layout as a CF-conforming Zarr.

Dimensions `time` (the initial time), `number` (members, only where there are several),
`prediction_timedelta`, `level`, `latitude`, `longitude`; names and units from `data.variables`.
It opens with nothing but `xr.open_zarr(path)`.

A `Building` keeps it whole: a cell (initial time, member, lead time) is one chunk per variable, and
is committed once its chunks are on the disk. A run that was killed resumes after the last committed
cell, and the bytes are those of an uninterrupted run.
"""

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from data.stores.building import Building
from data.stores.cf import chunk_key
from data.stores.files import check_space, flush, share
from data.stores.forecast.clipping import Clipping
from data.stores.forecast.form import WHOLE, Form
from data.stores.forecast.header import COORDINATE_FIELDS, LAYOUT, Cell, ForecastHeader
from data.stores.forecast.layout import lay_out
from data.stores.kind import ATTRIBUTE, label, zarr_attributes
from data.stores.metadata import ROOT, add_attributes
from data.stores.partial import interrupted, interrupted_folder
from data.stores.targets import of_another_version

WRITERS = 4  # variables compressed at once; each takes about three times its size in memory


class ForecastStore:
    """A forecast being written: `open_or_create` it, `write` each cell, `finish`.

    One process writes at a time. As a context manager it releases the store on exit. Committed
    cells stay for the next run; if there are none, nothing is left behind.
    """

    def __init__(self, building: Building, header: ForecastHeader, form: Form = WHOLE) -> None:
        self.path = building.target
        self._make = form.maker(building.target)
        self.header = header
        self._building = building
        group = zarr.open_group(building.folder, mode="r+", use_consolidated=False)
        self._arrays: dict[str, Any] = {name: group[name] for name in header.variables}
        self._clipping = Clipping(building.folder, header)

    @classmethod
    def open_or_create(
        cls,
        path: str | os.PathLike[str],
        header: ForecastHeader,
        form: Form = WHOLE,
        *,
        overwrite: bool = False,
        grows: bool = False,
    ) -> "ForecastStore":
        """Resume the interrupted store of the same fingerprint, or begin one.

        Args:
            path: where the forecast will stand; a local path. Its ending decides the format.
            header: what the forecast is of.
            form: which part of the complete store is written there, and what is said with it.
            overwrite: replace the forecast of that name once the new one is complete.
            grows: the same, where that forecast is the beginning of this one.

        Raises:
            FileExistsError: see `Building.open`.
            OSError: the place cannot be written, or is too small for the missing cells.
        """
        form.check(header, Path(path))
        if not overwrite:
            _refuse_another_layout(Path(path))
        building = Building.open(
            path,
            "forecast",
            header.fingerprint,
            overwrite=overwrite,
            grows=grows,
            lay_out=lambda folder: lay_out(folder, header),
        )
        try:
            if building.named and form.maker(building.target) is not None:
                building.close()  # an earlier run was killed when only clearing up was left
                return cls.open_or_create(path, header, form, overwrite=overwrite, grows=grows)
            store = cls(building, header, form)
            check_space(
                store.path,
                header.cell_bytes * len(store.missing),
                "the forecast may need",  # its size before compression, which is not known yet
                "ask for fewer lead times",
            )
        except BaseException:
            building.close()
            raise
        return store

    @property
    def working_path(self) -> Path:
        """The Zarr as it is, with NaN in missing cells; it is at `path` once it is complete."""
        return self._building.folder

    @property
    def missing(self) -> tuple[Cell, ...]:
        """Cells not committed yet, lead time fastest."""
        return tuple(cell for cell in self.header.cells if _key(cell) not in self._building.done)

    def committed_leads(self, *, init: int = 0, member: int = 0) -> tuple[int, ...]:
        """Positions of the lead times already written, ascending."""
        done = self._building.done
        leads = range(len(self.header.leads))
        return tuple(lead for lead in leads if _key(Cell(init, member, lead)) in done)

    def write(
        self, lead: int, fields: Mapping[str, Any] | xr.Dataset, *, init: int = 0, member: int = 0
    ) -> None:
        """Write and commit one cell: all variables at `leads[lead]`.

        Args:
            lead: position of the lead time in the header.
            fields: arrays [(level,) latitude, longitude] in the header's order, or DataArrays,
                whose further dimensions have length 1; stored as float32.
            init: position of the initial time.
            member: position of the member.

        Raises:
            ValueError: variables, shapes or coordinates are not the header's; a value is not
                finite; the cell lies outside the header.
        """
        cell = Cell(init, member, lead)
        if cell not in self.header.cells:
            raise ValueError(
                f"{cell} lies outside this forecast store: {self.header.cells[-1]} ends it"
            )
        arrays = self._clipping.clipped(cell, _checked(self.header, fields, cell))

        def write_variable(name: str) -> None:
            self._arrays[name][self._index(cell)] = arrays[name]
            flush(self.working_path / name / self._chunk(cell, name))

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write_variable, arrays))
        self._building.commit(_key(cell))
        self._clipping.forget(cell)

    def take(self, source: Path, cells: Mapping[Cell, Cell]) -> None:
        """Take cells from a finished store of the same variables, grid and members.

        Their bytes are shared with it where the file system can do that.

        Args:
            source: the finished store.
            cells: cell of this store → cell of that one.
        """
        for cell, theirs in cells.items():
            for name in self.header.variables:
                chunk = self.working_path / name / self._chunk(cell, name)
                share(source / name / self._chunk(theirs, name), chunk)
            self._clipping.take(source, cell, theirs)
            self._building.commit(_key(cell))

    def read(self, lead: int, *, init: int = 0, member: int = 0) -> xr.Dataset:
        """One committed cell, bit for bit as it was given to `write`, with values below zero.

        Dimensions are (level, latitude, longitude).

        Raises:
            ValueError: the cell is not committed, some of its chunks are lost, or it is not one of
                the last lead times and had values below zero.
        """
        cell = Cell(init, member, lead)
        if _key(cell) not in self._building.done:
            raise ValueError(
                f"{cell} of {self.path} is not written yet; nothing can be read from it"
            )
        values = {name: array[self._index(cell)] for name, array in self._arrays.items()}
        lost = [name for name, array in values.items() if not np.isfinite(array).all()]
        if lost:  # only finite values are ever written
            raise ValueError(
                f"{cell} of {self.path} has lost chunks of {', '.join(lost)}; begin the forecast"
                " anew (`overwrite`)"
            )
        return self.header.cell(self._clipping.restored(cell, values))

    @property
    def provenance(self) -> str:
        """JSON of what the forecast is made from: the header's, until `record` replaces it."""
        return str(zarr_attributes(self.working_path).get("provenance", "{}"))

    def record(self, provenance: str) -> None:
        """Replace the attribute `provenance`; the fingerprint stays."""
        add_attributes(self.working_path, {ROOT: {"provenance": provenance}})

    def finish(self) -> Path:
        """Give the complete store, or what is made of it, its name, and release it.

        Raises:
            ValueError: cells are missing.
            FileExistsError: the target appeared meanwhile.
        """
        if self.missing:
            raise ValueError(
                f"{len(self.missing)} of {len(self.header.cells)} cells of {self.path} are not "
                f"written yet, the first is {self.missing[0]}; write them before finishing"
            )
        if not self._building.named:
            add_attributes(self.working_path, self._clipping.finished())
        if self._make is not None:
            return self._building.finish_as(self._make)
        return self._building.finish()

    def close(self) -> None:
        """Release the store; committed cells stay for the next run."""
        self._building.close()

    def __enter__(self) -> "ForecastStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _index(self, cell: Cell) -> tuple[int, ...]:
        return (cell.init, *(cell.member,) * bool(self.header.members), cell.lead)

    def _chunk(self, cell: Cell, name: str) -> str:
        tail = (0,) * len(self.header.field_dims(name))
        return chunk_key((*self._index(cell), *tail), self.header.zarr_format)


def _refuse_another_layout(path: Path) -> None:
    left, folder = interrupted(path), interrupted_folder(path)
    if folder is not None and left is not None and left.done:
        layout = zarr_attributes(folder).get(ATTRIBUTE)
        if layout != label("forecast", LAYOUT)[ATTRIBUTE]:
            raise of_another_version(path.absolute(), "forecast")


def discard_interrupted(path: str | os.PathLike[str]) -> None:
    """Remove the interrupted forecast of this name."""
    with Building.claim(path, "forecast") as building:
        if building.interrupted is not None:
            building.keep_only((), {})  # a building without committed keys is removed on closing


def interrupted_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The provenance of the interrupted forecast of this name; empty where there is none."""
    folder = interrupted_folder(path)
    if folder is None:
        return {}
    provenance: dict[str, Any] = json.loads(zarr_attributes(folder).get("provenance", "{}"))
    return provenance


def _key(cell: Cell) -> str:
    return f"{cell.init} {cell.member} {cell.lead}"


def _checked(
    header: ForecastHeader, fields: Mapping[str, Any] | xr.Dataset, cell: Cell
) -> dict[str, np.ndarray]:
    """The fields as float32 arrays in the header's order; ValueError if they do not fit it."""
    names = set(fields.data_vars if isinstance(fields, xr.Dataset) else fields)
    missing, unknown = set(header.variables) - names, names - set(header.variables)
    if missing or unknown:
        raise ValueError(
            "a forecast cell holds exactly the variables of the header; missing are "
            f"{sorted(missing)}, not in the header {sorted(map(str, unknown))}"
        )
    arrays = {name: _values(header, name, fields[name]) for name in header.variables}
    bad = [name for name, values in arrays.items() if not np.isfinite(values).all()]
    if bad:
        hours = header.leads[cell.lead] // np.timedelta64(1, "h")
        raise ValueError(
            f"the forecast at +{hours} h has values that are not finite in {', '.join(bad)}; "
            "nothing of this lead time was written"
        )
    return arrays


def _values(header: ForecastHeader, name: str, field: Any) -> np.ndarray:
    if isinstance(field, xr.DataArray):
        dims = header.field_dims(name)
        field = field.squeeze([dim for dim in field.dims if dim not in dims]).transpose(*dims)
        for dim in set(dims) & set(field.coords):
            came, rule = field[dim].values, getattr(header, COORDINATE_FIELDS[dim])
            if not np.array_equal(came, rule):
                raise ValueError(
                    f"{name} must be on the {dim} of the forecast store, {len(rule)} values from "
                    f"{rule[0]} to {rule[-1]}, got {len(came)} from {came[0]} to {came[-1]}"
                )
    values = np.asarray(field, np.float32)
    if values.shape != header.field_shape(name):
        raise ValueError(
            f"{name} must have the shape {header.field_shape(name)} of {header.field_dims(name)} "
            f"in this forecast store, got {values.shape}"
        )
    return values
