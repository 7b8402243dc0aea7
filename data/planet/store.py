"""The growing store of a simulated planet: canonical analyses in a Zarr, and the model's state.

Every chunk is one variable at one time. Times are added a block at a time: the chunks of the block
go to the disk first, then the model's state with the number of times written (one file, replaced at
once), then the arrays grow to that number. So whatever is killed when, the store that opens holds
whole blocks only, and the next run begins from the state, writes the same chunks again and goes on;
its bytes are those of a run that was never interrupted. There is no other journal; but a store that
replaces another one is marked until it is complete, so that running again does not replace it, too.

Zarr v2 with consolidated metadata, byte shuffle and Zstd, as the forecast store has it and for its
reasons.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numcodecs  # type: ignore[import-untyped]  # has no stubs
import numpy as np
import zarr

from data.planet.analysis import PLANET_VARIABLES, STATIC
from data.stores.files import written_whole
from data.stores.forecast.header import ForecastHeader
from data.task import STEP
from data.variables import VARIABLES as CATALOGUE

LAYOUT = 1  # part of the fingerprint
WORDS = ("title", "source", "comment", "references")
STATE = ".simulation_state.npz"  # inside the store, where no reader of Zarr looks
REPLACEMENT = ".replacement"  # likewise, in a store that replaces another one, until it is complete
ZSTD_LEVEL = 1
WRITERS = 4
TIMES_PER_CHUNK = 2**16  # of the time axis itself: 44 years of hours in one small chunk
EPOCH = np.datetime64("1970-01-01T00", "h")


@dataclass(frozen=True)
class PlanetHeader:
    """Everything about a planet but its values and its length.

    ``settings`` (JSON) is what decides the values: model, seed, spin-up, versions. A store is
    continued by a header of the same fingerprint only; what is told in words may change.
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
        row = CATALOGUE[name]
        along = ("time",) * row.varies_in_time + ("level",) * row.on_levels
        return (*along, "latitude", "longitude")


class PlanetStore:
    """A planet being simulated; `open` it, `append` blocks. One process at a time writes.

    As a context manager it lets go of the store on leaving.
    """

    def __init__(self, path: Path, header: PlanetHeader, lock: IO[bytes]) -> None:
        self.path = path
        self.header = header
        self._lock = lock
        for torn in path.rglob(".*.tmp"):  # what `written_whole` of a killed run left behind
            torn.unlink()
        saved = _saved_state(path)
        self.state = saved
        self.count = 0 if saved is None else int(saved["times_written"])
        if saved is not None:
            _set_times(path, self.count)  # a run killed between its state and its metadata

    @classmethod
    def open(
        cls, path: Path, header: PlanetHeader, statics: Mapping[str, np.ndarray], *, overwrite: bool
    ) -> "PlanetStore":
        """The store to go on with, or a new one; with `overwrite` in place of what is there.

        Raises:
            FileExistsError: something else is there, or another planet, or another process.
        """
        path = path.absolute()
        if path.exists() and not _is_planet(path):
            raise FileExistsError(
                f"{path} is there and is not a simulated planet, so it will not be replaced; choose"
                " another output or remove it yourself"
            )
        lock = _claim(path)
        try:
            _begin(path, header, statics, overwrite)
            return cls(path, header, lock)
        except BaseException:
            _release(path, lock)
            raise

    def append(
        self, blocks: Sequence[Mapping[str, np.ndarray]], state: Mapping[str, np.ndarray]
    ) -> None:
        """Write the next times, then the state they lead to; an empty block saves the state alone.

        Raises ValueError for a field that is not finite: nothing of the block then counts.
        """
        with ThreadPoolExecutor(WRITERS) as pool:
            for number, fields in enumerate(blocks, self.count):
                list(
                    pool.map(
                        lambda name, n=number, f=fields: self._write(name, n, f), PLANET_VARIABLES
                    )
                )
        count = self.count + len(blocks)
        with written_whole(self.path / STATE) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **state, times_written=np.array(count))
        self.count = count
        if blocks:
            _set_times(self.path, count)

    def finish(self) -> None:
        """Note that all times are there that were asked for."""
        (self.path / REPLACEMENT).unlink(missing_ok=True)

    def close(self) -> None:
        """Let another process have the store."""
        _release(self.path, self._lock)

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
        chunk = _compressor().encode(_shuffle(values).encode(values))
        place = (number, *(0,) * values.ndim)
        with written_whole(self.path / name / ".".join(map(str, place))) as temporary:
            temporary.write_bytes(chunk)


def _begin(
    path: Path, header: PlanetHeader, statics: Mapping[str, np.ndarray], overwrite: bool
) -> None:
    """Have a store of this header there, one that may be gone on with."""
    replaced = path.with_name(f".{path.name}.replaced")
    if path.exists() and overwrite and not _is_replacement(path, header):
        shutil.rmtree(replaced, ignore_errors=True)
        path.rename(replaced)  # at once: what is left of a planet half removed is no planet
    if not path.exists():
        _lay_out(path, header, statics, replacement=overwrite)
    elif _attributes(path).get("fingerprint") != header.fingerprint:
        raise FileExistsError(
            f"{path} is a planet with other settings or versions"
            f" ({_difference(_attributes(path), header)}); continue it with its own, choose"
            " another output, or replace it (--overwrite)"
        )
    shutil.rmtree(replaced, ignore_errors=True)


