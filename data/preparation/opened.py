"""A recipe with its source open, which gives fields on the recipe's levels and grid.

Names, totals of precipitation, levels and grid are treated in this order, all lazily; `loaded`
computes the result.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from data.canonical.precipitation import HOURLY, PERIODS, hours_needed, total
from data.preparation.recipe import Recipe
from data.regrid import regrid
from data.regrid.levels import interpolate_levels, select_levels
from data.sources import Series, missing_times, open_series
from data.sources.grids import grid_named
from data.sources.network import download
from data.sources.series.doubles import DoubledError
from data.stores.reading import MissingChunkError
from data.task import STEP
from data.variables import VARIABLES
from data.wording import hour, hours, listed, reason
from mesh.grid import LatLonGrid


@dataclass(frozen=True)
class Opened:
    """A recipe with its source, which is opened when it is first needed.

    A copy for another process holds the recipe alone, so each worker process opens the source
    for itself.
    """

    recipe: Recipe

    @classmethod
    def with_series(cls, recipe: Recipe, series: Series) -> "Opened":
        """A recipe whose source is open already."""
        opened = cls(recipe)
        opened.__dict__["series"] = _on_levels(series, recipe)
        return opened

    @cached_property
    def series(self) -> Series:
        """The source, on the recipe's levels."""
        return _on_levels(open_series(self.recipe.source), self.recipe)

    @cached_property
    def grid(self) -> LatLonGrid | None:
        """The target grid; None is the source's."""
        return None if self.recipe.grid is None else grid_named(self.recipe.grid)

    def __reduce__(self) -> tuple[type["Opened"], tuple[Recipe]]:
        return Opened, (self.recipe.with_whole_paths(),)

    def times(self, asked: np.ndarray | None, step: np.timedelta64 = STEP) -> np.ndarray:
        """The times of the dataset: those asked for, or all of the source, one step apart.

        Raises:
            ValueError: the source lacks times, or is a service and no times were asked for.
        """
        if self.recipe.repeat_single:
            return self._repeated(step)
        if asked is None:
            return self._all_times(step)
        lacking = missing_times(self.series, asked)
        if lacking.size:
            assert self.series.times is not None  # a service lacks no times
            raise ValueError(
                f"{self.recipe.source} lacks {lacking.size} of the {asked.size} times asked for,"
                f" the first is {hour(lacking[0])}; it has {_span(self.series.times)}"
            )
        return asked.astype("datetime64[ns]")

    def fields(self, times: np.ndarray, downloads: Path) -> xr.Dataset:
        """The recipe's variables at `times`: lazy, canonical, on its levels and grid.

        Args:
            times: datetime64, ascending.
            downloads: a folder where services keep what they fetch.

        Raises:
            ValueError: a variable, level or hour is missing, or a unit cannot be converted.
            OSError: a source on a network cannot be read.
        """
        recipe = self.recipe
        dataset = self._read(times, downloads)
        missing = [name for name in recipe.variables if name not in dataset]
        if missing:
            has = ", ".join(sorted(map(str, dataset.data_vars))) or "none of those asked for"
            raise ValueError(
                f"a dataset holds every variable of its task, and {recipe.source} lacks"
                f" {', '.join(missing)} (of these it has {has}){self._left_out()}; choose"
                " another task (`task`) or source"
            )
        dataset = dataset[list(recipe.variables)]
        for name, array in dataset.items():
            self._check_units(str(name), array)
        if recipe.levels is not None:
            on_levels = interpolate_levels if recipe.interpolate_levels else select_levels
            dataset = on_levels(dataset, recipe.levels)
        if self.grid is None:
            return dataset
        return regrid(dataset, self.grid, method=recipe.method)

    def loaded(self, dataset: xr.Dataset, threads: int) -> xr.Dataset:
        """Fields in memory, read by `threads`; a source on a network is asked several times.

        Raises:
            ValueError: the source is damaged.
            OSError: the network failed at every attempt.
        """

        def attempt() -> xr.Dataset:
            return dataset.compute(scheduler="threads", num_workers=threads)

        try:
            if not self.series.remote:
                return attempt()
            return download.patiently(
                attempt, self.recipe.source, (Exception,), lasting=(MissingChunkError,)
            )
        except (OSError, MissingChunkError, DoubledError):
            raise
        except Exception as error:  # each format's library has its own; all mean the same here
            raise ValueError(
                f"the fields of {self.recipe.source} could not be read ({reason(error)}); fetch it"
                " again"
            ) from error

    def _read(self, times: np.ndarray, downloads: Path) -> xr.Dataset:
        """The variables at `times`, on the source's levels and grid."""
        source_times = np.unique(times)
        if self.recipe.repeat_single:
            assert self.series.times is not None  # `times` refuses a service
            source_times = self.series.times
        totals = self._totals_to_sum()
        stored = [name for name in self.recipe.variables if name not in totals]
        dataset = self.series.at(source_times, stored, downloads) if stored else xr.Dataset()
        for name in totals:
            summed = self._summed(name, source_times, downloads)
            dataset = dataset.merge(summed.to_dataset(), join="exact")
        if self.recipe.repeat_single:
            dataset = dataset.isel(time=[0] * times.size).assign_coords(time=times)
        return dataset

    def _totals_to_sum(self) -> list[str]:
        """Totals of precipitation that the source has only hour by hour."""
        wanted = [name for name in self.recipe.variables if PERIODS.get(name, 1) > 1]
        if self.series.names is None:
            return wanted if self.series.hourly_precipitation else []
        if HOURLY not in self.series.names:
            return []
        return [name for name in wanted if name not in self.series.names]

    def _summed(self, name: str, times: np.ndarray, downloads: Path) -> xr.DataArray:
        needed = hours_needed(times, name)
        lacking = missing_times(self.series, needed)
        if lacking.size:
            raise ValueError(
                f"precipitation over {PERIODS[name]} hours is summed from hours, and"
                f" {self.recipe.source} has no {hour(lacking[0])}; begin later (`times`)"
            )
        return total(self.series.at(needed, [HOURLY], downloads)[HOURLY], times, name)

    def _check_units(self, name: str, array: xr.DataArray) -> None:
        units = VARIABLES[name].units
        stated = array.attrs.get("units", units)
        if stated != units:
            raise ValueError(
                f"{name} must be in {units}, and {self.recipe.source} states {stated!r}, which"
                " cannot be converted; correct its attribute 'units'"
            )

    def _left_out(self) -> str:
        """What was left out when the source was opened, as part of a sentence."""
        return "".join(f"; {remark}" for remark in self.series.remarks)

    def _repeated(self, step: np.timedelta64) -> np.ndarray:
        times = self.series.times
        if times is None or times.size != 1:
            count = "any" if times is None else str(times.size)
            raise ValueError(
                f"only a source with one time can have it repeated, and {self.recipe.source} has"
                f" {count}; leave `repeat_single` away"
            )
        return np.concatenate([times - step, times])

    def _all_times(self, step: np.timedelta64) -> np.ndarray:
        times, source = self.series.times, self.recipe.source
        if times is None:
            raise ValueError(
                f"{source} has to be asked for times; name them (`times`"
                " 2018-01-01/2018-12-31T18/6h)"
            )
        if times.size < 2:
            raise ValueError(
                f"a dataset starts forecasts from two times {hours(step):g} h apart, and {source}"
                f" has {_span(times)}{self._left_out()}; add another time, or, to try things"
                " out, let the one stand for both (`repeat_single`)"
            )
        gaps = np.unique(np.diff(times))
        if gaps.size != 1 or gaps[0] != step:
            apart = listed([hours(gap) for gap in gaps])
            raise ValueError(
                f"a dataset has a time every {hours(step):g} h, and those of {source}"
                f" ({_span(times)}) are {apart} h apart; choose some (`times`"
                f" START/END/{hours(step):g}h), or another source"
            )
        return times


def _on_levels(series: Series, recipe: Recipe) -> Series:
    return series if recipe.levels is None else series.on(recipe.levels)


def _span(times: np.ndarray) -> str:
    if not times.size:
        return "no times"
    if times.size == 1:
        return f"one time, {hour(times[0])}"
    return f"{times.size} times from {hour(times[0])} to {hour(times[-1])}"
