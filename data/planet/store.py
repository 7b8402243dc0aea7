"""The growing store of a simulated planet: canonical analyses in a Zarr, and the model's state.

Every chunk is one variable at one time. Times are added a block at a time: first the chunks of the
block are written, then the model's state with the number of times (one file, replaced at once),
then the arrays grow to that number. Whenever the process is killed, the store on disk holds
complete blocks only; the next run begins from the state, writes the same chunks again and goes on,
and its bytes are those of an uninterrupted run.

A new planet has its name from the beginning and grows there. One that replaces another grows in a
`Building`, and takes its name when it has all of its times; until then the earlier planet stands.

The layout and the codecs are those of the forecast store, for its reasons
(`data.stores.forecast.layout`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from data.planet.analysis import PLANET_VARIABLES, STATIC
from data.stores.building import Building
from data.stores.cf import (
    CONVENTIONS,
    EPOCH,
    TIME_ATTRS,
    chunk_key,
    create_array,
    encoded,
    field_dims,
    space_coordinates,
)
from data.stores.files import remove_torn, written_aside
from data.stores.kind import ATTRIBUTE, label, zarr_attributes
from data.stores.metadata import consolidate, set_length
from data.task import STEP
from data.variables import VARIABLES as CATALOGUE

LAYOUT = 2  # part of the fingerprint
WORDS = ("title", "source", "comment", "references")
STATE = ".simulation_state.npz"  # inside the store, where no reader of Zarr looks
WRITERS = 4  # variables written at once
TIMES_PER_CHUNK = 2**16  # of the time axis itself: 44 years of 6-hourly times in one small chunk


@dataclass(frozen=True)
class PlanetHeader:
    """Everything about a planet but its values and its length.

    A store is continued only by a header of the same fingerprint; the texts may change.

    Attributes:
        start: the first time, UTC, as 2001-01-01T00.
        levels: hPa.
        latitude: degrees.
        longitude: degrees.
        settings: JSON text of what decides the values: model, seed, spin-up, versions.
    """

    start: str
    levels: tuple[int, ...]
    latitude: tuple[float, ...]
    longitude: tuple[float, ...]
    title: str
    source: str
    comment: str
    references: str
    settings: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of what decides the values."""
        content = {k: v for k, v in asdict(self).items() if k not in WORDS}
        text = json.dumps({"layout": LAYOUT, **content}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def variable_dims(self, name: str) -> tuple[str, ...]:
        """Dimensions of a variable in the store."""
        return ("time",) * CATALOGUE[name].varies_in_time + field_dims(name)


class PlanetStore:
    """A planet being simulated: `open` it, `append` blocks, `finish`. One process at a time writes.

    As a context manager it releases the store on exit; the blocks stay.
    """

    def __init__(self, building: Building, header: PlanetHeader, path: Path) -> None:
        self.path = path  # where it grows
        self.header = header
        self._building = building
        remove_torn(path)
        self.state = _saved_state(path)
        self.count = 0 if self.state is None else int(self.state["times_written"])
        if self.state is not None:
            _set_times(path, self.count)  # an earlier run may have been killed before it did

    @classmethod
    def open(
        cls, path: Path, header: PlanetHeader, statics: Mapping[str, np.ndarray], *, overwrite: bool
    ) -> "PlanetStore":
        """Resume the planet at `path`, or begin a new one.

        Args:
            path: the Zarr store, which may exist.
            header: everything about the planet but its values and length.
            statics: by name, [latitude, longitude].
            overwrite: replace the planet of that name once the new one is complete.

        Raises:
            FileExistsError: `path` holds something else or another planet; another process writes.
        """
        building = Building.claim(path, "planet")
        try:
            return cls(building, header, _place(building, header, statics, overwrite))
        except BaseException:
            building.close()
            raise

    def append(
        self, blocks: Sequence[Mapping[str, np.ndarray]], state: Mapping[str, np.ndarray]
    ) -> None:
        """Write the next times, then the state they lead to.

        Args:
            blocks: the fields of each time, by name; if empty, only the state is saved.
            state: the model's arrays after the last of them.

        Raises:
            ValueError: a field is not finite; then no time of the block counts.
        """
        with ThreadPoolExecutor(WRITERS) as pool:
            for number, fields in enumerate(blocks, self.count):
                list(
                    pool.map(
                        lambda name, n=number, f=fields: self._write(name, n, f), PLANET_VARIABLES
                    )
                )
        count = self.count + len(blocks)
        with written_aside(self.path / STATE) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **state, times_written=np.array(count))
        self.count = count
        if blocks:
            _set_times(self.path, count)

    def finish(self) -> None:
        """Put a planet that replaces another one, and has all of its times, in its place."""
        if self.path != self._building.target:
            self._building.finish()
            self.path = self._building.target

    def close(self) -> None:
        """Release the store; another process may then write."""
        self._building.close()

    def __enter__(self) -> "PlanetStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, name: str, number: int, fields: Mapping[str, np.ndarray]) -> None:
        values = np.ascontiguousarray(fields[name], "<f4")
        if not np.isfinite(values).all():
            raise ValueError(
                f"the simulation has values of {name} that are not finite at its time {number}, so"
                " the model is not stable here; try another seed or resolution"
            )
        place = chunk_key((number, *(0,) * values.ndim))
        with written_aside(self.path / name / place) as temporary:
            temporary.write_bytes(encoded(values[None]))


