"""Writes scores: targets are checked before the work, results appear whole or not at all."""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import xarray as xr

from data.stores.building import Building
from data.stores.dataset import write_dataset
from data.stores.endings import check_ending, check_store_ending
from data.stores.files import written_whole
from data.stores.kind import kind_of, label
from data.stores.partial import partial_path
from verification import scorecard
from verification.results import Results

LAYOUT = 1  # of scores


def check_targets(
    output: Path,
    report: Path | None,
    *,
    overwrite: bool,
    read: Collection[str | Path] = (),
    json: Path | None = None,
    csv: Path | None = None,
    extends: bool = False,
) -> None:
    """Refuse, before anything is computed, targets that cannot be written or must stay.

    Args:
        output: where the scores are to be written.
        report: where a report is to be written; None for no report.
        overwrite: whether earlier scores and reports may be replaced.
        read: the inputs, which are never replaced.
        json: where all numbers are to be written.
        csv: where the scores are to be written as a table.
        extends: whether a store of scores may be there, which may be extended; what stands beside
            it is then replaced.

    Raises:
        FileExistsError: a target exists and may not be replaced.
        PermissionError: a target's folder cannot be written.
        ValueError: a target is a URL or has another format's ending, or both are the same file.
    """
    endings = {report: (".html", ".htm"), json: (".json",), csv: (".csv",)}
    named = [path for path in (output, report, json, csv) if path is not None]
    for i, path in enumerate(named):
        if path.absolute() in {other.absolute() for other in named[:i]}:
            raise ValueError(f"scores and report are two files, and both are to be {path}")
    for target in named:
        if re.match(r"\w[\w+.-]+:/", str(target)):  # a Path has only one of the slashes left
            raise ValueError(
                f"scores are written to a local path, not to {target}; copy them there"
            )
        if target is output:
            check_store_ending(target, "scores")
        else:
            check_ending(target, endings[target], "a report" if target is report else "a table")
        if target.absolute() in {Path(name).absolute() for name in read}:
            raise FileExistsError(
                f"{target} is read here, so it will not be replaced; choose another"
            )
    begun = partial_path(output.absolute()).exists()
    there = kind_of(output) == "scores"
    if begun and there and not (overwrite or extends):
        Building.claim(output, "scores").close()  # removes what a killed run left beside them
    _refuse_existing(output, overwrite=overwrite or (extends and there and output.is_dir()))
    for path in named[1:]:
        # a run that was killed wrote the report first, and may write the same again
        _refuse_existing(path, overwrite=overwrite or begun or (extends and there))


def write_beside(texts: Mapping[Path, str]) -> None:
    """Write pages and tables, each whole or not at all; other ones are replaced."""
    for path, text in texts.items():
        if path.is_file() and path.read_bytes() == text.encode():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary:
            temporary.write_text(text)


def texts_of(
    results: Results,
    *,
    pictures: Sequence[scorecard.Picture] = (),
    report: Path | None = None,
    json: Path | None = None,
    csv: Path | None = None,
) -> dict[Path, str]:
    """The page with its pictures, JSON and CSV of results, by the files they are for."""
    texts: dict[Path, str] = {}
    if report is not None:
        texts[report] = scorecard.report_html(results, pictures)
    if json is not None:
        texts[json] = results.to_json()
    if csv is not None:
        texts[csv] = results.to_csv()
    return texts


def write_netcdf(datasets: Iterable[xr.Dataset], path: Path) -> None:
    """Write datasets of scores into one netCDF file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    merged = xr.merge(datasets, combine_attrs="drop_conflicts", join="outer")
    with written_whole(path) as temporary:
        merged.assign_attrs(label("scores", LAYOUT)).to_netcdf(temporary, engine="netcdf4")


def write_scores(
    scores: xr.Dataset, path: Path, *, report: Path | None = None, overwrite: bool = False
) -> None:
    """Write scores: netCDF where the name ends in `.nc`, else Zarr.

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
            labelled.drop_encoding().to_netcdf(temporary, engine="netcdf4")
        return
    fingerprint = hashlib.sha256(repr(labelled.load().to_dict()).encode()).hexdigest()
    with Building.open(path, "scores", fingerprint, overwrite=overwrite) as building:
        if not building.named:  # an earlier run was killed when only clearing up was left
            write_dataset(labelled, building.folder)
        if report is not None:
            _write_report(scores, report, overwrite=overwrite)
        building.finish()


def _write_report(scores: xr.Dataset, path: Path, *, overwrite: bool) -> None:
    """Write the report. A report with the same bytes may exist already and is left alone."""
    page = scorecard.report_html(scorecard.tabulated(scores)).encode()
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
