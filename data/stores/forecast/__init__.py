"""The forecast store, in the order to read.

`header` has its cells, coordinates and attributes, `layout` its files without values, `store`
writes and resumes it, `clipping` keeps what is below zero. `form` hands it on: a `part` of it, as
`netcdf`, `grib` or Zarr.
"""
