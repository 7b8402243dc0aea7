"""The events that a running forecast reports, to be shown or logged."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from data.doctor import Finding
from data.stores.forecast.header import ForecastHeader
from graphcast.operations.run import Member


class Noticed(NamedTuple):
    """Something in the inputs looks odd; the forecast goes on."""

    findings: tuple[Finding, ...]


class Inputs(NamedTuple):
    """The inputs are open: where they are, and the times that they have."""

    places: tuple[str, ...]
    times: np.ndarray


class Opened(NamedTuple):
    """The store is open; `resumed` of its cells are from an interrupted run."""

    header: ForecastHeader
    resumed: int


class Standing(NamedTuple):
    """The forecast is there already, from the same inputs; nothing is written."""

    header: ForecastHeader


class Taken(NamedTuple):
    """So many leads were taken from the finished forecast that this one goes further than."""

    leads: int


class Started(NamedTuple):
    """A window was read; `notes` name variables that were computed, converted or repeated."""

    init_time: np.datetime64
    member: Member
    notes: tuple[str, ...]


class Failed(NamedTuple):
    """A forecast could not be made, for this reason; the others go on."""

    init_time: np.datetime64
    member: Member
    reason: str


class Written(NamedTuple):
    """One lead of a forecast is on the disk."""

    init_time: np.datetime64
    member: Member
    lead: np.timedelta64


Event: TypeAlias = Noticed | Inputs | Opened | Standing | Taken | Started | Failed | Written
Report: TypeAlias = Callable[[Event], None]


def silent(_: Event) -> None:
    """Report nothing."""
