"""GRIB files, edition 1 and 2, through cfgrib.

cfgrib builds hypercubes of start time × step × level × …, with holes where a file has no message
and a new Dataset wherever two messages do not fit. Here cfgrib only indexes the messages, and each
is placed by its valid time and level. No index file is written beside the user's file.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from data.canonical.conventions import canonical_name
from data.canonical.precipitation import summed_over
from data.sources.files.silence import silence_eccodes
from mesh.grid import same_points

Message = int | tuple[int, int]  # offset in the file; of a multi-field message, also which field

_KEYS = (
    *("shortName", "typeOfLevel", "level", "units", "number", "gridType", "md5GridSection"),
    *("valid_time", "step", "startStep", "endStep", "stepType", "stepUnits", "totalLength"),
)
_REGULAR = ("regular_ll", "regular_gg")
_GRID_NAMES = {
    "reduced_gg": "a reduced Gaussian grid",
    "reduced_ll": "a reduced latitude-longitude grid",
    "sh": "spherical harmonics",
}
_WITHOUT_LEVELS = ("surface", "heightAboveGround", "meanSea", "nominalTop")
MOST_POINTS = 2**27  # of a field: a grid of 0.02°; more is a damaged header
_HOURS = (1, "h")  # in GRIB's table of time units; ecCodes gives the code or the letter


@dataclass(frozen=True)
class _Field:
    """The header of one message."""

    variable: str
    on_levels: bool
    level: int
    valid_time: np.datetime64
    step: float
    number: int
    units: str
    grid: str
    grid_type: str
    accumulation: int | None
    message: Message


def read(path: str) -> xr.Dataset:
    """All fields of a GRIB file that the catalogue knows, as lazy arrays.

    Dimensions `number` (member), `time` (valid time), `level` (hPa), `latitude`, `longitude`, with
    short names and the file's units. Where a valid time comes twice, the shortest step is taken: an
    analysis before a forecast. Points, levels and times without a message are NaN.

    Raises:
        ValueError: the file is damaged, has several grids, or a grid that is not one latitude axis
            by one longitude axis.
    """
    index = _index(path)
    fields = _known_fields(path, index)
    try:
        latitude, longitude = _grid(path, index, fields)
    except ValueError:
        raise
    except Exception as error:  # as in `_index`
        raise _damaged(path) from error
    coordinates: dict[str, list[Any]] = {
        "number": sorted({f.number for f in fields}),
        "time": sorted({f.valid_time for f in fields}),
        "level": sorted({f.level for f in fields if f.on_levels}),
    }
    variables = {}
    for name in dict.fromkeys(f.variable for f in fields):
        messages = [f for f in fields if f.variable == name]
        dims = ("number", "time", "level") if messages[0].on_levels else ("number", "time")
        table = _table(messages, [coordinates[d] for d in dims])
        lazy = _Messages(index.fieldset, table, (len(latitude), len(longitude)))
        variables[name] = ((*dims, "latitude", "longitude"), lazy.as_dask(), _attrs(messages[0]))
    dataset = xr.Dataset(
        variables,
        coords={
            "number": coordinates["number"],
            "time": np.asarray(coordinates["time"], dtype="datetime64[ns]"),
            "latitude": latitude,
            "longitude": longitude,
        },
    )
    if coordinates["level"]:
        dataset = dataset.assign_coords(level=("level", coordinates["level"], {"units": "hPa"}))
    return dataset


def _attrs(field: "_Field") -> dict[str, str]:
    attrs = {"units": field.units}
    if field.accumulation is not None:
        attrs["cell_methods"] = summed_over(field.accumulation)
    return attrs


# ecCodes keeps the state of multi-field messages (GFS: u and v in one) per process, so two threads
# that read at once get each other's fields; dask's lock is per array.
_ONE_MESSAGE_AT_A_TIME = threading.Lock()


class _Messages:
    """Array-like view of a table of messages; a slice reads its messages and no others.

    `table` holds a message, or None, for each combination of the outer coordinates.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, stream: Any, table: np.ndarray, shape: tuple[int, int]):
        self.stream = stream
        self.table = table
        self.shape = table.shape + shape
        self.ndim = len(self.shape)

    def __getitem__(self, item: tuple[Any, ...]) -> np.ndarray:
        """The fields at `item`: slices, or integers where dask fused two selections."""
        outer = tuple(slice(i, i + 1) if isinstance(i, int) else i for i in item[:-2])
        table = self.table[outer]
        values = np.full(table.shape + self.shape[-2:], np.nan, dtype=self.dtype)
        for where, message in np.ndenumerate(table):
            if message is not None:
                values[where] = self._values(message)
        kept = tuple(0 if isinstance(i, int) else slice(None) for i in item[:-2])
        return values[(*kept, *item[-2:])]

    def as_dask(self) -> da.Array:
        """One chunk for each message, read one at a time: ecCodes has global state."""
        chunks = (1,) * self.table.ndim + self.shape[-2:]
        array: da.Array = da.from_array(  # type: ignore[no-untyped-call]  # dask has no types here
            self, chunks=chunks, asarray=False, lock=True, name=False
        )
        return array

    def _values(self, message: Message) -> np.ndarray:
        try:
            with _ONE_MESSAGE_AT_A_TIME:
                field = self.stream[message]
                values = np.asarray(field["values"], dtype=np.float64)
                missing = values == field["missingValue"]
                alternating = field.get("alternativeRowScanning", 0)
        except Exception as error:
            raise _damaged(self.stream.path) from error
        if values.size != self.shape[-2] * self.shape[-1]:
            raise _damaged(self.stream.path)
        values = np.where(missing, np.nan, values).reshape(self.shape[-2:])
        if alternating:
            values[1::2] = values[1::2, ::-1]
        return values


