"""The series behind a name, a URL or a path.

A new source is a module with a function from (name, address) to a `Series`, and a line in `SERIES`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from data.sources.network import cds, gfs, opendata
from data.sources.series import archives, folder
from data.sources.series.collection import Series

Opener = Callable[[str, str | None], Series]

SERIES: dict[str, Opener] = {
    **dict.fromkeys(archives.STORES, archives.open_archive),
    "cds": cds.open_service,
    "opendata": opendata.open_service,
    **dict.fromkeys(gfs.GRIDS, gfs.open_service),
}


def open_series(source: str) -> Series:
    """Open the series behind a name of `SERIES`, `name@mirror`, a URL or a path.

    Raises:
        FileNotFoundError: it is neither a known name nor an existing path.
        ValueError: the source cannot be read, or a package for it is missing.
        OSError: a server does not answer.
    """
    name, _, address = source.partition("@")
    if name in SERIES:
        return SERIES[name](name, address or None)
    if "://" in source:
        return archives.open_archive(source, None)
    if not Path(source).exists():
        raise FileNotFoundError(
            f"a source is a file, a folder, a URL or one of {', '.join(SERIES)}, and there is"
            f" nothing at {source}"
        )
    return folder.open_folder(Path(source))


def missing_times(series: Series, times: Sequence[np.datetime64] | np.ndarray) -> np.ndarray:
    """The times that the series lacks; none for a service, which does not know before it asks."""
    wanted = np.asarray(times, dtype="datetime64[ns]")
    return wanted[:0] if series.times is None else np.setdiff1d(wanted, series.times)
