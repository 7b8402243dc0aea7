"""Forcings that files give, and the forcings at a time: read where a file has them, else computed.

Several files may give the same forcing. A user's own forcings file goes before the inputs, and both
go before what `data.forcings` computes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from data.forcings import FORCINGS, forcing_frame
from data.plausibility import check_values
from data.requirements import check_units
from data.wording import hour, reason


@dataclass(frozen=True)
class FileForcings:
    """Forcing variables along time, lazy, by the role of the file that gives them.

    Attributes:
        by_role: a canonical Dataset, which may be empty, for each role ("the forcings", "the
            inputs"); those that take precedence come first.
    """

    by_role: Mapping[str, xr.Dataset]

    @classmethod
    def in_files(
        cls, files: Mapping[str, xr.Dataset | None], names: Iterable[str]
    ) -> "FileForcings":
        """The forcings among `names` that each file gives along time.

        Raises:
            ValueError: a forcing states a unit that is not the catalogue's.
        """
        names = tuple(names)
        by_role = {}
        for role, file in files.items():
            if file is not None:
                along_time = [n for n in names if n in file and "time" in file[n].dims]
                check_units(file, along_time)
                by_role[role] = file[along_time]
        return cls(by_role)

    @property
    def datasets(self) -> tuple[xr.Dataset, ...]:
        """The forcings of each file, in the order of precedence."""
        return tuple(self.by_role.values())

    def after(self, time: np.datetime64) -> "FileForcings":
        """Only the forcings valid later than a time."""
        return FileForcings({role: _after(time, ds) for role, ds in self.by_role.items()})

    def gives(self, name: str, times: Iterable[np.datetime64]) -> bool:
        """Whether some file has the forcing at each of the times."""
        return all(name in self._sources([name], time) for time in times)

    def origin(self, name: str) -> str:
        """Where a forcing comes from, in words: the files with their times, or the computation."""
        origins = [
            f"read from {role} for {hour(times[0])} … {hour(times[-1])}"
            for role, dataset in self.by_role.items()
            if name in dataset and (times := dataset["time"].values).size
        ]
        if not origins:
            return "computed for later times"
        return ", else ".join(origins) + (", computed beyond" if name in FORCINGS else "")

    def frame(self, names: Sequence[str], time: np.datetime64, grid: xr.Dataset) -> xr.Dataset:
        """Forcings at one time, read where a file gives them and else computed.

        Args:
            names: forcings of the catalogue.
            time: the UTC time at which they are valid.
            grid: a Dataset whose latitude and longitude the result has.

        Raises:
            ValueError: a value that was read has gaps or cannot be in its unit; a forcing that no
                file has and that cannot be computed.
        """
        latitude, longitude = grid["latitude"], grid["longitude"]
        read = self.read(names, time)
        computed = [name for name in names if name not in read]
        frame = forcing_frame(computed, time, latitude.values, longitude.values).assign(read)
        # Selected first: clocks alone would lose the coordinates that they do not vary in.
        return frame[list(names)].assign_coords(latitude=latitude, longitude=longitude)

    def read(self, names: Iterable[str], time: np.datetime64) -> dict[str, xr.Variable]:
        """The forcings among `names` that a file gives at a time, loaded and checked.

        Without coordinates: they match the inputs' up to rounding, and the inputs' are kept.
        """
        read = {}
        for name, source in self._sources(names, time).items():
            array = loaded(source[[name]].sel(time=[time]))[name]
            check_values(array)
            read[name] = array.isel(time=0).variable
        return read

    def _sources(self, names: Iterable[str], time: np.datetime64) -> dict[str, xr.Dataset]:
        """The first Dataset that has each name at the time."""
        sources: dict[str, xr.Dataset] = {}
        for dataset in reversed(self.datasets):
            if "time" in dataset.coords and (dataset["time"].values == time).any():
                sources |= {name: dataset for name in names if name in dataset}
        return sources


def loaded(dataset: xr.Dataset) -> xr.Dataset:
    """The fields in memory, float32.

    Raises:
        ValueError: they cannot be read.
    """
    try:
        dataset = dataset.load()
    except Exception as error:  # each format's library has its own; all mean the same here
        raise ValueError(
            f"the fields of the input could not be read ({reason(error)}); fetch the file again"
        ) from error
    return dataset.map(lambda array: array.astype(np.float32), keep_attrs=True)


def _after(time: np.datetime64, dataset: xr.Dataset) -> xr.Dataset:
    if "time" not in dataset.dims:
        return dataset
    later = dataset.isel(time=np.flatnonzero(dataset["time"].values > time))
    return later if later.sizes["time"] else later.drop_dims("time")
