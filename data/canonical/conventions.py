"""Bringing any file's names, units and orders into canonical form.

`canonical` takes a Dataset as a file has it and returns one in the form that all rooms expect:
dimensions `time, level, latitude, longitude` in that order; absolute, ascending UTC times; levels
in whole hPa, ascending; latitude ascending; longitude ascending in [0, 360); the catalogue's names
and units; float32. Everything stays lazy. `forecasts` does the same for forecasts and for
climatologies.

Units are converted only where the file states them. Missing or wrong units are not guessed here:
`data.plausibility` looks at the numbers and refuses them. The attribute `provenance` of a variable
records what was done to it, `remarks` of the Dataset what was left out or chosen.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from data.canonical.axes import (
    around_from_zero,
    ascending,
    check_known,
    with_levels,
    with_named_axes,
)
from data.canonical.humidity import specific_humidity
from data.canonical.lead_times import LEAD_NAMES
from data.canonical.names import canonical_name, contradiction, known_name
from data.canonical.preliminary import final_first
from data.canonical.time_axis import TIME_NAMES, with_absolute_time
from data.canonical.units import in_catalogue_units
from data.provenance import remarked
from data.variables import VARIABLES
from data.wording import listed

DIMENSIONS = ("time", "level", "latitude", "longitude")
_ENSEMBLE_NAMES = ("number", "member", "realization", "ensemble", "sample")


def canonical(dataset: xr.Dataset) -> xr.Dataset:
    """The same fields with the catalogue's names and units, canonical dimensions and orders; lazy.

    Variables that the catalogue does not have keep their names and units. Specific humidity is
    derived from relative humidity and temperature where it is missing.

    Raises:
        ValueError: the grid is not one latitude axis by one longitude axis, times cannot be
            decoded, or a known variable has a dimension other than the four.
    """
    dataset = final_first(with_absolute_time(on_canonical_grid(dataset)))
    check_known(dataset, "time")
    dataset = ascending(dataset, "time") if "time" in dataset.dims else dataset
    return with_canonical_variables(with_levels(dataset), DIMENSIONS)


def members(dataset: xr.Dataset) -> list[xr.Dataset]:
    """One Dataset for each ensemble member (scalar coordinate `number`), or the Dataset alone.

    A scalar `number`, as in every file of the Climate Data Store, is dropped.
    """
    dataset = with_member_dimension(dataset)
    if "number" not in dataset.dims:
        return [dataset]
    if dataset.sizes["number"] == 1:
        return [dataset.isel(number=0, drop=True)]
    return [dataset.isel(number=i) for i in range(dataset.sizes["number"])]


def with_member_dimension(dataset: xr.Dataset) -> xr.Dataset:
    """The Dataset with its members along `number`, whatever it calls them; or without `number`."""
    ensemble = next((name for name in _ENSEMBLE_NAMES if name in dataset.dims), None)
    if ensemble is None:
        return dataset.drop_vars("number", errors="ignore")
    if ensemble != "number":
        dataset = dataset.drop_vars("number", errors="ignore").rename({ensemble: "number"})
    labelled = "number" in dataset.coords and dataset["number"].dtype.kind in "iu"
    if not labelled:  # names of models, or nothing
        dataset = dataset.assign_coords(number=np.arange(dataset.sizes["number"]))
    return dataset


def on_canonical_grid(dataset: xr.Dataset) -> xr.Dataset:
    """Rows and columns named and in order; views of a file as dask arrays.

    Raises:
        ValueError: the grid is not one latitude axis by one longitude axis.
    """
    # Rows and columns are put in order before the arrays become dask arrays: reversing a million
    # dask chunks takes longer than reading the few that are wanted.
    return _as_dask(around_from_zero(ascending(with_named_axes(dataset), "latitude")))


def with_canonical_variables(dataset: xr.Dataset, dims: Sequence[str]) -> xr.Dataset:
    """The Dataset's variables under the catalogue's names, in its units, along `dims` in order.

    A variable that says that it is another quantity, or whose level is unknown, is left out with a
    remark.

    Raises:
        ValueError: a known variable has a dimension other than `dims`.
    """
    fields: dict[str, xr.DataArray] = {}
    left_out: list[str] = []
    for original, name in _names_in(dataset).items():
        reason = _why_not(dataset[original], name)
        array = None if reason else _along(dataset[original], dims, known=name in VARIABLES)
        left_out += [f"{original} is left out: {reason}"] * bool(reason)
        if array is None:
            continue
        if name in VARIABLES and VARIABLES[name].kind == "static" and "time" in array.dims:
            array = array.isel(time=0, drop=True)
        array = _float32(array, known=name in VARIABLES)
        fields[name] = in_catalogue_units(array, name) if name in VARIABLES else array
    kept = [c for c in dataset.coords if c in (*dims, "number")]
    named = xr.Dataset(
        {name: array.reset_coords(drop=True) for name, array in fields.items()},
        coords={name: dataset[name].reset_coords(drop=True) for name in kept},
        attrs=dataset.attrs,
    )
    return remarked(_with_specific_humidity(named), *left_out)


def _names_in(dataset: xr.Dataset) -> dict[str, str]:
    """The file's name → the new name. A variable that has a catalogue name already keeps it.

    Where two stand for one variable, the one whose name says so goes before the one that only
    states the standard name.
    """
    renamed: dict[str, str] = {}
    taken = {str(n) for n in dataset.data_vars}
    by_name = sorted(
        dataset.data_vars.items(),
        key=lambda item: not canonical_name(str(item[0]), on_levels="level" in item[1].dims),
    )
    for name, array in by_name:
        known = known_name(array)
        if known is None or known == name or known in taken:
            renamed[str(name)] = str(name)
        else:
            renamed[str(name)] = known
            taken.add(known)
    return {str(name): renamed[str(name)] for name in dataset.data_vars}


def _why_not(array: xr.DataArray, name: str) -> str | None:
    """Why a variable is no `name` of the catalogue, though it is called so; None if it is."""
    if name not in VARIABLES:
        return None
    if other := contradiction(array, name):
        return f"its standard name is {other}, which is no {name}"
    if VARIABLES[name].on_levels and "level" not in array.dims:
        return f"{name} is given on pressure levels, and its level is not stated"
    return None


def _along(array: xr.DataArray, dims: Sequence[str], *, known: bool) -> xr.DataArray | None:
    """The array without other dimensions of length one; None if an unknown variable has longer."""
    others = [d for d in array.dims if d not in dims]
    long = [d for d in others if array.sizes[d] > 1]
    if long:
        if known:
            raise ValueError(
                f"{array.name} must have no other dimensions than {', '.join(dims)}, and it"
                f" has {listed(long)}; select one entry along it first"
            )
        return None
    array = array.isel(dict.fromkeys(others, 0), drop=True)
    return array.transpose(*(d for d in dims if d in array.dims))


def _float32(array: xr.DataArray, *, known: bool) -> xr.DataArray:
    # Integers of a catalogue variable are a field (a mask); of any other they may be codes.
    if array.dtype == np.float64 or (known and array.dtype.kind in "iu"):
        return array.astype(np.float32, keep_attrs=True)
    return array


def _as_dask(dataset: xr.Dataset) -> xr.Dataset:
    """Views of a file as dask arrays with the file's own chunks.

    What the file stores in one piece is chunked along time, so that two times of a long series are
    read without the rest.
    """
    arrays = {n: a for n, a in dataset.data_vars.items() if a.ndim and a.chunks is None}
    chunked = {}
    for name, array in arrays.items():
        stored = array.encoding.get("chunks") or array.encoding.get("chunksizes")
        if stored is None or len(stored) != array.ndim:
            times = (*TIME_NAMES, *LEAD_NAMES)
            stored = [1 if d in times else array.sizes[d] for d in array.dims]
        chunked[name] = array.chunk(dict(zip(array.dims, stored, strict=True)))
    return dataset.assign(chunked)


def _with_specific_humidity(dataset: xr.Dataset) -> xr.Dataset:
    needed = ("relative_humidity", "temperature")
    if "specific_humidity" in dataset or not all(name in dataset for name in needed):
        return dataset
    r = dataset["relative_humidity"]
    if r.attrs.get("units") != "%":  # unstated: it may be a fraction
        return dataset
    q = specific_humidity(r, dataset["temperature"], dataset["level"])
    return dataset.assign(specific_humidity=q)
