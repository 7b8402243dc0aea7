"""Sources on the network.

`download` has retries, time limits and files that appear whole; `object_stores` opens Zarr stores
in the cloud with them. `cds`, `gfs` and `opendata` are services: each is a `Series` that requests
only the times and variables asked for.
"""
