"""The forecast store, in the order to read.

`header` has its cells, coordinates and attributes, `layout` its files without values, `store`
writes and resumes it, `netcdf` copies it to one netCDF file.
"""
