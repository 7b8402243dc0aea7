"""A part of a forecast: some of its variables, levels, lead times, members, or a region."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from data.variables import VARIABLES
from data.wording import hour, hours, listed


@dataclass(frozen=True)
class Box:
    """A region in degrees; from `west` to `east` it goes eastwards and may cross any meridian.

    Raises:
        ValueError: south is not below north, or a latitude lies beyond a pole.
    """

    south: int | float
    north: int | float
    west: int | float
    east: int | float

    def __str__(self) -> str:
        """`35 to 75 degrees north, -12.5 to 42.5 degrees east`, for messages."""
        return (
            f"{self.south:g} to {self.north:g} degrees north, {self.west:g} to {self.east:g}"
            " degrees east"
        )

    def __post_init__(self) -> None:
        """Check the rules above."""
        if not -90 <= self.south < self.north <= 90:
            raise ValueError(
                "a region reaches from a latitude in the south to one in the north, within -90 and"
                f" 90 degrees, and {self.south:g} to {self.north:g} does not"
            )


@dataclass(frozen=True)
class Part:
    """Which part of a forecast is meant; an empty tuple means all.

    Attributes:
        variables: names of the catalogue, or short names (2t, msl, z).
        levels: hPa.
        leads: lead times.
        init_times: UTC.
        members: labels along `number`.
        box: a region; None for the whole globe.
    """

    variables: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    leads: tuple[np.timedelta64, ...] = ()
    init_times: tuple[np.datetime64, ...] = ()
    members: tuple[int, ...] = ()
    box: Box | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Part()

    def of(self, forecast: xr.Dataset) -> xr.Dataset:
        """The part of a forecast in the layout of our stores, unread.

        Raises:
            ValueError: the forecast lacks something that is asked for.
        """
        if self.variables:
            forecast = forecast[_names(forecast, self.variables)]
        for dim, wanted, word in (
            ("level", self.levels, "level (hPa)"),
            ("prediction_timedelta", self.leads, "lead time (h)"),
            ("time", self.init_times, "init time"),
            ("number", self.members, "member"),
        ):
            if wanted:
                forecast = forecast.isel({dim: _positions(forecast, dim, wanted, word)})
        if self.box is not None:
            forecast = _within(forecast, self.box)
        if not any("level" in field.dims for field in forecast.data_vars.values()):
            forecast = forecast.drop_vars("level", errors="ignore")
        return forecast


def _names(forecast: xr.Dataset, wanted: Sequence[str]) -> list[str]:
    present = [str(name) for name in forecast.data_vars]
    short = {VARIABLES[name].short_name: name for name in present if name in VARIABLES}
    short |= {alias: name for name in short.values() for alias in VARIABLES[name].aliases}
    unknown = [name for name in wanted if name not in present and name not in short]
    if unknown:
        raise ValueError(
            f"the forecast has no variable {listed(unknown)}; it has {listed(present, 99)}"
        )
    return [short.get(name, name) for name in dict.fromkeys(wanted)]


def _positions(forecast: xr.Dataset, dim: str, wanted: Sequence[Any], word: str) -> list[int]:
    """Where the wanted labels stand, in the forecast's order."""
    spellings: dict[str, Callable[[Any], Any]] = {"prediction_timedelta": hours, "time": hour}
    spelt = spellings.get(dim, int)
    present = [*forecast[dim].values] if dim in forecast.dims else []
    lacking = [value for value in wanted if not any(value == label for label in present)]
    if lacking:
        has = listed(map(spelt, present)) or "none"
        raise ValueError(f"the forecast has no {word} {listed(map(spelt, lacking))}; it has {has}")
    return [i for i, label in enumerate(present) if any(label == value for value in wanted)]


def _within(forecast: xr.Dataset, box: Box) -> xr.Dataset:
    """Rows and columns in the box or on its edge; longitudes ascend from its west."""
    latitude, longitude = forecast["latitude"].values, forecast["longitude"].values
    rows = np.flatnonzero((box.south <= latitude) & (latitude <= box.north))
    width = box.east - box.west
    width = 360.0 if abs(width) >= 360 else width % 360
    east_of_west = (longitude - box.west) % 360
    columns = np.flatnonzero(east_of_west <= width)
    columns = columns[np.argsort(east_of_west[columns], kind="stable")]
    if not rows.size or not columns.size:
        raise ValueError(
            f"no point of the forecast's grid lies within {box}; ask for a larger region"
        )
    cut = forecast.isel(latitude=rows, longitude=columns)
    labels = box.west + east_of_west[columns]
    return cut.assign_coords(longitude=("longitude", labels, forecast["longitude"].attrs))
