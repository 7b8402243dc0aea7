"""The headers of a GRIB file: which fields of the catalogue it has, and which of them are read."""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.canonical.names import canonical_name
from data.canonical.preliminary import PRELIMINARY, rank
from data.sources.files.grib.grids import REGULAR, described
from data.wording import listed

Message = int | tuple[int, int]  # offset in the file; of a multi-field message, also which field

KEYS = (
    *("shortName", "typeOfLevel", "level", "units", "number", "gridType", "md5GridSection"),
    *("dataDate", "dataTime", "startStep:str", "endStep:str", "stepType", "totalLength"),
    *("expver:str", "dataType"),
)
_PRESSURE = {"isobaricInhPa": 1.0, "isobaricInPa": 0.01}  # type of level → hPa
_WITHOUT_LEVELS = ("surface", "heightAboveGround", "meanSea", "nominalTop")
_UNITS_OF_STEPS = {"s": 1 / 3600, "m": 1 / 60, "h": 1.0, "D": 24.0}


@dataclass(frozen=True)
class Field:
    """The header of one message.

    Attributes:
        level: hPa; 0 without levels.
        start: when the forecast began, or the time of the analysis.
        step: hours since then.
        accumulation: hours over which the field is summed; None for any other field.
        stream: 0 for final fields, 2 for preliminary ones (ERA5T).
        analysis: whether it is one.
    """

    variable: str
    on_levels: bool
    level: float
    start: np.datetime64
    step: float
    number: int
    units: str
    grid: str
    accumulation: float | None
    stream: int
    analysis: bool
    message: Message

    @property
    def valid_time(self) -> np.datetime64:
        """Start plus step."""
        return self.start + np.timedelta64(round(self.step * 3600), "s")

    @property
    def preliminary(self) -> bool:
        """Whether it is ERA5T, which a final field will replace."""
        return self.stream == rank(PRELIMINARY)

    @property
    def preference(self) -> tuple[Any, ...]:
        """The smallest is taken: final, then the shortest forecast, an analysis at last."""
        return self.stream, self.step, not self.analysis


@dataclass(frozen=True)
class Contents:
    """The fields of a file that can be read, and what it has besides."""

    fields: tuple[Field, ...]
    doubled: tuple[tuple[Field, Field], ...]
    remarks: tuple[str, ...]


def at_valid_time(field: Field) -> Hashable:
    """The place of a field among analyses."""
    return field.variable, field.valid_time, field.level, field.number


def at_lead_time(field: Field) -> Hashable:
    """The place of a field among forecasts."""
    return field.variable, field.start, field.step, field.level, field.number


def contents(path: str, index: Any, place: Callable[[Field], Hashable]) -> Contents:
    """The preferred field of each place, pairs of which none is preferred, and remarks.

    Raises:
        ValueError: no field of the catalogue can be read.
    """
    chosen: dict[Hashable, Field] = {}
    doubled: list[tuple[Field, Field]] = []
    odd: dict[str, list[str]] = defaultdict(list)
    short_names: set[str] = set()
    for header, message in headers(index):
        short_names.add(str(header["shortName"]))
        field = _field(header, message)
        if isinstance(field, str):
            odd[field].append(str(header["shortName"]))
        elif field is not None:
            where = place(field)
            other = chosen.get(where)
            if other is None or field.preference < other.preference:
                chosen[where] = field
            elif field.preference == other.preference:
                doubled.append((other, field))
    if not chosen and odd:
        raise ValueError(
            f"fields must lie on a regular latitude-longitude or full Gaussian grid at known times,"
            f" and those of {path} {' and '.join(sorted(odd))}; ask for a regular grid (keyword"
            " 'grid' of MARS and of the Climate Data Store), or convert it with CDO"
        )
    if not chosen:
        raise ValueError(
            f"a GRIB file must hold fields that data/variables.py knows, and {path} has only"
            f" {', '.join(sorted(short_names)[:12])}"
        )
    kept = tuple(chosen.values())
    pairs = tuple(pair for pair in doubled if pair[0] in set(kept))
    return Contents(kept, pairs, tuple(_left_out(odd)))


def headers(index: Any) -> Iterator[tuple[dict[str, Any], Message]]:
    """The header of each kind of message, with each message that has it."""
    for values, messages in index.iter_index():
        for message in messages:
            yield dict(zip(KEYS, values, strict=True)), message


def _field(header: dict[str, Any], message: Message) -> Field | str | None:
    """The field of a message; None if it is not known, and a reason if it cannot be read."""
    if not _is_known(header):
        return None
    on_levels = header["typeOfLevel"] in _PRESSURE
    name = str(header["shortName"])
    if header["gridType"] not in REGULAR:
        return f"are on {described(str(header['gridType']))}"
    steps = [_hours(str(header[key])) for key in ("startStep:str", "endStep:str")]
    start = _moment(header["dataDate"], header["dataTime"])
    if start is None or steps[0] is None or steps[1] is None:
        return "have a step in an unknown unit of time"
    accumulation = steps[1] - steps[0] if header["stepType"] == "accum" else None
    if name == "tisr" and accumulation not in (None, 1):
        return None  # models are trained on the sunlight of one hour, which can be computed
    expver = header["expver:str"]
    return Field(
        variable=_variable(name, accumulation, on_levels=on_levels),
        on_levels=on_levels,
        level=_in_hpa(header),
        start=start,
        step=steps[1],
        number=0 if header["number"] in ("undef", None) else int(header["number"]),
        units=str(header["units"]),
        grid=str(header["md5GridSection"]),
        accumulation=accumulation,
        stream=0 if expver in ("undef", None) else rank(expver),
        analysis=header["dataType"] == "an",
        message=message,
    )


def _is_known(header: dict[str, Any]) -> bool:
    """Whether the catalogue has the quantity, on such a level."""
    on_levels = header["typeOfLevel"] in _PRESSURE
    if not on_levels and header["typeOfLevel"] not in _WITHOUT_LEVELS:
        return False
    known = canonical_name(str(header["shortName"]), on_levels=on_levels)
    return header["shortName"] == "tp" or (known is not None and header["stepType"] != "avg")


def _in_hpa(header: dict[str, Any]) -> float:
    return round(float(header["level"]) * _PRESSURE.get(header["typeOfLevel"], 0.0), 4)


def _variable(name: str, accumulation: float | None, *, on_levels: bool) -> str:
    if name == "tp":
        # A name for each period: sums over 6 and over 12 hours may be in one file.
        return name if accumulation is None else f"tp{accumulation:g}h"
    # Geopotential on levels and at the surface share a short name in GRIB; a Dataset needs two.
    return name if on_levels else {"z": "z_sfc", "gh": "orog"}.get(name, name)


def _hours(step: str) -> float | None:
    """A step as ecCodes writes it (`6`, `330m`), in hours; None in an unknown unit."""
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)([smhD]?)", step.strip())
    return None if match is None else float(match[1]) * _UNITS_OF_STEPS[match[2] or "h"]


def _moment(date: Any, time: Any) -> np.datetime64 | None:
    if "undef" in (date, time):
        return None
    text = f"{int(date):08d}{int(time):04d}"
    try:
        return np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:]}", "ns")
    except ValueError:  # no date of the calendar
        return None


def _left_out(odd: dict[str, list[str]]) -> Iterator[str]:
    for reason, names in odd.items():
        which = listed(sorted(set(names)))
        yield f"{len(names)} messages are left out ({which}), because they {reason}"
