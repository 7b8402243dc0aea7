"""Fields that several files of a series hold: what their labels say counts, never what came first.

A final analysis goes before a preliminary one. Files that hold the same field with the same right
must hold the same values; they are compared when they are read.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import xarray as xr

# Fields packed into 16 bits differ by steps of the range / 65,535 from file to file.
PACKING = 1e-4  # of a field's range


class DoubledError(ValueError):
    """Two files hold one field with different values, and nothing says which counts."""


class Held(NamedTuple):
    """A variable as one file holds it, and the times at which it is preliminary there."""

    file: str
    array: xr.DataArray
    preliminary: np.ndarray


def joined(held: Sequence[Held]) -> xr.DataArray:
    """One array of all levels and times that the files hold, still lazy.

    Raises:
        DoubledError: when values are computed, where two files contradict each other.
    """
    if len(held) == 1:
        return held[0].array
    if "level" in held[0].array.dims:
        levels = [tuple(each.array["level"].values.tolist()) for each in held]
        if len(set(levels)) > 1:
            return _of_all_levels(held, sorted(set().union(*levels)))
    return _of_all_times(held) if "time" in held[0].array.dims else held[0].array


def _of_all_levels(held: Sequence[Held], levels: list[int]) -> xr.DataArray:
    by_level = []
    for level in levels:
        having = [h._replace(array=h.array.sel(level=[level])) for h in held if _has(h, level)]
        by_level.append(_of_all_times(having) if len(having) > 1 else having[0].array)
    return xr.concat(by_level, "level", join="outer", coords="minimal", compat="override")


def _has(held: Held, level: int) -> bool:
    return bool((held.array["level"] == level).any())


def _of_all_times(held: Sequence[Held]) -> xr.DataArray:
    """At each time the file whose stream is final, compared with others of the same right."""
    owners: dict[int, tuple[bool, int]] = {}  # time → whether preliminary, and which file
    rivals: dict[tuple[int, int], list[int]] = {}  # owner and rival → times
    for index, each in enumerate(held):
        times = each.array["time"].values.astype("datetime64[ns]")
        early = np.isin(times, each.preliminary)
        for time, preliminary in zip(times.astype(np.int64).tolist(), early.tolist(), strict=True):
            owner = owners.get(time)
            if owner is None or preliminary < owner[0]:
                owners[time] = (preliminary, index)
            elif preliminary == owner[0]:
                rivals.setdefault((owner[1], index), []).append(time)
    parts = []
    for index in range(len(held)):
        own = [t for t, (_, owner) in owners.items() if owner == index]
        if own:
            contested = {
                o: [t for t in ts if t in own] for (i, o), ts in rivals.items() if i == index
            }
            parts.append(_compared(held, index, sorted(own), contested).to_dataset(name="field"))
    everything = xr.concat(
        parts, "time", data_vars="minimal", coords="minimal", compat="override", join="exact"
    )
    return everything["field"].sortby("time").rename(held[0].array.name)


def _compared(
    held: Sequence[Held], index: int, own: list[int], contested: dict[int, list[int]]
) -> xr.DataArray:
    """A file's array at its own times, which raises if a rival has other values."""
    array = held[index].array.sel(time=_times(own))
    for other, times in contested.items():
        if times:
            both = (
                held[index].array.sel(time=_times(times)),
                held[other].array.sel(time=_times(times)),
            )
            words = f"{array.name} of the same time is in {held[index].file} and {held[other].file}"
            same = xr.apply_ufunc(
                partial(_same_values, words),
                *both,
                dask="parallelized",
                output_dtypes=[array.dtype],
                keep_attrs=True,
            )
            rest = [t for t in own if t not in times]
            pieces = [same, array.sel(time=_times(rest))] if rest else [same]
            array = xr.concat(pieces, "time").sortby("time") if rest else same
            array.attrs = held[index].array.attrs
    return array


def _same_values(words: str, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    slack = PACKING * float(np.ptp(one)) if one.size and np.isfinite(one).all() else 0.0
    if not np.allclose(one, other, rtol=1e-6, atol=slack, equal_nan=True):
        raise DoubledError(f"each field must come once, and {words}, with other values; remove one")
    return one


def _times(nanoseconds: list[int]) -> np.ndarray:
    return np.array(nanoseconds, np.int64).astype("datetime64[ns]")
