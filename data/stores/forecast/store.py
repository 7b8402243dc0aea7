"""The forecast store: WeatherBench 2's forecast layout as a CF-conforming Zarr.

Dimensions `time` (the initial time), `number` (members, only where there are several),
`prediction_timedelta`, `level`, `latitude`, `longitude`; names and units from `data.variables`.
It opens with nothing but `xr.open_zarr(path)`.

**Killed at any moment.** A forecast is built in `<name>.partial/` beside its target: the Zarr in
`store/`, and a `journal` with one line per committed cell. A cell (initial time, member, lead
time) is one chunk per variable; its line is appended once its chunks are on the disk. `finish`
renames `store/` to the target, so a store under its final name is complete. Running again goes on
after the last committed cell, and the bytes are those of an uninterrupted run; where only the
journal was left to remove, it removes that.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
import xarray as xr
import zarr

from data.stores.files import claimed, clear, remove_if_empty, written_whole
from data.stores.forecast.header import COORDINATE_FIELDS, Cell, ForecastHeader
from data.stores.forecast.layout import lay_out

WRITERS = 4  # variables compressed at once; each takes about three times its size in memory

_PARTS = {"store", "journal", "journal.new", "lock", "replaced"}  # of a partial store


class ForecastStore:
    """A forecast being written; `create` or `open_or_create` it, `write` each cell, `finish`.

    One process writes at a time. As a context manager it lets go of the partial store on leaving
    and keeps what is committed; where nothing is, an error leaves nothing behind.
    """

    def __init__(self, path: Path, header: ForecastHeader, lock: IO[bytes], replace: bool) -> None:
        self.path = path
        self.header = header
        self._replace = replace
        self._partial = _partial(path)
        self._lock = lock
        group = zarr.open_group(self.working_path, mode="r+", use_consolidated=False)
        self._arrays: dict[str, Any] = {name: group[name] for name in header.variables}
        self._committed = _committed(self._partial / "journal")

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], header: ForecastHeader, *, overwrite: bool = False
    ) -> "ForecastStore":
        """Start a store from nothing; with `overwrite` a partial of the same name is discarded.

        Raises:
            FileExistsError: the target or its partial is there and `overwrite` is not given, or the
                target is something else than a forecast store.
            OSError: the place cannot be written, or is too small for all of the forecast.
        """
        target = _target(path, overwrite)
        if not overwrite and _interrupted(target) is not None:
            raise FileExistsError(
                f"{_partial(target)} holds an interrupted forecast; resume it, choose another "
                "output, or overwrite it (--overwrite)"
            )
        new = not _partial(target).exists()
        lock = _claimed(target)
        try:
            _check_space(target, header.cell_bytes * len(header.cells))
        except OSError:
            lock.close()
            if new:
                shutil.rmtree(_partial(target))
            raise
        lay_out(_partial(target), header)
        return cls(target, header, lock, overwrite)

    @classmethod
    def open_or_create(
        cls, path: str | os.PathLike[str], header: ForecastHeader, *, overwrite: bool = False
    ) -> "ForecastStore":
        """Go on with the interrupted store of the same fingerprint, or start one.

        Raises:
            FileExistsError: the target is there and `overwrite` is not given, is something else
                than a forecast store, or the partial belongs to another forecast.
            OSError: the place cannot be written, or is too small for what is still to come.
        """
        if _has_its_name(Path(path).absolute(), header):
            target = Path(path).absolute()
            return cls(target, header, _claimed(target), overwrite)
        target = _target(path, overwrite)
        found = _interrupted(target)
        if found not in (None, header.fingerprint) and not overwrite:
            raise FileExistsError(
                f"{_partial(target)} holds an interrupted forecast with other inputs, weights or "
                "settings; run it with the same ones, choose another output, or overwrite it "
                "(--overwrite)"
            )
        if found != header.fingerprint:
            return cls.create(target, header, overwrite=overwrite)
        store = cls(target, header, _claimed(target), overwrite)
        _check_space(target, header.cell_bytes * len(store.missing))
        return store

    @property
    def working_path(self) -> Path:
        """The Zarr under construction; it opens like the final one, NaN where nothing is yet.

        Once it has its name, that.
        """
        building = self._partial / "store"
        return building if building.is_dir() else self.path

    @property
    def missing(self) -> tuple[Cell, ...]:
        """Cells not committed yet, lead time fastest."""
        return tuple(cell for cell in self.header.cells if cell not in self._committed)

    def committed_leads(self, *, init: int = 0, member: int = 0) -> tuple[int, ...]:
        """Positions of the lead times already written, ascending."""
        leads = [c.lead for c in self._committed if (c.init, c.member) == (init, member)]
        return tuple(sorted(leads))

    def write(
        self, lead: int, fields: Mapping[str, Any] | xr.Dataset, *, init: int = 0, member: int = 0
    ) -> None:
        """Write and commit one cell: all variables at `leads[lead]`.

        `fields` holds (level, latitude, longitude) or (latitude, longitude) arrays in the header's
        order, or DataArrays, whose further dimensions have length 1. Kept as float32.

        Raises:
            ValueError: variables, shapes or coordinates that are not the header's; a value that is
                not finite; a cell outside the header.
        """
        cell = Cell(init, member, lead)
        if cell not in self.header.cells:
            raise ValueError(
                f"{cell} lies outside this forecast store: {self.header.cells[-1]} ends it"
            )
        arrays = _checked(self.header, fields, cell)

        def write_variable(name: str) -> None:
            self._arrays[name][self._index(cell)] = arrays[name]
            _flush(self.working_path / name / self._chunk(cell, name))

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write_variable, arrays))
        with (self._partial / "journal").open("ab") as journal:
            journal.write(f"{init} {member} {lead}\n".encode())
            journal.flush()
            os.fsync(journal.fileno())
        self._committed |= {cell}

    def read(self, lead: int, *, init: int = 0, member: int = 0) -> xr.Dataset:
        """One committed cell, bit for bit as written; dims (level, latitude, longitude).

        Raises:
            ValueError: the cell is not committed.
        """
        cell = Cell(init, member, lead)
        if cell not in self._committed:
            raise ValueError(
                f"{cell} of {self.path} is not written yet; nothing can be read from it"
            )
        values = {name: array[self._index(cell)] for name, array in self._arrays.items()}
        return self.header.cell(values)

    @property
    def provenance(self) -> str:
        """JSON of what the forecast is made from: the header's, until `record` replaces it."""
        attrs = json.loads((self.working_path / ".zattrs").read_text())
        return str(attrs.get("provenance", "{}"))

    def record(self, provenance: str) -> None:
        """Replace the attribute `provenance` by what is known now; the fingerprint stays."""
        for name in (".zmetadata", ".zattrs"):  # the one that is read comes last
            path = self.working_path / name
            content = json.loads(path.read_text())
            attrs = content["metadata"][".zattrs"] if name == ".zmetadata" else content
            attrs["provenance"] = provenance
            with written_whole(path) as temporary:
                # Consolidated metadata is sorted where it is laid out, and here.
                ordered = json.dumps(content, indent=1, sort_keys=name == ".zmetadata")
                temporary.write_text(ordered)

    def finish(self) -> Path:
        """Give the complete store its final name, and remove what helped to build it.

        Raises:
            ValueError: cells are missing.
            FileExistsError: the target appeared meanwhile.
        """
        if self.missing:
            raise ValueError(
                f"{len(self.missing)} of {len(self.header.cells)} cells of {self.path} are not "
                f"written yet, the first is {self.missing[0]}; write them before finishing"
            )
        if self.working_path != self.path:
            self._give_name()
        clear(self._partial)
        self.close()
        return self.path

    def close(self) -> None:
        """Let go of the store; what is committed stays for the next run."""
        self._lock.close()

    def _give_name(self) -> None:
        _remove_torn(self.working_path)
        if self.path.exists():
            if not self._replace:
                raise FileExistsError(
                    f"{self.path} appeared while the forecast ran; the forecast is kept in "
                    f"{self.working_path}: move one of them, and run again"
                )
            shutil.rmtree(self._partial / "replaced", ignore_errors=True)
            self.path.rename(self._partial / "replaced")
        self.working_path.rename(self.path)

    def __enter__(self) -> "ForecastStore":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is not None and not self._committed:
            shutil.rmtree(self._partial, ignore_errors=True)
        self.close()

    def _index(self, cell: Cell) -> tuple[int, ...]:
        return (cell.init, *(cell.member,) * bool(self.header.members), cell.lead)

    def _chunk(self, cell: Cell, name: str) -> str:
        tail = (0,) * len(self.header.field_dims(name))
        return ".".join(str(i) for i in (*self._index(cell), *tail))


