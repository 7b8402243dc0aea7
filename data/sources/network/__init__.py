"""What comes over the network.

`download` has retries, time limits and files that appear whole; `object_stores` opens Zarr stores
in the cloud with them. `cds`, `gfs` and `opendata` are services: each a `Series` that asks for what
it is asked for.
"""
