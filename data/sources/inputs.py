"""Opening files as canonical Datasets: inputs of a forecast; forecasts, truth and climatology."""

from collections.abc import Callable, Collection

import numpy as np
import xarray as xr

from data.canonical import conventions
from data.canonical.forecasts import canonical_climatology, canonical_forecast
from data.sources.files import deepmind
from data.sources.files.formats import open_raw, open_raw_forecast
from data.sources.files.opening import as_weather
from data.sources.files.places import Place, Places, files_named
from data.sources.together import Joined, joined
from data.stores.forecast.netcdf import along_lead_time


def open_inputs(places: Places, *, init_time: np.datetime64 | None = None) -> list[xr.Dataset]:
    """Canonical Datasets of files, Zarr stores or URLs; one for each batch entry or member.

    Several files are read as one: surface and pressure-level fields, one file a day.

    Args:
        places: a GRIB or netCDF file, a Zarr store, a folder of those, a pattern (`*.grib`), or a
            URL (http, s3, gs); or several of them.
        init_time: origin of relative times, for files that do not state it.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: the format is unknown, the file is damaged, or it cannot be made canonical.
            Damage inside a field (a missing chunk, a broken message) shows when it is computed.
    """
    return [entry.dataset for entry in open_joined(places, init_time=init_time)]


def open_joined(
    places: Places, *, init_time: np.datetime64 | None = None, required: Collection[str] = ()
) -> list[Joined]:
    """As `open_inputs`, with the files that each time comes from.

    Args:
        places: as for `open_inputs`.
        init_time: as for `open_inputs`.
        required: variables that every time of several files must have; others are left out.
    """
    files = files_named(places)
    return _together({file: _entries(file, open_raw(file), init_time) for file in files}, required)


def open_truth(places: Places, *, init_time: np.datetime64 | None) -> list[xr.Dataset]:
    """As `open_inputs` for a truth, whose relative times count from `init_time` itself.

    A file of inputs may begin with a window before its initial time; a truth file never does.
    """
    entries = {}
    for file in files_named(places):
        dataset = open_raw(file)
        if init_time is not None and deepmind.is_undated(dataset):
            dataset = deepmind.counted_from(init_time, dataset)
        entries[file] = _entries(file, dataset, None)
    return [entry.dataset for entry in _together(entries)]


def open_forecast(place: Place) -> xr.Dataset:
    """A forecast in a GRIB or netCDF file or a Zarr store, canonical and unread.

    Returns:
        Dimensions `time` (init time), `number` where there are members, `prediction_timedelta`,
        `level`, `latitude`, `longitude`; see `data.canonical.forecasts`.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: as `open_inputs`; or nothing says which times are init times.
    """

    def canonical(raw: xr.Dataset) -> xr.Dataset:
        return canonical_forecast(along_lead_time(raw))

    return _as(canonical, str(place), open_raw_forecast)


def open_climatology(place: Place) -> xr.Dataset:
    """Climatological means in a file or a Zarr store, canonical and unread.

    Returns:
        Dimensions of space, and `hour` and `dayofyear` where the file has them.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: as `open_inputs`.
    """
    return _as(canonical_climatology, str(place), open_raw)


def _as(
    canonical: Callable[[xr.Dataset], xr.Dataset], where: str, reader: Callable[[str], xr.Dataset]
) -> xr.Dataset:
    raw = reader(where)
    with as_weather(where):
        return canonical(raw)


def count_from_init_time(places: Places) -> bool:
    """Whether some of the files have relative times and do not state their origin."""
    return any(deepmind.is_undated(open_raw(file)) for file in files_named(places))


def _together(entries: dict[str, list[xr.Dataset]], required: Collection[str] = ()) -> list[Joined]:
    if len(entries) > 1:
        return joined(entries, required)
    ((file, alone),) = entries.items()
    with as_weather(file):
        return [Joined(conventions.canonical(entry), {}, {}) for entry in alone]


def _entries(file: str, dataset: xr.Dataset, init_time: np.datetime64 | None) -> list[xr.Dataset]:
    """The batch entries and members of a file, with absolute times and the file's own names."""
    with as_weather(file):
        split = deepmind.entries(dataset, init_time) if deepmind.is_example(dataset) else [dataset]
        return [member for entry in split for member in conventions.members(entry)]
