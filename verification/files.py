"""Scores of files: opens forecasts, truths and climatologies, and checks that they are whole."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from data import sources
from data.doctor import examined
from data.provenance import remarks
from data.sources.files.places import Places
from data.stores.reading import is_damage
from verification.alignment import Alignment
from verification.engine import Progress
from verification.entrants import Entrant, Persistence
from verification.protocols import Protocol
from verification.regions import HEADLINE_REGIONS
from verification.scoring import score
from verification.starts import with_starts


def score_files(
    forecast: str,
    truth: Places,
    *,
    climatology: str | None = None,
    regions: tuple[str, ...] = HEADLINE_REGIONS,
    force: bool = False,
    baselines: Sequence[Callable[[Alignment], Entrant]] = (Persistence,),
    progress: Progress = lambda done, total: None,
) -> xr.Dataset:
    """Scores of a forecast in a file against a truth in another; see `scoring.score`.

    Args:
        forecast: a Zarr store, a URL or a netCDF file.
        truth: a file, Zarr store, folder, pattern or URL with analyses, or several of them.
        climatology: a Zarr store, a URL or a netCDF file; None for none.
        regions: names of `regions.REGIONS`.
        force: go on after an error that the input doctor finds in the truth.
        baselines: as in `score`.
        progress: called with the number of finished parts and of all parts.

    Raises:
        FileNotFoundError: an input does not exist.
        ValueError: an input is damaged, or the inputs do not fit each other.
    """
    protocol = Protocol(regions, forecast, _named(truth), climatology or "none given")
    with open_forecast(forecast) as predicted, damage_named(f"{forecast} or {_named(truth)}"):
        observed = open_truth(truth, predicted)
        seen = examine_truth(observed, predicted, force=force)
        means = None if climatology is None else open_climatology(climatology)
        scores = score(
            predicted, observed, protocol, climatology=means, baselines=baselines, progress=progress
        )
        said = [
            *(scores.attrs["notes"], *said_of("forecast", predicted)),
            *(*said_of("truth", observed), *said_of("climatology", means)),
            seen,
        ]
        return scores.assign_attrs(notes="\n".join(filter(None, said)))


def open_forecast(path: str | Path) -> xr.Dataset:
    """A forecast, canonical and unread; see `data.sources.open_forecast`.

    Raises:
        FileNotFoundError: there is no forecast at `path`, or it is not complete yet.
        ValueError: the forecast cannot be read.
    """
    path = str(path)
    partial = Path(path.rstrip("/") + ".partial")
    if not Path(path).exists() and partial.exists():
        raise FileNotFoundError(
            f"the forecast {path} is not complete yet ({partial} is its beginning); run the same "
            "`graphcast forecast` command again to finish it"
        )
    return _opened(path, sources.open_forecast)


def open_truth(places: Places, forecast: xr.Dataset) -> xr.Dataset:
    """The truth in one or several files, canonical and unread.

    Relative times count from the init time of the forecast, if the forecast has a single one.
    Analyses at init times that the truth lacks come from the forecast's own inputs, if those are
    still there.

    Raises:
        FileNotFoundError: there is nothing at a place.
        ValueError: a file cannot be read, or holds several series of analyses.
    """
    starts = np.atleast_1d(forecast["time"].values) if "time" in forecast.coords else np.array([])
    single = starts.size == 1 and starts.dtype.kind == "M"
    entries = sources.open_truth(places, init_time=starts[0] if single else None)
    if len(entries) != 1:
        raise ValueError(
            f"the truth must be one series of analyses, and {_named(places)} holds {len(entries)} "
            "batch entries or members; select one of them"
        )
    return with_starts(entries[0], forecast)


def _named(places: Places) -> str:
    return str(places) if isinstance(places, str | Path) else ", ".join(map(str, places))


def open_climatology(path: str) -> xr.Dataset:
    """A climatology, canonical and unread.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: it cannot be read.
    """
    return _opened(path, sources.open_climatology)


def examine_truth(truth: xr.Dataset, forecast: xr.Dataset, *, force: bool = False) -> str:
    """What the input doctor finds in the part of the truth that the forecast is compared with.

    A truth in °C, or turned by 180°, would otherwise only look like a bad forecast.

    Raises:
        ValueError: it finds an error, and `force` is false.
    """
    if "time" not in truth.dims or not {"time", "prediction_timedelta"} <= set(forecast.dims):
        return ""  # `align` refuses it in its own words
    valid = (forecast["time"] + forecast["prediction_timedelta"]).values
    used = np.isin(truth["time"].values, [*valid.ravel(), *forecast["time"].values])
    names = [name for name in truth.data_vars if name in forecast]
    if not used.any() or not names:
        return ""
    examination = examined(truth[names].isel(time=used), "the truth", force=force)
    found = "".join(f"; {f.severity}: {f.message}" for f in examination.findings)
    return f"the truth: {examination}{found}"


def _opened(path: str, opener: Callable[[str], xr.Dataset]) -> xr.Dataset:
    """What a reader makes of a path or URL.

    Raises:
        FileNotFoundError: there is nothing.
    """
    if "://" not in path and not Path(path).exists():
        raise FileNotFoundError(f"there is nothing at {path}")
    return opener(path)


def said_of(role: str, dataset: xr.Dataset | None) -> tuple[str, ...]:
    """What the readers had to say of a dataset, for the notes."""
    return () if dataset is None else tuple(f"{role}: {remark}" for remark in remarks(dataset))


@contextmanager
def damage_named(files: str) -> Iterator[None]:
    """Name the files where a codec meets damaged bytes, of which it says only that they are."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if not is_damage(error):
            raise
        raise ValueError(
            f"some values of {files} could not be read ({error}); the file is damaged: make or "
            "fetch it again"
        ) from error
