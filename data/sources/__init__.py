"""Reading other people's weather; everything comes out canonical (`data.canonical`) and lazy.

Two doors. `open_inputs` (and `open_truth`, `open_forecast`, `open_climatology`, each for its role)
opens one file, Zarr store or URL; `open_series` opens a
long series of analyses, which is read a few times at a time: a public archive, a service, a folder
of files. Read `inputs` and `files` first (a reader for each format), then `series` (the contract
`Series` and its registry) and `network` (services, downloads, object stores). `grids` has the grid
of a name or of a file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