def _index(path: str) -> Any:
    # imported here: loading ecCodes takes a second, which other formats do not need
    from cfgrib import cfmessage, messages  # noqa: PLC0415

    if Path(path).stat().st_size == 0:
        raise ValueError(f"{path} is empty; fetch it again")
    silence_eccodes()
    try:
        index = messages.FileIndex.from_indexpath_or_filestream(
            messages.FileStream(path, errors="raise"),
            _KEYS,
            indexpath="",
            computed_keys=cfmessage.COMPUTED_KEYS,
        )
    except Exception as error:  # ecCodes has an exception class for each of its many codes
        raise _damaged(path) from error
    _check_end(path, index)
    return index


def _check_end(path: str, index: Any) -> None:
    """Raise ValueError if the file ends inside a message, which ecCodes skips silently."""
    end = 0
    for values, messages in index.iter_index():
        length = int(dict(zip(_KEYS, values, strict=True))["totalLength"])
        offsets = [m[0] if isinstance(m, tuple) else m for m in messages]
        end = max(end, max(offsets) + length)
    with Path(path).open("rb") as file:
        file.seek(end)
        tail = file.read()
    if b"GRIB" in tail or tail.endswith((b"G", b"GR", b"GRI")):
        raise _damaged(path)


def _damaged(path: str) -> ValueError:
    return ValueError(
        f"a GRIB file must be whole, and {path} is damaged or cut short; fetch it again"
    )


def _known_fields(path: str, index: Any) -> list[_Field]:
    """The wanted fields on regular grids; the shortest step only, for each valid time."""
    fields: dict[tuple[Any, ...], _Field] = {}
    refused: set[str] = set()
    short_names: set[str] = set()
    for values, messages in index.iter_index():
        header = dict(zip(_KEYS, values, strict=True))
        short_names.add(header["shortName"])
        field = _field(header, messages[0])
        if field is None:
            continue
        if field.grid_type not in _REGULAR:
            refused.add(_GRID_NAMES.get(field.grid_type, f"grid type {field.grid_type!r}"))
            continue
        place = (field.variable, field.valid_time, field.level, field.number)
        if place not in fields or field.step < fields[place].step:
            fields[place] = field
    if refused:
        raise ValueError(
            f"fields must lie on a regular latitude-longitude or full Gaussian grid, and {path} has"
            f" {' and '.join(sorted(refused))}; ask for a regular grid (keyword 'grid' of MARS and"
            " of the Climate Data Store), or convert it with CDO"
        )
    if not fields:
        raise ValueError(
            f"a GRIB file must hold fields that data/variables.py knows, and {path} has only"
            f" {', '.join(sorted(short_names)[:12])}"
        )
    return list(fields.values())