def interrupted_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What the interrupted forecast of this name was made from; nothing where there is none."""
    target = Path(path).absolute()
    if _interrupted(target) is None:
        return {}
    attrs = json.loads((_partial(target) / "store" / ".zattrs").read_text())
    made_from: dict[str, Any] = json.loads(attrs.get("provenance", "{}"))
    return made_from


def _partial(target: Path) -> Path:
    return target.with_name(target.name + ".partial")


def _target(path: str | os.PathLike[str], overwrite: bool) -> Path:
    """The place of the store, refused unless it is free or may be replaced."""
    if re.match(r"\w[\w+.-]+:/", os.fspath(path)):  # a Path has only one of the slashes left
        raise ValueError(
            f"a forecast store is written to a local path, got {path}; copy it there later"
        )
    target = Path(path).absolute()
    if target.exists() and not _is_forecast_store(target):
        raise FileExistsError(
            f"{target} is there and is not a forecast store, so it will not be replaced; "
            "choose another output or remove it yourself"
        )
    if target.exists() and not overwrite:
        remove_if_empty(_partial(target))
        raise FileExistsError(
            f"{target} is there already; choose another output or replace it (--overwrite)"
        )
    return target


def _is_forecast_store(path: Path) -> bool:
    attrs = path / ".zattrs"
    try:
        return attrs.is_file() and "forecast_store_layout" in json.loads(attrs.read_text())
    except ValueError:  # whatever that is, it is not ours
        return False


def _claimed(target: Path) -> IO[bytes]:
    return claimed(_partial(target), parts=_PARTS, target=target, what="forecast")


def _check_space(target: Path, needed: int) -> None:
    """Refuse to start what may not fit; sizes before compression, which is not known yet."""
    place = next(parent for parent in target.parents if parent.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OSError(
            f"the forecast may need {needed / 1e9:.1f} GB but {place} has {free / 1e9:.1f} GB "
            "free; make room, choose another output, or ask for fewer lead times"
        )


def _interrupted(target: Path) -> str | None:
    """Fingerprint of the partial store beside the target, if there is one to go on with."""
    journal = _partial(target) / "journal"
    if not journal.exists() or not (_partial(target) / "store").is_dir():
        return None
    return journal.read_text().split("\n", 1)[0]


def _has_its_name(target: Path, header: ForecastHeader) -> bool:
    """Whether an interrupted run had only its journal left to remove."""
    journal = _partial(target) / "journal"
    building = journal.with_name("store").exists()
    if building or not journal.is_file() or not _is_forecast_store(target):
        return False
    there = json.loads((target / ".zattrs").read_text())["fingerprint"]
    begun = journal.read_text().split("\n", 1)[0]
    return bool(there == begun == header.fingerprint and _committed(journal) == {*header.cells})


def _committed(journal: Path) -> frozenset[Cell]:
    """Cells in the journal; a last line without its end is cut off, it was never committed."""
    whole, _, torn = journal.read_bytes().rpartition(b"\n")
    if torn:
        os.truncate(journal, len(whole) + 1)
    lines = whole.decode().split("\n")[1:]
    return frozenset(Cell(*(int(i) for i in line.split())) for line in lines)


def _remove_torn(store: Path) -> None:
    """Zarr's temporary files of a process that was killed while it wrote one."""
    for path in store.rglob("*.partial"):
        path.unlink()


def _flush(path: Path) -> None:
    """Have a written file on the disk itself, so that the journal never runs ahead of it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _checked(
    header: ForecastHeader, fields: Mapping[str, Any] | xr.Dataset, cell: Cell
) -> dict[str, np.ndarray]:
    """The fields as float32 arrays in the header's order, or the reason why not."""
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
            theirs, ours = field[dim].values, getattr(header, COORDINATE_FIELDS[dim])
            if not np.array_equal(theirs, ours):
                raise ValueError(
                    f"{name} must be on the {dim} of the forecast store, {len(ours)} values from "
                    f"{ours[0]} to {ours[-1]}, got {len(theirs)} from {theirs[0]} to {theirs[-1]}"
                )
    values = np.asarray(field, np.float32)
    if values.shape != header.field_shape(name):
        raise ValueError(
            f"{name} must have the shape {header.field_shape(name)} of {header.field_dims(name)} "
            f"in this forecast store, got {values.shape}"
        )
    return values
