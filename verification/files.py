"""Scoring from files to files: inputs are checked first, results appear whole or not at all."""

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from data import sources
from data.doctor import examined
from data.sources.files.formats import open_raw
from data.stores.building import Building
from data.stores.files import flush, written_whole
from data.stores.kind import kind_of, label
from data.stores.partial import partial_path
from data.stores.reading import MissingChunkError
from data.wording import reason
from verification import scorecard
from verification.engine import Progress
from verification.protocols import Protocol
from verification.regions import HEADLINE_REGIONS
from verification.scoring import score

LAYOUT = 1  # of scores


def score_files(
    forecast: str,
    truth: str,
    *,
    climatology: str | None = None,
    regions: tuple[str, ...] = HEADLINE_REGIONS,
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> xr.Dataset:
    """Scores of a forecast in a file against a truth in another; see `scoring.score`.

    Args:
        forecast: a Zarr store, a URL or a netCDF file.
        truth: a file, Zarr store or URL with analyses.
        climatology: a Zarr store, a URL or a netCDF file; None for none.
        regions: names of `regions.REGIONS`.
        force: go on after an error that the input doctor finds in the truth.
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
        scores = score(predicted, observed, protocol, climatology=means, progress=progress)
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


def check_targets(
    output: Path, report: Path | None, *, overwrite: bool, read: Collection[str | Path] = ()
) -> None:
    """Refuse, before anything is computed, targets that cannot be written or must stay.

    Args:
        output: where the scores are to be written.
        report: where a report is to be written; None for no report.
        overwrite: whether earlier scores and reports may be replaced.
        read: the inputs, which are never replaced.

    Raises:
        FileExistsError: a target exists and may not be replaced.
        PermissionError: a target's folder cannot be written.
        ValueError: a target is a URL, or both targets are the same file.
    """
    if report is not None and report.absolute() == output.absolute():
        raise ValueError(f"scores and report are two files, and both are to be {output}")
    for target in filter(None, (output, report)):
        if re.match(r"\w[\w+.-]+:/", str(target)):  # a Path has only one of the slashes left
            raise ValueError(
                f"scores are written to a local path, not to {target}; copy them there"
            )
        if target.absolute() in {Path(name).absolute() for name in read}:
            raise FileExistsError(
                f"{target} is read here, so it will not be replaced; choose another"
            )
    begun = partial_path(output.absolute()).exists()
    if begun and kind_of(output) == "scores" and not overwrite:
        Building.claim(output, "scores").close()  # removes what a killed run left beside them
    _refuse_existing(output, overwrite=overwrite)
    if report is not None:
        # a run that was killed wrote the report first, and may write the same again
        _refuse_existing(report, overwrite=overwrite or begun)


def write_scores(
    scores: xr.Dataset, path: Path, *, report: Path | None = None, overwrite: bool = False
) -> None:
    """Write scores: netCDF where the name ends in `.nc`, else Zarr (v2, as forecast stores).

    A process killed at any moment leaves the old or the new result under each name. The same call
    then finishes the work.

    Args:
        scores: the result of `score`.
        path: the file or store to write.
        report: an HTML report to write beside it, for people; None for no report.
        overwrite: whether earlier scores and reports are replaced.

    Raises:
        FileExistsError: `path` holds something other than scores; or scores or a different report
            exist, and `overwrite` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    labelled = scores.assign_attrs(label("scores", LAYOUT))
    if path.suffix == ".nc":
        if report is not None:
            _write_report(scores, report, overwrite=overwrite)
        with written_whole(path) as temporary:
            labelled.to_netcdf(temporary, engine="netcdf4")
        return
    fingerprint = hashlib.sha256(repr(labelled.load().to_dict()).encode()).hexdigest()
    with Building.open(path, "scores", fingerprint, overwrite=overwrite) as building:
        if not building.named:  # an earlier run was killed when only clearing up was left
            labelled.to_zarr(building.folder, mode="w", zarr_format=2)
            for written in building.folder.rglob("*"):
                flush(written)
        if report is not None:
            _write_report(scores, report, overwrite=overwrite)
        building.finish()


def _write_report(scores: xr.Dataset, path: Path, *, overwrite: bool) -> None:
    """Write the report. A report with the same bytes may exist already and is left alone."""
    page = scorecard.report_html(scores).encode()
    if path.exists() and not overwrite:
        if path.is_file() and path.read_bytes() == page:
            return
        raise FileExistsError(
            f"{path} is there already; choose another name or replace it (`overwrite`)"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        temporary.write_bytes(page)


def _refuse_existing(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} is there already; choose another name or replace it (`overwrite`)"
        )
    if path.is_dir() and kind_of(path) != "scores":
        raise FileExistsError(
            f"{path} is a folder and holds no scores, so it will not be replaced; choose another "
            "name or remove it yourself"
        )
    parent = next(place for place in path.absolute().parents if place.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise PermissionError(f"cannot write {path}: {parent} is no folder that can be written")


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
