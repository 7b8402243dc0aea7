"""Rules on a file before its fields are put in order: can it be read, and is it a forecast?

What `data.canonical` cannot put in order ends as the finding "readable", in its own words. The
lead time of a field stands in the file and not in a canonical Dataset, which keeps the time that
the field is valid at.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from data.canonical.time_axis import LEAD_NAMES
from data.doctor.finding import Finding, listed
from data.sources import READERS, open_inputs

_LEADS = (*LEAD_NAMES, "forecast_period", "leadtime", "lead")


def opened(
    path_or_url: str | Path, init_time: np.datetime64 | None
) -> tuple[list[Finding], list[xr.Dataset]]:
    """Findings about the file, and its canonical Datasets (none where it cannot be read)."""
    try:
        entries = open_inputs(path_or_url, init_time=init_time)
    except (ValueError, OSError) as error:
        sentence = " ".join(str(error).split()) or type(error).__name__
        rule, _, remedy = sentence.rpartition("; ")
        return [
            Finding(
                "readable",
                "error",
                rule or sentence,
                remedy if rule else "give a GRIB or netCDF file or a Zarr store",
            )
        ], []
    if not any(len(entry.data_vars) for entry in entries):
        return [Finding("readable", "error", "the file holds no fields", "name another file")], []
    return lead_times(path_or_url), entries


def lead_times(path_or_url: str | Path) -> list[Finding]:
    """A note if the fields are forecasts, with their lead times as far as the file gives them."""
    if "://" in str(path_or_url):
        return []
    hours = _grib_hours(path_or_url) if _is_grib(Path(path_or_url)) else _hours(Path(path_or_url))
    late = sorted({hour for hour in hours if hour > 0})
    if not late:
        return []
    some = "some of " if 0 in hours else ""
    return [
        Finding(
            "analysis",
            "note",
            f"{some}the fields are forecasts, {listed([f'+{hour:g} h' for hour in late])} after"
            " their start, not analyses",
            "nothing for short ones; a forecast from a forecast keeps that one's errors",
        )
    ]


def _is_grib(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"GRIB"


def _grib_hours(path: str | Path) -> list[float]:
    """Steps of the instantaneous fields: a sum over six hours stands at step 6 in an analysis."""
    import eccodes  # noqa: PLC0415  loading it takes a second that other formats need not pay

    hours = set()
    with Path(path).open("rb") as file:
        while (message := eccodes.codes_grib_new_from_file(file, headers_only=True)) is not None:
            try:
                if eccodes.codes_get(message, "stepType") == "instant":
                    eccodes.codes_set(message, "stepUnits", 1)
                    hours.add(float(eccodes.codes_get(message, "endStep")))
            finally:
                eccodes.codes_release(message)
    return sorted(hours)


def _hours(path: Path) -> list[float]:
    """Lead times that a netCDF file or Zarr store has as a coordinate."""
    dataset = READERS["zarr" if path.is_dir() else "netcdf"](str(path))
    name = next((n for n in _LEADS if n in dataset.variables), None)
    if name is None or dataset[name].dtype.kind != "m":
        return []
    leads = np.atleast_1d(dataset[name].values).ravel()
    return [float(lead / np.timedelta64(1, "h")) for lead in leads if not np.isnat(lead)]


def examined_entries(count: int) -> list[int]:
    """Entries of a batch or members of an ensemble to look at: all of few, three of many."""
    return sorted({*range(min(count, 3))} if count <= 3 else {0, count // 2, count - 1})
