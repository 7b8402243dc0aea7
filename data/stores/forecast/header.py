"""The metadata of a forecast store: its cells, coordinates and CF attributes.

`ForecastHeader` is everything about a forecast but its values, known before the first step.
`ForecastStore` is laid out from it, and resumes only a forecast with the same one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from data.stores.cf import (
    CONVENTIONS,
    EPOCH,
    TIME_ATTRS,
    TIME_UNITS,
    field_dims,
    space_coordinates,
)
from data.stores.kind import label
from data.variables import VARIABLES, check_names

LAYOUT = 2  # of the store; part of the fingerprint: another layout is never resumed
CELL_DIMS = ("time", "number", "prediction_timedelta")  # each index has its own chunk


class Cell(NamedTuple):
    """Position of one forecast field set: initial time, member, lead time; written at once."""

    init: int
    member: int
    lead: int


@dataclass(frozen=True)
class ForecastHeader:
    """Everything about a forecast but its values.

    All but `history` is in the fingerprint; leave the clock out of `history` where two runs should
    give the same bytes.

    Attributes:
        variables: names from `data.variables`.
        init_times: initial times, UTC, whole hours, ascending.
        leads: lead times, positive, whole hours, ascending.
        levels: hPa, ascending.
        latitude: degrees, ascending.
        longitude: degrees, ascending.
        members: labels along `number`; none means one forecast for each initial time, and no such
            dimension.
        provenance: JSON text: weights, inputs, versions.
        nonnegative: variables that are written without values below zero (see `clipping`).
        zarr_format: 3, or 2 for tools that read nothing else.

    Raises:
        ValueError: a variable is unknown, or coordinates are not as above.
    """

    variables: tuple[str, ...]
    init_times: tuple[np.datetime64, ...]
    leads: tuple[np.timedelta64, ...]
    levels: tuple[int, ...]
    latitude: tuple[float, ...]
    longitude: tuple[float, ...]
    members: tuple[int, ...] = ()
    title: str = "Global weather forecast"
    institution: str = ""
    source: str = ""
    history: str = ""
    references: str = ""
    comment: str = ""
    provenance: str = "{}"
    nonnegative: tuple[str, ...] = ()
    zarr_format: Literal[2, 3] = 3

    def __post_init__(self) -> None:
        """Check the rules above."""
        check_names(self.variables)
        assert set(self.nonnegative) <= set(self.variables)
        if not self.variables or not self.init_times or not self.leads:
            raise ValueError(
                "a forecast store needs at least one variable, one initial time and one lead time, "
                f"got {len(self.variables)}, {len(self.init_times)} and {len(self.leads)}"
            )
        if self._hours(self.leads).min() <= 0:
            raise ValueError(
                f"lead times must be positive, got {min(self.leads)}; the first is one step"
            )
        for name in ("init_times", "leads", "members", "levels", "latitude", "longitude"):
            values = np.array(getattr(self, name))
            if (values[1:] <= values[:-1]).any():
                raise ValueError(
                    f"a forecast store's {name} must ascend without repeats, got {values.tolist()}"
                )
        self._hours(np.array(self.init_times) - EPOCH)
        json.loads(self.provenance)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of everything but the history."""
        content = {k: v for k, v in asdict(self).items() if k != "history"}
        text = json.dumps({"layout": LAYOUT, **content}, default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of the store, lead time fastest."""
        shape = (len(self.init_times), len(self.members) or 1, len(self.leads))
        return tuple(Cell(*index) for index in np.ndindex(shape))

    @property
    def cell_bytes(self) -> int:
        """Size of one cell before compression."""
        return 4 * sum(int(np.prod(self.field_shape(name))) for name in self.variables)

    def field_dims(self, name: str) -> tuple[str, ...]:
        """Dimensions of a variable within one cell."""
        return field_dims(name)

    def field_shape(self, name: str) -> tuple[int, ...]:
        """Shape of a variable within one cell."""
        sizes = {d: len(getattr(self, f)) for d, f in COORDINATE_FIELDS.items()}
        return tuple(sizes[dim] for dim in self.field_dims(name))

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a variable in the whole store."""
        members = (len(self.members),) * bool(self.members)
        return (len(self.init_times), *members, len(self.leads), *self.field_shape(name))

    def cell(self, values: Mapping[str, Any]) -> xr.Dataset:
        """The values of one cell with their dimensions and coordinates."""
        fields = {name: (self.field_dims(name), np.asarray(values[name])) for name in values}
        coords = self.coordinates()
        used = {dim for dims, _ in fields.values() for dim in dims}
        return xr.Dataset(fields, {dim: coords[dim] for dim in used})

    @property
    def cell_dims(self) -> tuple[str, ...]:
        """Dimensions that count the cells."""
        return ("time", *("number",) * bool(self.members), "prediction_timedelta")

    @staticmethod
    def _hours(durations: Any) -> np.ndarray:
        exact = np.asarray(durations).astype("timedelta64[ns]")
        hours = exact // np.timedelta64(1, "h")
        if (hours * np.timedelta64(1, "h") != exact).any():
            raise ValueError(
                "initial times and lead times must be whole hours, got one that is "
                f"{(exact % np.timedelta64(1, 'h')).max().astype('timedelta64[s]')} past the hour"
            )
        return hours.astype(np.int64)

    def coordinates(self) -> dict[str, xr.Variable]:
        """The coordinate variables as stored, with their CF attributes."""
        init = self._hours(np.array(self.init_times) - EPOCH)
        lead = self._hours(self.leads)
        columns = {
            "time": (("time",), init),
            "forecast_reference_time": (("time",), init),
            "prediction_timedelta": (("prediction_timedelta",), lead),
            "valid_time": (("time", "prediction_timedelta"), init[:, None] + lead),
        }
        variables = {n: xr.Variable(*column, CELL_ATTRS[n]) for n, column in columns.items()}
        variables |= space_coordinates(self.levels, self.latitude, self.longitude)
        if self.members:
            numbers = np.array(self.members, np.int64)
            variables["number"] = xr.Variable(("number",), numbers, CELL_ATTRS["number"])
        return variables

    def variable_attrs(self, name: str) -> dict[str, str]:
        """CF attributes of a variable."""
        row = VARIABLES[name]
        # In a forecast `time` is the initial time: what is summed is the forecast period.
        cell_methods = (row.cell_methods or "").replace("time:", "prediction_timedelta:")
        attrs = {
            "standard_name": row.standard_name or "",
            "long_name": row.long_name,
            "short_name": row.short_name,
            "units": row.units,
            "units_metadata": "temperature: on_scale" if row.units == "K" else "",
            "cell_methods": cell_methods,
            "comment": _CLIPPED if name in self.nonnegative else "",
            "coordinates": "valid_time forecast_reference_time",
        }
        return {key: text for key, text in attrs.items() if text}

    def global_attrs(self) -> dict[str, str | int]:
        """Global attributes; empty ones are left out."""
        named = ("title", "institution", "source", "history", "references", "comment", "provenance")
        attrs = {"Conventions": CONVENTIONS, **{key: getattr(self, key) for key in named}}
        return {
            **{key: text for key, text in attrs.items() if text},
            "fingerprint": self.fingerprint,
            **label("forecast", LAYOUT),
        }


_CLIPPED = (
    "values below zero, which the model may predict, are set to 0: clipped_fraction of all values,"
    " down to clipped_minimum; clipped_mean is the mean over all values of what was cut off"
)

COORDINATE_FIELDS = {
    "time": "init_times",
    "number": "members",
    "prediction_timedelta": "leads",
    "level": "levels",
    "latitude": "latitude",
    "longitude": "longitude",
}

CELL_ATTRS: dict[str, dict[str, str]] = {
    # In this layout `time` is the initial time. CF checkers want the standard name "time" for a
    # dimension of this name; the coordinate forecast_reference_time has the right one.
    "time": {**TIME_ATTRS, "long_name": "initial time of the forecast"},
    "forecast_reference_time": {
        "standard_name": "forecast_reference_time",
        "long_name": "initial time of the forecast",
        "units": TIME_UNITS,
        "calendar": "proleptic_gregorian",
        "units_metadata": "leap_seconds: none",
    },
    "prediction_timedelta": {
        "standard_name": "forecast_period",
        "long_name": "lead time: valid time minus initial time",
        "units": "hours",
        "dtype": "timedelta64[ns]",  # tells xarray to decode a duration, without a warning
    },
    "valid_time": {
        "standard_name": "time",
        "long_name": "time at which the forecast is valid",
        "units": TIME_UNITS,
        "calendar": "proleptic_gregorian",
        "units_metadata": "leap_seconds: none",
    },
    "number": {
        "standard_name": "realization",
        "long_name": "forecast member",
        "units": "1",
    },
}


def decoded_attrs(name: str) -> dict[str, str]:
    """Attributes of a coordinate of times or leads once xarray has decoded its units.

    >>> decoded_attrs("number")["standard_name"]
    'realization'
    """
    encoded = ("units", "calendar", "dtype")
    return {key: text for key, text in CELL_ATTRS[name].items() if key not in encoded}
