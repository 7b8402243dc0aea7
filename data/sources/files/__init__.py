"""Readers of files and Zarr stores, one module for each format.

`formats` tells which reader a path or URL needs, and `open_raw` there opens it. `grib`, `netcdf`
and `zarr` read one format each and return a lazy Dataset with the file's own names. `deepmind` is
no format but a layout: batches and relative times, as in DeepMind's example files.
"""
