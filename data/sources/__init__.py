"""Reading other people's weather; everything comes out canonical (`data.canonical`) and lazy.

Two doors. `open_inputs` (and `open_truth`) opens one file, Zarr store or URL; `open_series` opens a
long series of analyses, which is read a few times at a time: a public archive, a service, a folder
of files. Read `inputs` and `files` first (a reader for each format), then `series` (the contract
`Series` and its registry) and `network` (services, downloads, object stores). `grids` has the grid
of a name or of a file.
"""

from data.sources.files.formats import READERS
from data.sources.inputs import open_inputs, open_truth
from data.sources.series.collection import Series
from data.sources.series.registry import SERIES, missing_times, open_series

__all__ = [
    "READERS",
    "SERIES",
    "Series",
    "missing_times",
    "open_inputs",
    "open_series",
    "open_truth",
]
