"""The metadata of a dataset of analyses: its variables, coordinates and CF attributes.

`DatasetHeader` is everything about a dataset but its times and values. `DatasetStore` is laid out
from it; it resumes, or adds times to, only a store with the same header.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from data.stores.cf import CONVENTIONS, EPOCH, TIME_ATTRS, field_dims, space_coordinates
from data.stores.kind import SIMULATED, kind_of, label, recorded
from data.variables import VARIABLES, check_names

LAYOUT = 2  # of the store; part of the fingerprint: nothing is added to another layout
GROUP_BYTES = 2**28  # of one group of times, before compression; unless one time is larger
MOST_TIMES = 8  # in a group: ten times need as much memory as a thousand
TIME_CHUNK = 4096  # of the coordinate: fixed, so that added times leave earlier chunks valid

Note = tuple[str, str, str]  # variable, its cell_methods, what was done to it


@dataclass(frozen=True)
class DatasetHeader:
    """Everything about a dataset but its times and values.

    Attributes:
        variables: names from `data.variables` that vary in time.
        statics: names of variables that do not.
        levels: hPa, ascending.
        latitude: degrees, ascending.
        longitude: degrees, ascending.
        notes: notes of what was done to single variables.
        statics_sha256: SHA-256 (hex) of the values of the statics.
        test_period: dates that statistics leave out (2018-01-01/2018-12-31).
        provenance: JSON text: where the data came from and what was asked for, but neither times,
            clock nor versions, so that a dataset made in two parts has the header of one made in
            one.
        simulated_by: what simulated the weather; "" for the Earth's.
        remarks: what was left out of the source, and which times are preliminary; a line each.
        group_bytes: most bytes of a group of times, before compression.

    Raises:
        ValueError: a variable is unknown, or coordinates do not ascend.
    """

    variables: tuple[str, ...]
    statics: tuple[str, ...]
    levels: tuple[int, ...]
    latitude: tuple[float, ...]
    longitude: tuple[float, ...]
    title: str
    source: str
    comment: str = ""
    notes: tuple[Note, ...] = ()
    statics_sha256: str = ""
    test_period: str = ""
    provenance: str = "{}"
    simulated_by: str = ""
    remarks: str = ""
    group_bytes: int = GROUP_BYTES

    def __post_init__(self) -> None:
        """Check the rules above."""
        check_names((*self.variables, *self.statics))
        if not self.variables:
            raise ValueError("a dataset has at least one variable that varies in time, got none")
        for name in ("levels", "latitude", "longitude"):
            values = np.array(getattr(self, name))
            if (values[1:] <= values[:-1]).any():
                raise ValueError(
                    f"a dataset's {name} must ascend without repeats, got {values.tolist()}"
                )

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the header."""
        content = asdict(self)
        for derived in ("simulated_by", "remarks"):  # follow from the source and the times
            del content[derived]
        text = json.dumps({"layout": LAYOUT, **content}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def time_bytes(self) -> int:
        """Size of one time before compression."""
        return 4 * sum(int(np.prod(self.field_shape(name))) for name in self.variables)

    @property
    def group_times(self) -> int:
        """Times in one group, which is one shard per variable and is written at once."""
        return int(np.clip(self.group_bytes // self.time_bytes, 1, MOST_TIMES))

    def field_dims(self, name: str) -> tuple[str, ...]:
        """Dimensions of a variable at one time."""
        return field_dims(name)

    def field_shape(self, name: str) -> tuple[int, ...]:
        """Shape of a variable at one time."""
        sizes = {"level": self.levels, "latitude": self.latitude, "longitude": self.longitude}
        return tuple(len(sizes[dim]) for dim in self.field_dims(name))

    def coordinates(self, times: np.ndarray) -> dict[str, xr.Variable]:
        """The coordinate variables as stored, with their CF attributes."""
        time = xr.Variable(("time",), whole_hours(times), TIME_ATTRS)
        return {"time": time} | space_coordinates(self.levels, self.latitude, self.longitude)

    def variable_attrs(self, name: str) -> dict[str, str]:
        """CF attributes of a variable."""
        row = VARIABLES[name]
        methods, note = next((note[1:] for note in self.notes if note[0] == name), ("", ""))
        attrs = {
            **row.attributes,
            "short_name": row.short_name,
            "units_metadata": "temperature: on_scale" if row.units == "K" else "",
            "cell_methods": methods or row.cell_methods or "",
            "provenance": note,
        }
        return {key: text for key, text in attrs.items() if text}

    def global_attrs(self) -> dict[str, str]:
        """Global attributes; empty ones are left out."""
        attrs = {
            "Conventions": CONVENTIONS,
            "title": self.title,
            "source": self.source,
            "comment": self.comment,
            "test_period": self.test_period,
            SIMULATED: self.simulated_by,
            "remarks": self.remarks,
            "provenance": self.provenance,
            "fingerprint": self.fingerprint,
        }
        kept = {key: text for key, text in attrs.items() if text}
        return {**kept, **label("analyses", LAYOUT)}


def is_repeated(attributes: Mapping[Any, Any]) -> bool:
    """Whether a dataset records that its one analysis was repeated, on request, at two times."""
    if kind_of(attributes) != "analyses":
        return False
    recipe = recorded(attributes, "provenance").get("recipe")
    return isinstance(recipe, dict) and bool(recipe.get("repeat_single", False))


def whole_hours(times: Sequence[np.datetime64] | np.ndarray) -> np.ndarray:
    """Hours since 1970 (int64).

    Raises:
        ValueError: times are not whole hours, or do not ascend.
    """
    exact = np.asarray(times, dtype="datetime64[ns]")
    hours = exact.astype("datetime64[h]")
    if (hours != exact).any():
        odd = exact[hours != exact][0].astype("datetime64[s]")
        raise ValueError(f"a dataset's times are whole hours (UTC), and one is {odd}; leave it out")
    if (hours[1:] <= hours[:-1]).any():
        raise ValueError("a dataset's times ascend, each once; sort them and drop what is twice")
    return (hours - EPOCH).astype(np.int64)
