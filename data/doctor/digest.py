"""The digest of a dataset: the numbers and coarse maps that the rules examine.

One pass reads the examined times, one variable and time in memory at once. Of each field (one
variable, level and time) it keeps the extremes, mean, gaps and a fingerprint at full resolution,
and block means on a grid of about 2.5°; rules on shapes and balances see these means only. The
digest of a 0.25° frame with 37 levels takes 10 MB.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from data.canonical.precipitation import NAMES_WITHOUT_PERIOD
from data.doctor.exact_zeros import Zeros, zeros
from data.variables import VARIABLES

COARSE = 2.5  # degrees
EVERY_TIME_UP_TO = 300e6  # bytes: smaller datasets are examined whole
# Variables that cross zero, or come near it, but are never exactly zero unless packed or filled.
NEVER_ZERO = (
    *("u_component_of_wind", "v_component_of_wind", "specific_humidity"),
    *("10m_u_component_of_wind", "10m_v_component_of_wind"),
)
AT_MOST = 6  # times of larger datasets: two at the start, two in the middle, two at the end


class Field(NamedTuple):
    """One variable on one level at one time."""

    low: float
    high: float
    mean: float  # area-weighted
    deviation: float  # area-weighted standard deviation
    gaps: int
    first_gap: tuple[int, int] | None
    size: int
    zeros: float  # fraction of exact zeros, the outermost rows not counted
    fingerprint: bytes
    coarse: Float[np.ndarray, "lat lon"]
    exact: Zeros | None = None  # exact zeros, for variables in NEVER_ZERO

    @property
    def empty(self) -> bool:
        """Whether every value is missing."""
        return self.gaps == self.size

    @property
    def whole(self) -> bool:
        """Whether every point has a value."""
        return self.gaps == 0


Key = tuple[str, int | None, int | None]  # variable, index into times, level; None if it has none


@dataclass(frozen=True)
class Digest:
    """Fields of the examined times, on coarse `latitude` and `longitude` (degrees)."""

    latitude: np.ndarray
    longitude: np.ndarray
    times: tuple[np.datetime64, ...]
    fields: dict[Key, Field]

    def moments(self, name: str) -> list[int | None]:
        """Indices of the times of a variable; [None] for a static one."""
        return list(dict.fromkeys(time for n, time, _ in self.fields if n == name))

    def column(self, name: str, time: int | None) -> dict[int, Field]:
        """The fields of a variable at a time that have no gaps, by level (hPa, ascending)."""
        return self._columns.get((name, time), {})

    @cached_property
    def _columns(self) -> dict[tuple[str, int | None], dict[int, Field]]:
        columns: dict[tuple[str, int | None], dict[int, Field]] = {}
        for (name, time, level), field in sorted(
            self.fields.items(), key=lambda item: item[0][2] or 0
        ):
            if level is not None and field.whole:
                columns.setdefault((name, time), {})[level] = field
        return columns

    def field(self, name: str, time: int | None) -> Field | None:
        """A field without levels at a time, or None if it is absent or has gaps.

        A static field is the same at every time.
        """
        field = self.fields.get((name, time, None)) or self.fields.get((name, None, None))
        return field if field is not None and field.whole else None

    @property
    def indices(self) -> list[int | None]:
        """Indices of the times, for `column` and `field`; [None] without times."""
        return list(range(len(self.times))) or [None]

    def day(self, time: int | None) -> float | None:
        """Day of the year, 0 at the start of 1 January; None without a time."""
        if time is None:
            return None
        moment = self.times[time]
        return float((moment - moment.astype("datetime64[Y]")) / np.timedelta64(1, "D"))

    @property
    def weights(self) -> Float[np.ndarray, "lat 1"]:
        """Area of the coarse rows, up to a factor."""
        return np.asarray(np.cos(np.deg2rad(self.latitude))[:, None].clip(1e-3))


def digested(dataset: xr.Dataset, chosen: Sequence[int] | None = None) -> Digest:
    """The digest of a canonical Dataset; its times and levels may be in any order.

    Args:
        dataset: canonical.
        chosen: indices of the times that are examined; None for those of `examined_times`.
    """
    chosen = examined_times(dataset) if chosen is None else chosen
    latitude = np.asarray(dataset["latitude"].values, dtype=np.float64)
    longitude = np.asarray(dataset["longitude"].values, dtype=np.float64)
    blocks = _Blocks.of(latitude, longitude)
    fields: dict[Key, Field] = {}
    for name in _known(dataset):
        array = dataset[name].transpose(..., "latitude", "longitude")
        for order, index in enumerate(chosen) if "time" in array.dims else [(None, None)]:
            at_time = array if index is None else array.isel(time=index)
            values = np.asarray(at_time.values, dtype=np.float32)
            labels: list[int | None] = [None]
            if "level" in at_time.dims:
                labels = [int(level) for level in at_time["level"].values]
            values = values.reshape(len(labels), latitude.size, longitude.size)
            for label, plane in zip(labels, values, strict=True):
                field = blocks.field(plane)
                if name in NEVER_ZERO and field.whole:
                    field = field._replace(exact=zeros(plane))
                fields[name, order, label] = field
    times = tuple(dataset["time"].values[i].astype("datetime64[ns]") for i in chosen)
    return Digest(blocks.latitude, blocks.longitude, times, fields)


def examined_times(dataset: xr.Dataset, *, every_time: bool = False) -> list[int]:
    """Indices of the times to examine: all of a small dataset, three pairs of a large one."""
    if "time" not in dataset.dims:
        return []
    count = dataset.sizes["time"]
    small = sum(dataset[name].nbytes for name in _known(dataset)) <= EVERY_TIME_UP_TO
    if every_time or small or count <= AT_MOST:
        return list(range(count))
    middle = count // 2
    return [0, 1, middle, middle + 1, count - 2, count - 1]


def _known(dataset: xr.Dataset) -> list[str]:
    """Variables on the grid that rules judge: the catalogue's, and rain without a known window."""
    return [
        str(name)
        for name, array in dataset.data_vars.items()
        if {"latitude", "longitude"} <= set(array.dims) <= {"time", "level", *_SPACE}
        and array.dtype.kind in "fiu"
        and (name in VARIABLES or name in NAMES_WITHOUT_PERIOD)
    ]


