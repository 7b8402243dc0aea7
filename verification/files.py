"""Scores of files: opens forecasts, truths and climatologies, and checks that they are whole."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from data import sources
from data.doctor import examined
from data.sources.files.formats import open_raw
from data.stores.reading import MissingChunkError
from data.wording import reason
from verification.alignment import Alignment
from verification.engine import Progress
from verification.entrants import Entrant, Persistence
from verification.protocols import Protocol
from verification.regions import HEADLINE_REGIONS
from verification.scoring import score


def score_files(
    forecast: str,
    truth: str,
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
        truth: a file, Zarr store or URL with analyses.
        climatology: a Zarr store, a URL or a netCDF file; None for none.
        regions: names of `regions.REGIONS`.
        force: go on after an error that the input doctor finds in the truth.
        baselines: as in `score`.
        progress: called with the number of finished parts and of all parts.

    Raises:
        FileNotFoundError: an input does not exist.
        ValueError: an input is damaged, or the inputs do not fit each other.
    """
    protocol = Protocol(regions, forecast, truth, climatology or "none given")
    with open_forecast(forecast) as predicted, _damage_named(f"{forecast} or {truth}"):
        observed = open_truth(truth, predicted)
        seen = examine_truth(observed, predicted, force=force)
        means = None if climatology is None else _opened(climatology)
        scores = score(
            predicted, observed, protocol, climatology=means, baselines=baselines, progress=progress
        )
        return scores.assign_attrs(examined=seen) if seen else scores


def open_forecast(path: str) -> xr.Dataset:
    """A forecast, unread, with its own names.

    Raises:
        FileNotFoundError: there is no forecast at `path`, or it is not complete yet.
        ValueError: the forecast cannot be read.
    """
    partial = Path(path.rstrip("/") + ".partial")
    if not Path(path).exists() and partial.exists():
        raise FileNotFoundError(
            f"the forecast {path} is not complete yet ({partial} is its beginning); run the same "
            "`graphcast forecast` command again to finish it"
        )
    return _opened(path)


def open_truth(path: str, forecast: xr.Dataset) -> xr.Dataset:
    """The truth, canonical and unread.

    Relative times count from the init time of the forecast, if the forecast has a single one.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: the file cannot be read, or holds several series of analyses.
    """
    starts = np.atleast_1d(forecast["time"].values) if "time" in forecast.coords else np.array([])
    single = starts.size == 1 and starts.dtype.kind == "M"
    entries = sources.open_truth(path, init_time=starts[0] if single else None)
    if len(entries) != 1:
        raise ValueError(
            f"the truth must be one series of analyses, and {path} holds {len(entries)} batch "
            "entries or members; select one of them"
        )
    return entries[0]


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


def _opened(path: str) -> xr.Dataset:
    """A Zarr store or netCDF file, lazily, with its own names, and lead times as durations."""
    if "://" not in path and not Path(path).exists():
        raise FileNotFoundError(f"there is nothing at {path}")
    try:
        return open_raw(path)
    except MissingChunkError:
        raise
    except (OSError, ValueError) as error:
        raise ValueError(
            f"a Zarr store or a netCDF file must be whole, and {path} is none that can be read "
            f"({reason(error)})"
        ) from error


@contextmanager
def _damage_named(files: str) -> Iterator[None]:
    """Name the files where a codec meets damaged bytes, for which it raises a bare RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        raise ValueError(
            f"some values of {files} could not be read ({error}); the file is damaged: make or "
            "fetch it again"
        ) from error
