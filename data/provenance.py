"""What was done to the data since they were read, note after note.

The attribute `provenance` of a variable has what changed its numbers (units, levels, grid, totals);
stores keep it. The attribute `remarks` of a Dataset has what a person should know about the
reading: what was left out, chosen, assumed, or is preliminary.
"""

import xarray as xr

_REMARKS = "remarks"


def noted(array: xr.DataArray, note: str) -> xr.DataArray:
    """The array with `note` after the notes that it has.

    >>> celsius = noted(xr.DataArray(0.0), "converted from degC to K")
    >>> noted(celsius, "regridded").attrs["provenance"]
    'converted from degC to K; regridded'
    """
    earlier = array.attrs.get("provenance")
    return array.assign_attrs(provenance=f"{earlier}; {note}" if earlier else note)


def remarked(dataset: xr.Dataset, *sentences: str) -> xr.Dataset:
    """The Dataset with these remarks after those that it has, each once.

    >>> remarks(remarked(xr.Dataset(), "one time is preliminary", "one time is preliminary"))
    ('one time is preliminary',)
    """
    new = tuple(dict.fromkeys((*remarks(dataset), *filter(None, sentences))))
    return dataset.assign_attrs({_REMARKS: "\n".join(new)}) if new else dataset


def remarks(dataset: xr.Dataset) -> tuple[str, ...]:
    """The remarks about the reading of a Dataset."""
    return tuple(filter(None, str(dataset.attrs.get(_REMARKS, "")).split("\n")))