_SPACE = ("latitude", "longitude")


@dataclass(frozen=True)
class _Blocks:
    """Blocks of rows and columns that gather a grid into a coarser one."""

    rows: np.ndarray  # where each block of rows begins
    columns: int  # columns in a block
    weights: np.ndarray  # area of the fine rows; sums to 1
    latitude: np.ndarray
    longitude: np.ndarray

    @classmethod
    def of(cls, latitude: np.ndarray, longitude: np.ndarray) -> "_Blocks":
        """The largest blocks up to 2.5° that divide the grid; a coarser grid stays as it is."""
        high = max(1, int(COARSE / max(abs(np.diff(latitude)).mean(), 1e-6) + 1e-6))
        wide = max(1, int(COARSE * longitude.size / 360 + 1e-6))
        wide = next(n for n in range(wide, 0, -1) if longitude.size % n == 0)
        rows = np.arange(0, latitude.size, high)
        if latitude.size - rows[-1] < (high + 1) / 2 and rows.size > 1:
            rows = rows[:-1]  # a thin last block, such as one pole row, joins its neighbour
        counts = np.diff(np.append(rows, latitude.size))
        weights = np.cos(np.deg2rad(latitude)).clip(0)
        weights = np.where(weights < 1e-6, 1e-6, weights)
        return cls(
            rows,
            wide,
            weights / weights.sum(),
            np.add.reduceat(latitude, rows) / counts,
            longitude.reshape(-1, wide).mean(1),
        )

    def field(self, values: Float[np.ndarray, "lat lon"]) -> Field:
        """The digest of one plane; gaps (NaN, infinite) are left out of extremes and means."""
        finite: Bool[np.ndarray, "lat lon"] = np.isfinite(values)
        gaps = int(values.size - np.count_nonzero(finite))
        if gaps == values.size:
            nothing = np.full((self.rows.size, self.longitude.size), np.nan)
            nan = float("nan")
            return Field(nan, nan, nan, nan, gaps, (0, 0), values.size, 0.0, b"", nothing)
        filled = values if not gaps else np.where(finite, values, np.float32(0))
        sums = self._gathered(filled)
        counts = self._gathered(finite.astype(np.float32)) if gaps else None
        per_row = finite.sum(1) if gaps else np.full(values.shape[0], values.shape[1])
        area = float(self.weights @ per_row)
        mean = float(self.weights @ filled.sum(1, dtype=np.float64)) / area
        from_mean = np.where(finite, filled - np.float32(mean), np.float32(0))
        square = np.einsum("ij,ij->i", from_mean, from_mean).astype(np.float64)
        inner = values[1:-1]
        first = tuple(int(i) for i in np.argwhere(~finite)[0]) if gaps else None
        return Field(
            low=float(values.min() if not gaps else values[finite].min()),
            high=float(values.max() if not gaps else values[finite].max()),
            mean=mean,
            deviation=float(np.sqrt(self.weights @ square / area)),
            gaps=gaps,
            first_gap=None if first is None else (first[0], first[1]),
            size=values.size,
            zeros=1 - np.count_nonzero(inner) / max(inner.size, 1),
            fingerprint=hashlib.blake2b(np.ascontiguousarray(values).data, digest_size=16).digest(),
            coarse=self._means(sums, counts),
        )

    def _gathered(self, values: np.ndarray) -> np.ndarray:
        by_column = values.reshape(values.shape[0], -1, self.columns).sum(-1, dtype=np.float64)
        return np.asarray(np.add.reduceat(by_column, self.rows, axis=0))

    def _means(self, sums: np.ndarray, counts: np.ndarray | None) -> np.ndarray:
        if counts is None:
            heights = np.diff(np.append(self.rows, self.weights.size))
            return np.asarray(sums / (heights * self.columns)[:, None])
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