def _field(header: dict[str, Any], message: Message) -> _Field | None:
    on_levels = header["typeOfLevel"] == "isobaricInhPa"
    if not on_levels and header["typeOfLevel"] not in _WITHOUT_LEVELS:
        return None
    name = str(header["shortName"])
    accumulation = _accumulation(header)
    if name == "tp":
        # A name for each period: sums over 6 and over 12 hours may be in one file.
        variable = name if accumulation is None else f"tp{accumulation}h"
    elif canonical_name(name, on_levels=on_levels) is None or header["stepType"] == "avg":
        return None
    elif name == "tisr" and accumulation not in (None, 1):
        return None  # models are trained on the sunlight of one hour, which can be computed
    else:
        variable = name if on_levels or name not in ("z", "gh") else _surface_name(name)
    return _Field(
        variable=variable,
        on_levels=on_levels,
        level=int(header["level"]) if on_levels else 0,
        valid_time=np.datetime64(int(header["valid_time"]), "s").astype("datetime64[ns]"),
        step=float(header["step"]),
        number=0 if header["number"] in ("undef", None) else int(header["number"]),
        units=str(header["units"]),
        grid=str(header["md5GridSection"]),
        grid_type=str(header["gridType"]),
        accumulation=accumulation,
        message=message,
    )


def _surface_name(name: str) -> str:
    # Geopotential on levels and at the surface share a short name in GRIB; a Dataset needs two.
    return {"z": "z_sfc", "gh": "orog"}[name]


def _accumulation(header: dict[str, Any]) -> int | None:
    """Hours over which an accumulated field is summed; None for any other field."""
    if header["stepType"] != "accum" or header["stepUnits"] not in _HOURS:
        return None
    return int(header["endStep"]) - int(header["startStep"])


def _table(messages: list[_Field], coordinates: list[list[Any]]) -> np.ndarray:
    positions = [{value: i for i, value in enumerate(axis)} for axis in coordinates]
    table = np.full([len(axis) for axis in coordinates], None, dtype=object)
    for field in messages:
        place = (field.number, field.valid_time, field.level)[: len(coordinates)]
        table[tuple(at[value] for at, value in zip(positions, place, strict=True))] = field.message
    return table


def _grid(path: str, index: Any, fields: list[_Field]) -> tuple[np.ndarray, np.ndarray]:
    grids: list[tuple[np.ndarray, np.ndarray]] = []
    for grid in dict.fromkeys(f.grid for f in fields):
        first = index.fieldset[next(f.message for f in fields if f.grid == grid)]
        points = int(first["numberOfDataPoints"])
        if points > MOST_POINTS:
            raise ValueError(
                f"a field has at most {MOST_POINTS:,} points, and one of {path} declares"
                f" {points:,}; fetch it again"
            )
        if first.get("jPointsAreConsecutive", 0) or first.get("iScansNegatively", 0):
            raise ValueError(
                f"fields must be stored row by row, from west to east, and those of {path} are not;"
                " convert it with CDO or wgrib2"
            )
        axes = (_axis(first, "distinctLatitudes"), _axis(first, "distinctLongitudes"))
        # the same grid may be written in several ways, to GRIB1's millidegree
        if not any(_same_axes(axes, known) for known in grids):
            grids.append(axes)
    if len(grids) > 1:
        shapes = ", ".join(f"{len(lat)} × {len(lon)}" for lat, lon in grids)
        raise ValueError(
            f"all fields of a file must share one grid, and {path} has {shapes}; bring them to one"
        )
    return grids[0]


def _axis(message: Any, key: str) -> np.ndarray:
    return np.array(message[key], ndmin=1, dtype=np.float64)


def _same_axes(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    return all(same_points(a, b) for a, b in zip(one, other, strict=True))