def _place(
    building: Building, header: PlanetHeader, statics: Mapping[str, np.ndarray], overwrite: bool
) -> Path:
    """The folder in which the planet grows, laid out or resumed."""
    target, left = building.target, building.interrupted
    begun = left is not None and (left.kind, left.fingerprint) == ("planet", header.fingerprint)
    if not overwrite and target.exists():
        _refuse_another_planet(target, header)
        return target
    if not overwrite:
        building.refuse_other(header.fingerprint)
    if begun and building.named:
        return target  # killed while it grew under its name
    if begun and building.done:
        building.resume(overwrite=overwrite)
    else:
        building.begin(
            header.fingerprint,
            lay_out=lambda folder: _lay_out(folder, header, statics),
            overwrite=overwrite,
        )
        building.commit("laid out")  # and worth resuming
    if not overwrite:
        building.give_name()
    return building.folder


def _refuse_another_planet(path: Path, header: PlanetHeader) -> None:
    attributes = zarr_attributes(path)
    if attributes.get("fingerprint") != header.fingerprint:
        raise FileExistsError(
            f"{path} is a planet with other settings or versions"
            f" ({_difference(attributes, header)}); continue it with its own, choose another"
            " output, or replace it (`overwrite`)"
        )


def _lay_out(folder: Path, header: PlanetHeader, statics: Mapping[str, np.ndarray]) -> None:
    """A store without times."""
    attributes = {
        "Conventions": CONVENTIONS,
        **{key: getattr(header, key) for key in WORDS},
        "settings": header.settings,
        "fingerprint": header.fingerprint,
        **label("planet", LAYOUT),
    }
    group = zarr.create_group(folder, zarr_format=3, attributes=attributes)
    first = int((np.datetime64(header.start, "h") - EPOCH) / np.timedelta64(1, "h"))
    hours = first + np.arange(TIMES_PER_CHUNK) * int(STEP / np.timedelta64(1, "h"))
    space = space_coordinates(header.levels, header.latitude, header.longitude)
    fixed = {"time": xr.Variable(("time",), hours, TIME_ATTRS), **space}
    for name in STATIC:
        dims = header.variable_dims(name)
        fixed[name] = xr.Variable(dims, statics[name], CATALOGUE[name].attributes)
    for name, variable in fixed.items():
        create_array(group, name, variable, variable.shape)[...] = variable.values
    sizes = {dim: variable.size for dim, variable in space.items()}
    for name in PLANET_VARIABLES:
        dims = header.variable_dims(name)
        empty = np.zeros([0 if dim == "time" else sizes[dim] for dim in dims], "<f4")
        chunks = tuple(1 if dim == "time" else sizes[dim] for dim in dims)
        create_array(group, name, xr.Variable(dims, empty, CATALOGUE[name].attributes), chunks)
    consolidate(group.store)
    _set_times(folder, 0)  # not by resizing: that would delete the chunk of the time axis


def _set_times(path: Path, count: int) -> None:
    """Set the number of times in the metadata; each file is replaced at once."""
    set_length(path, ("time", *PLANET_VARIABLES), count)


def _saved_state(path: Path) -> dict[str, np.ndarray] | None:
    if not (path / STATE).exists():
        return None
    with np.load(path / STATE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _difference(attributes: Mapping[str, Any], header: PlanetHeader) -> str:
    """The settings that differ between the existing planet and the header, in words."""
    if attributes.get(ATTRIBUTE) != label("planet", LAYOUT)[ATTRIBUTE]:
        return "its layout on the disk is that of another version of graphcast"
    present, wanted = json.loads(attributes["settings"]), json.loads(header.settings)
    names = sorted(k for k in {*present, *wanted} if present.get(k) != wanted.get(k))
    parts = [f"{name} {present.get(name)!r}, not {wanted.get(name)!r}" for name in names]
    return "; ".join(parts) or "its grid, levels or start"


def size_on_disk(path: Path) -> int:
    """Bytes of a store."""
    return sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file())
