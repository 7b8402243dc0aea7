"""`Occasion`: what is known at one init time and lead time, read when it is asked for."""

from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np
import xarray as xr

from verification.alignment import SEEPS, Alignment
from verification.climatology import SEASONAL, places_at
from verification.derived import derived_named
from verification.fields import Recent, Series
from verification.sample import Fields


class Reader:
    """Reads the fields of an alignment, variable by variable and time by time."""

    def __init__(self, alignment: Alignment, variables: Iterable[str], recent: Recent) -> None:
        self.alignment = alignment
        self._wanted = {v: derived_named(v) if v in alignment.derived else None for v in variables}
        names = dict.fromkeys(n for v, d in self._wanted.items() for n in (d.inputs if d else (v,)))
        leads = ("time", "prediction_timedelta")
        self._forecast = {n: Series(alignment.forecast[n], leads, recent) for n in names}
        self._truth = {n: Series(alignment.truth[n], ("time",), recent) for n in names}
        seasonal = alignment.climatology
        self._climatology = {} if seasonal is None else _seasonal(seasonal, recent)
        self._inits = {t: i for i, t in enumerate(alignment.forecast["time"].values.tolist())}
        self._times = {t: i for i, t in enumerate(alignment.truth["time"].values.tolist())}

    def at(self, init_time: np.datetime64, lead_place: int) -> "Occasion":
        """The occasion of an init time and the position of a lead time."""
        return Occasion(self, init_time, lead_place)

    def forecast(self, init_time: np.datetime64, lead_place: int) -> Fields:
        """The forecast's fields."""
        init = self._inits[_key(init_time)]
        return self._fields(lambda name: self._forecast[name].at(init, lead_place))

    def truth(self, time: np.datetime64) -> Fields | None:
        """The truth's fields at a time, None where it does not have it."""
        place = self._times.get(_key(time))
        if place is None:
            return None
        return self._fields(lambda name: self._truth[name].at(place))

    def climatology(self, time: np.datetime64) -> Fields | None:
        """The climatological mean at a valid time, None where there is no climatology."""
        seasonal = self.alignment.climatology
        if seasonal is None:
            return None

        def read(name: str) -> np.ndarray:
            return self._climatology[name].at(*places_at(seasonal[name], time))

        extra = [name for name in self._climatology if SEEPS in name]
        fields = self._fields(read, linear_only=True)
        return Fields({**fields, **{name: read(name) for name in extra}})

    def _fields(self, read: Callable[[str], np.ndarray], *, linear_only: bool = False) -> Fields:
        """Every wanted variable; of the climatology, those that averaging in time leaves true."""
        grid, levels = self.alignment.grid, self.alignment.levels
        arrays: dict[str, np.ndarray] = {}
        for name, derived in self._wanted.items():
            if derived is None:
                arrays[name] = read(name)
            elif derived.linear or not linear_only:
                inputs = Fields({n: read(n) for n in derived.inputs})
                arrays[name] = derived.compute(inputs, grid, levels)
        return Fields(arrays)


class Occasion:
    """One init time and lead time; entrants make their forecasts from it."""

    def __init__(self, reader: Reader, init_time: np.datetime64, lead_place: int) -> None:
        self._reader = reader
        self.init_time = init_time
        self.lead_place = lead_place
        lead = reader.alignment.forecast["prediction_timedelta"].values[lead_place]
        self.valid_time: np.datetime64 = init_time + lead

    @cached_property
    def forecast(self) -> Fields:
        """The forecast's own fields, members included."""
        return self._reader.forecast(self.init_time, self.lead_place)

    @cached_property
    def truth(self) -> Fields:
        """The truth at the valid time."""
        fields = self._reader.truth(self.valid_time)
        assert fields is not None  # `Alignment.scored` says which valid times the truth has
        return fields

    @cached_property
    def start(self) -> Fields | None:
        """The truth at the init time, None where it does not have that time."""
        return self._reader.truth(self.init_time)

    @cached_property
    def climatology(self) -> Fields | None:
        """The climatological mean at the valid time, None where none is given."""
        return self._reader.climatology(self.valid_time)


def _seasonal(climatology: xr.Dataset, recent: Recent) -> dict[str, Series]:
    return {
        str(name): Series(array, [d for d in SEASONAL if d in array.dims], recent)
        for name, array in climatology.data_vars.items()
    }


def _key(time: np.datetime64) -> int:
    return int(time.astype("datetime64[ns]").astype(np.int64))
