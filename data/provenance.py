"""The attribute `provenance`: what was done to a variable since it was read, note after note.

Every step that changes numbers (units, levels, grid, totals) adds one; stores keep the attribute.
"""

import xarray as xr


def noted(array: xr.DataArray, note: str) -> xr.DataArray:
    """The array with `note` after the notes that it has.

    >>> celsius = noted(xr.DataArray(0.0), "converted from degC to K")
    >>> noted(celsius, "regridded").attrs["provenance"]
    'converted from degC to K; regridded'
    """
    earlier = array.attrs.get("provenance")
    return array.assign_attrs(provenance=f"{earlier}; {note}" if earlier else note)
