"""Times as people type them: `2018-12-31T18`, `2018-01-01/2018-12-31T18/6h`."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from data.task import STEP

if TYPE_CHECKING:
    import xarray as xr

LATEST: Literal["latest"] = "latest"
# Times, or the last one that the inputs have; None where the inputs have a single one.
AskedTimes: TypeAlias = tuple[np.datetime64, ...] | Literal["latest"] | None

_DATE = r"\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?)?$"
_ONE = np.timedelta64(1, "ns")
_WHOLE_PERIODS = ("Y", "M", "D")  # units of numpy whose end stands for the whole period


@dataclass(frozen=True)
class TimeRange:
    """Times (UTC, datetime64[ns]) from `start`, every `step`, up to and including `end`.

    Raises:
        ValueError: the end lies before the start, or the step is not positive.
    """

    start: np.datetime64
    end: np.datetime64
    step: np.timedelta64 = STEP

    def __post_init__(self) -> None:
        """Check the order; both ends are kept in nanoseconds."""
        object.__setattr__(self, "start", self.start.astype("datetime64[ns]"))
        object.__setattr__(self, "end", self.end.astype("datetime64[ns]"))
        if self.step <= np.timedelta64(0, "ns"):
            raise ValueError(f"the step of a time range is positive, and this is {self.step}")
        if self.end < self.start:
            raise ValueError(
                f"a time range ends after it starts, and this one goes from {_iso(self.start)} to"
                f" {_iso(self.end)}; turn them around"
            )

    @property
    def times(self) -> np.ndarray:
        """Every time of the range, datetime64[ns]."""
        return np.arange(self.start, self.end + _ONE, self.step.astype("timedelta64[ns]"))

    def __len__(self) -> int:
        """How many times."""
        return int((self.end - self.start) // self.step) + 1

    def __str__(self) -> str:
        """The range as `time_range` reads it, ending at its last time."""
        last = self.start + (len(self) - 1) * self.step
        return f"{_iso(self.start)}/{_iso(last)}/{_duration(self.step)}"

    def overlaps(self, other: "TimeRange") -> bool:
        """Whether the two periods share a moment, whatever their steps."""
        return bool(self.start <= other.end and other.start <= self.end)

    def select(self, dataset: "xr.Dataset") -> "xr.Dataset":
        """The Dataset at the times of the range, lazily.

        Raises:
            ValueError: one of the times is missing.
        """
        if "time" not in dataset.dims:
            raise ValueError(f"the data have no times, and {self} were asked for")
        times = dataset["time"].values.astype("datetime64[ns]")
        wanted = self.times
        place = np.searchsorted(times, wanted)
        present = (place < times.size) & (times[np.minimum(place, times.size - 1)] == wanted)
        if not present.all():
            raise ValueError(
                f"the data must have every time of {self}, and they lack {int((~present).sum())} of"
                f" {wanted.size}, the first at {_iso(wanted[~present][0])} (they go from"
                f" {_iso(times[0])} to {_iso(times[-1])}); name a range that is there"
            )
        return dataset.isel(time=_as_slice(place))


def time_range(text: str, *, step: np.timedelta64 = STEP) -> TimeRange:
    """The range of `START/END` or `START/END/STEP` (UTC), both ends included.

    An end without an hour stands for the whole day, month or year. Steps are `1h`, `6h`, `2d`.

    >>> str(time_range("2018-01/2018-02"))
    '2018-01-01T00/2018-02-28T18/6h'
    >>> len(time_range("2018-01-01/2018-01-01T18/1h"))
    19

    Args:
        text: the range.
        step: the step of a text that has none.

    Raises:
        ValueError: the text has another form; the sentence shows a valid one.
    """
    parts = [part.strip() for part in text.strip().split("/")]
    if len(parts) not in (2, 3):
        raise ValueError(
            f"a time range reads START/END or START/END/STEP, as 2018-01-01/2018-12-31T18/6h, not"
            f" {text!r}"
        )
    start, end = (_moment(part, text) for part in parts[:2])
    unit = np.datetime_data(end.dtype)[0]
    if unit in _WHOLE_PERIODS:
        period = np.timedelta64(1, unit)  # type: ignore[call-overload]  # units are literals there
        end = (end + period).astype("datetime64[ns]") - _ONE
    return TimeRange(start, end, _step(parts[2], text) if len(parts) == 3 else step)


def asked_init_times(text: str) -> tuple[np.datetime64, ...] | Literal["latest"]:
    """The init times of `2024-06-03T18`, of several with commas, of a range, or of `latest`.

    >>> len(asked_init_times("2024-06-03/2024-06-04T12/12h"))
    4
    >>> asked_init_times("latest")
    'latest'

    Returns:
        UTC, nanoseconds, ascending, each once; or "latest".

    Raises:
        ValueError: the text is none of these, or a time that nanoseconds cannot hold.
    """
    if text.strip().casefold() == LATEST:
        return LATEST
    times: list[np.datetime64] = []
    for part in text.split(","):
        times += list(time_range(part).times) if "/" in part else [moment(part)]
    return tuple(sorted(set(times)))


def moment(text: str, name: str = "init_time") -> np.datetime64:
    """A UTC time in ISO form, nanoseconds.

    >>> moment("2024-06-03 18:00Z")
    np.datetime64('2024-06-03T18:00:00.000000000')

    Args:
        text: the time; 20240603 and 2024060318 are read, too.
        name: the parameter that is named in errors.

    Raises:
        ValueError: the text is no date, or one that nanoseconds cannot hold.
    """
    plain = text.strip().upper().removesuffix("Z").removesuffix("+00:00").replace(" ", "T")
    if compact := re.fullmatch(r"(\d{4})(\d\d)(\d\d)T?(\d\d)?", plain):
        year, month, day, hours_ = compact.groups()
        plain = f"{year}-{month}-{day}" + (f"T{hours_}" if hours_ else "")
    try:
        # NumPy also reads "now" and a bare year, which are not meant here.
        time = np.datetime64(plain) if re.match(_DATE, plain) else np.datetime64("NaT", "s")
    except ValueError:
        time = np.datetime64("NaT", "s")
    if np.isnat(time):
        raise ValueError(f"`{name}` reads a UTC time as 2024-06-03T18, not {text!r}")
    if not 1678 <= int(plain[:4]) <= 2261:  # what 64 bits of nanoseconds hold
        raise ValueError(f"`{name}` is a time between the years 1678 and 2261, not {text!r}")
    to_nanoseconds: np.datetime64 = time.astype("datetime64[ns]")
    return to_nanoseconds


def _moment(part: str, text: str) -> np.datetime64:
    plain = part.upper().removesuffix("Z").removesuffix("+00:00").replace(" ", "T")
    try:
        time = np.datetime64(plain or "never")  # numpy reads "" as NaT without a unit
    except ValueError:
        time = np.datetime64("NaT", "s")
    if np.isnat(time):
        raise ValueError(f"a time range has UTC times as 2018-12-31T18, not {part!r} (in {text!r})")
    return time


def _step(part: str, text: str) -> np.timedelta64:
    match = re.fullmatch(r"(\d+)([hd])", part.casefold())
    if match is None or int(match[1]) == 0:
        raise ValueError(
            f"the step of a time range is hours or days, as 6h or 1d, not {part!r} (in {text!r})"
        )
    return np.timedelta64(int(match[1]) * (1 if match[2] == "h" else 24), "h")


def _iso(time: np.datetime64) -> str:
    """A time to the hour, as 2018-12-31T18, or to the second where it has minutes."""
    hour = time.astype("datetime64[h]")
    return str(hour) if hour == time else str(time.astype("datetime64[s]"))


def _duration(step: np.timedelta64) -> str:
    return f"{int(step // np.timedelta64(1, 'h'))}h"


def _as_slice(place: np.ndarray) -> slice | np.ndarray:
    """A slice where the places are evenly spaced: lazy arrays are cut more cheaply by it."""
    steps = np.unique(np.diff(place))
    if steps.size > 1:
        return place
    return slice(int(place[0]), int(place[-1]) + 1, int(steps[0]) if steps.size else 1)
