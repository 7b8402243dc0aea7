"""Rules on a file before it becomes a canonical Dataset: is it readable, and is it a forecast?

An error of the readers becomes the finding "readable", in its own words. Lead times are read from
the file, because a canonical Dataset keeps only valid times.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from data.canonical.lead_times import LEAD_NAMES
from data.doctor.finding import Finding
from data.provenance import remarks
from data.sources import READERS, open_inputs
from data.wording import hours, listed, one_line

_NAMES = LEAD_NAMES
_IF_NEEDED = "nothing, unless a forecast or a score needs what was left out, or final analyses"


def opened(
    path_or_url: str | Path, init_time: np.datetime64 | None
) -> tuple[list[Finding], list[xr.Dataset]]:
    """Findings about the file, and its canonical Datasets (none if it cannot be read)."""
    try:
        entries = open_inputs(path_or_url, init_time=init_time)
    except (ValueError, OSError) as error:
        return [unreadable(error)], []
    if not any(len(entry.data_vars) for entry in entries):
        return [Finding("readable", "error", "the file holds no fields", "name another file")], []
    said = dict.fromkeys(remark for entry in entries for remark in remarks(entry))
    notes = [Finding("reading", "note", remark, _IF_NEEDED) for remark in said]
    return [*notes, *lead_times(path_or_url)], entries


def unreadable(error: ValueError | OSError) -> Finding:
    """An error of the readers as a finding, in its own words."""
    sentence = one_line(error)
    rule, _, remedy = sentence.rpartition("; ")
    remedy = remedy if rule else "give a GRIB or netCDF file or a Zarr store"
    return Finding("readable", "error", rule or sentence, remedy)


def lead_times(path_or_url: str | Path) -> list[Finding]:
    """A note with the lead times of the fields, if some are forecasts and the file says so."""
    if "://" in str(path_or_url):
        return []
    leads = _grib_leads(path_or_url) if _is_grib(Path(path_or_url)) else _leads(Path(path_or_url))
    late = sorted({lead for lead in leads if lead > 0})
    if not late:
        return []
    part = "some of " if 0 in leads else ""
    return [
        Finding(
            "analysis",
            "note",
            f"{part}the fields are forecasts, {listed(f'+{lead:g} h' for lead in late)} after"
            " their start, not analyses",
            "nothing for short ones; a forecast from a forecast inherits its errors",
        )
    ]


def _is_grib(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"GRIB"


def _grib_leads(path: str | Path) -> list[float]:
    """Lead times (h) of the instantaneous fields; sums have a step of 6 h even in an analysis."""
    import eccodes  # noqa: PLC0415  loading it takes a second that other formats need not pay

    leads = set()
    with Path(path).open("rb") as file:
        while (message := eccodes.codes_grib_new_from_file(file, headers_only=True)) is not None:
            try:
                if eccodes.codes_get(message, "stepType") == "instant":
                    eccodes.codes_set(message, "stepUnits", 1)
                    leads.add(float(eccodes.codes_get(message, "endStep")))
            finally:
                eccodes.codes_release(message)
    return sorted(leads)


def _leads(path: Path) -> list[float]:
    """Lead times (h) in a coordinate of a netCDF file or Zarr store."""
    dataset = READERS["zarr" if path.is_dir() else "netcdf"](str(path))
    name = next((n for n in _NAMES if n in dataset.variables), None)
    if name is None or dataset[name].dtype.kind != "m":
        return []
    leads = np.atleast_1d(dataset[name].values).ravel()
    return [hours(lead) for lead in leads if not np.isnat(lead)]


def examined_entries(count: int) -> list[int]:
    """Indices of the entries of a batch or members of an ensemble to examine: at most three."""
    return list(range(count)) if count <= 3 else [0, count // 2, count - 1]