def _lay_out(
    path: Path, header: PlanetHeader, statics: Mapping[str, np.ndarray], *, replacement: bool
) -> None:
    """A store without times, complete before it has its name."""
    building = path.with_name(f".{path.name}.new")
    shutil.rmtree(building, ignore_errors=True)
    attributes = {
        "Conventions": "CF-1.11",
        **{key: getattr(header, key) for key in WORDS},
        "settings": header.settings,
        "fingerprint": header.fingerprint,
        "simulated_planet_layout": LAYOUT,
    }
    group = zarr.create_group(building, zarr_format=2, attributes=attributes)
    first = int((np.datetime64(header.start, "h") - EPOCH) / np.timedelta64(1, "h"))
    hours = first + np.arange(TIMES_PER_CHUNK) * int(STEP / np.timedelta64(1, "h"))
    coordinates = ForecastHeader(
        variables=PLANET_VARIABLES,
        init_times=(np.datetime64(header.start, "h"),),
        leads=(STEP,),
        levels=header.levels,
        latitude=header.latitude,
        longitude=header.longitude,
    ).coordinates()
    _array(group, "time", ("time",), hours, coordinates["valid_time"].attrs | {"axis": "T"})
    for name in ("level", "latitude", "longitude"):
        _array(group, name, (name,), coordinates[name].values, coordinates[name].attrs)
    for name in STATIC:
        _array(group, name, header.variable_dims(name), statics[name], CATALOGUE[name].attributes)
    sizes = {d: coordinates[d].size for d in ("level", "latitude", "longitude")} | {"time": 0}
    for name in PLANET_VARIABLES:
        dims = header.variable_dims(name)
        shape = [sizes[d] for d in dims]
        _array(group, name, dims, np.zeros(shape, "<f4"), CATALOGUE[name].attributes)
    zarr.consolidate_metadata(group.store)
    _set_times(building, 0)  # not by resizing: that would delete the chunk of the time axis
    if replacement:
        (building / REPLACEMENT).touch()
    building.rename(path)


def _set_times(path: Path, count: int) -> None:
    """Let the metadata say that there are ``count`` times; each file is replaced at once."""
    consolidated = json.loads((path / ".zmetadata").read_text())
    for name in ("time", *PLANET_VARIABLES):
        entry = consolidated["metadata"][f"{name}/.zarray"]
        entry["shape"][0] = count
        _write_json(path / name / ".zarray", entry)
    _write_json(path / ".zmetadata", consolidated)


def _array(
    group: zarr.Group,
    name: str,
    dims: tuple[str, ...],
    values: np.ndarray,
    attributes: Mapping[str, Any],
) -> None:
    is_field = name in PLANET_VARIABLES
    chunks = tuple(
        1 if dim == "time" and is_field else length
        for dim, length in zip(dims, values.shape, strict=True)
    )
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=values.dtype.newbyteorder("<"),
        chunks=chunks,
        filters=[_shuffle(values)],
        compressors=[_compressor()],
        fill_value=np.nan if is_field else None,
        attributes={**attributes, "_ARRAY_DIMENSIONS": list(dims)},
    )
    if values.size:
        array[...] = values


def _shuffle(values: np.ndarray) -> Any:
    return numcodecs.Shuffle(values.dtype.itemsize)


def _compressor() -> Any:
    return numcodecs.Zstd(level=ZSTD_LEVEL, checksum=True)


def _write_json(path: Path, content: Any) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True))


def _saved_state(path: Path) -> dict[str, np.ndarray] | None:
    if not (path / STATE).exists():
        return None
    with np.load(path / STATE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _attributes(path: Path) -> dict[str, Any]:
    attributes: dict[str, Any] = json.loads((path / ".zattrs").read_text())
    return attributes


def _is_planet(path: Path) -> bool:
    return (path / ".zattrs").is_file() and "simulated_planet_layout" in _attributes(path)


def _is_replacement(path: Path, header: PlanetHeader) -> bool:
    """Whether an interrupted run with `overwrite` has begun this very planet."""
    begun = (path / REPLACEMENT).exists()
    return begun and _attributes(path).get("fingerprint") == header.fingerprint


def _difference(there: Mapping[str, Any], header: PlanetHeader) -> str:
    """The settings that differ, theirs and ours."""
    theirs, ours = json.loads(there["settings"]), json.loads(header.settings)
    names = sorted(k for k in {*theirs, *ours} if theirs.get(k) != ours.get(k))
    parts = [f"{name} {theirs.get(name)!r}, not {ours.get(name)!r}" for name in names]
    return "; ".join(parts) or "its grid, levels or start"


def _claim(path: Path) -> IO[bytes]:
    """Lock a file beside the store for this process; the system unlocks at exit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        lock = _lock_path(path).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise FileExistsError(
                f"another process is simulating {path}; wait for it or choose another output"
            ) from error
        # whoever was done between the two lines above has removed the file that is locked now
        if _is_at(lock, _lock_path(path)):
            return lock
        lock.close()


def _release(path: Path, lock: IO[bytes]) -> None:
    _lock_path(path).unlink(missing_ok=True)
    lock.close()


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def size_on_disk(path: Path) -> int:
    """Bytes of a store."""
    return sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file())
