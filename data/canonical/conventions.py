"""Bringing any file's names, units and orders into canonical form.

`canonical` takes a Dataset as a file has it and returns one in the form that all rooms expect:
dimensions `time, level, latitude, longitude` in that order; absolute, ascending UTC times; levels
in whole hPa, ascending; latitude ascending; longitude ascending in [0, 360); the catalogue's names
and units; float32. Everything stays lazy.

Units are converted only where the file states them. Missing or wrong units are not guessed here:
`data.plausibility` looks at the numbers and refuses them. The attribute `provenance` of a variable
records what was done to it.
"""

import numpy as np
import xarray as xr

from data.canonical.humidity import specific_humidity
from data.canonical.precipitation import name_by_period, stands_for_any_period
from data.canonical.time_axis import TIME_NAMES, with_absolute_time
from data.canonical.units import conversion, in_catalogue_units
from data.variables import VARIABLES
from data.wording import listed

DIMENSIONS = ("time", "level", "latitude", "longitude")

# Coordinate names in use: CF and CMIP (lat, lon, plev), ERA5 (latitude, level), the Climate Data
# Store since 2024 (pressure_level), cfgrib (isobaricInhPa, isobaricInPa), MERRA-2 (lev).
_COORDINATES = {
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "long"),
    "level": (
        *("level", "pressure_level", "isobaricinhpa", "isobaricinpa"),
        *("plev", "lev", "pressure"),
    ),
}
_ENSEMBLE_NAMES = ("number", "member", "realization", "ensemble")

# Names besides the catalogue's own and its aliases: NCEP's (wgrib2, NOMADS), CMIP's, CF's.
_NAMES_ON_LEVELS = {
    "geopotential": ("gh", "hgt", "zg", "geopotential_height", "hgtprs"),
    "temperature": ("ta", "tmp", "air_temperature", "tmpprs"),
    "u_component_of_wind": ("ua", "ugrd", "eastward_wind", "u_wind", "ugrdprs"),
    "v_component_of_wind": ("va", "vgrd", "northward_wind", "v_wind", "vgrdprs"),
    "vertical_velocity": ("wap", "omega", "vvel", "lagrangian_tendency_of_air_pressure"),
    "specific_humidity": ("hus", "spfh", "sphum"),
    "relative_humidity": ("hur", "rh", "rhum"),
}
_NAMES_WITHOUT_LEVELS = {
    "2m_temperature": ("tas", "t2", "t_2m", "tmp2m"),
    "10m_u_component_of_wind": ("uas", "u_10m", "ugrd10m", "10m_u_wind"),
    "10m_v_component_of_wind": ("vas", "v_10m", "vgrd10m", "10m_v_wind"),
    "mean_sea_level_pressure": ("psl", "slp", "prmslmsl", "air_pressure_at_mean_sea_level"),
    "total_precipitation_6hr": ("tp06", "tp_6h", "tp6hr"),
    "geopotential_at_surface": ("orog", "orography", "hgtsfc", "phis", "surface_geopotential"),
    "land_sea_mask": ("landmask", "sftlf", "land_area_fraction"),
}


def canonical(dataset: xr.Dataset) -> xr.Dataset:
    """The same fields with the catalogue's names and units, canonical dimensions and orders; lazy.

    Variables that the catalogue does not have keep their names and units. Specific humidity is
    derived from relative humidity and temperature where it is missing.

    Raises:
        ValueError: the grid is not one latitude axis by one longitude axis, times cannot be
            decoded, or a known variable has a dimension other than the four.
    """
    # Rows and columns are put in order before the arrays become dask arrays: reversing a million
    # dask chunks takes longer than reading the few that are wanted.
    dataset = _as_dask(
        _around_from_zero(_ascending(_with_canonical_coordinates(dataset), "latitude"))
    )
    dataset = with_absolute_time(_without_expver(dataset))
    _check_known(dataset, "time")
    dataset = _with_levels_in_hpa(_with_level_dimension(dataset))
    for axis in ("time", "level"):
        dataset = _ascending(dataset, axis) if axis in dataset.dims else dataset
    return _with_specific_humidity(_with_canonical_variables(dataset))


def members(dataset: xr.Dataset) -> list[xr.Dataset]:
    """One Dataset for each ensemble member (scalar coordinate `number`), or the Dataset alone.

    A scalar `number`, as in every file of the Climate Data Store, is dropped.
    """
    ensemble = next((name for name in _ENSEMBLE_NAMES if name in dataset.dims), None)
    if ensemble is None:
        return [dataset.drop_vars("number", errors="ignore")]
    if ensemble not in dataset.coords:
        dataset = dataset.assign_coords({ensemble: np.arange(dataset.sizes[ensemble])})
    if ensemble != "number":
        dataset = dataset.drop_vars("number", errors="ignore").rename({ensemble: "number"})
    if dataset.sizes["number"] == 1:
        return [dataset.isel(number=0, drop=True)]
    return [dataset.isel(number=i) for i in range(dataset.sizes["number"])]


def canonical_name(name: str, *, on_levels: bool) -> str | None:
    """The catalogue's name for a file's name in any case, or None.

    >>> canonical_name("z", on_levels=True), canonical_name("z", on_levels=False)
    ('geopotential', 'geopotential_at_surface')
    """
    return (_ON_LEVELS if on_levels else _WITHOUT_LEVELS).get(name.casefold())


def _name_tables() -> tuple[dict[str, str], dict[str, str]]:
    on_levels: dict[str, str] = {}
    without: dict[str, str] = {}
    for row in VARIABLES.values():
        table = on_levels if row.on_levels else without
        extra = _NAMES_ON_LEVELS if row.on_levels else _NAMES_WITHOUT_LEVELS
        for alias in (row.name, row.short_name, *row.aliases, *extra.get(row.name, ())):
            table.setdefault(alias.casefold(), row.name)
    without = {alias: name for alias, name in without.items() if not stands_for_any_period(alias)}
    return on_levels, without


_ON_LEVELS, _WITHOUT_LEVELS = _name_tables()


def _with_canonical_coordinates(dataset: xr.Dataset) -> xr.Dataset:
    renamed: dict[str, str] = {}
    for axis, aliases in _COORDINATES.items():
        present = [str(n) for n in dataset.coords if str(n).casefold() in aliases]
        present += [str(n) for n in dataset.dims if str(n).casefold() in aliases]
        if present and axis not in present:
            renamed[present[0]] = axis
    dataset = dataset.rename(renamed)
    for axis in ("latitude", "longitude"):
        if axis not in dataset.variables:
            raise ValueError(
                f"fields must lie on a latitude-longitude grid, and there is no {axis} (dimensions:"
                f" {listed(dataset.dims) or 'none'}); regrid them to one first"
            )
        if not dataset[axis].ndim:
            raise ValueError(
                f"fields must lie on a latitude-longitude grid, and here {axis} is a single value,"
                f" {dataset[axis].item():g}°; give the whole globe"
            )
        if dataset[axis].dims != (axis,):
            raise ValueError(
                f"fields must lie on a latitude-longitude grid, and here {axis} varies along"
                f" {listed(dataset[axis].dims)}; regrid them to one first"
            )
        _check_numbers(dataset, axis)
        _check_known(dataset, axis)
    return dataset


def _check_numbers(dataset: xr.Dataset, axis: str) -> None:
    """Raise ValueError if a coordinate is text, which would be put in order as text."""
    if dataset[axis].dtype.kind not in "fiu":
        raise ValueError(
            f"every {axis} must be a number, and here they are {dataset[axis].dtype}; write them as"
            " floats"
        )


def _check_known(dataset: xr.Dataset, axis: str) -> None:
    """Raise ValueError if a coordinate has NaN, such as a true 0 that is also the fill value."""
    gaps = int(dataset[axis].isnull().sum()) if axis in dataset.coords else 0
    if gaps:
        raise ValueError(
            f"every {axis} must be known, and {gaps} of {dataset[axis].size} are missing; look at"
            " the fill value of the coordinate"
        )


def _with_level_dimension(dataset: xr.Dataset) -> xr.Dataset:
    """A scalar level coordinate as a dimension of length one."""
    if "level" not in dataset.coords or dataset["level"].ndim:
        return dataset
    level = dataset["level"]
    dataset = dataset.drop_vars("level")
    on_levels = {
        name: array.expand_dims(level=[level.item()])
        for name, array in dataset.data_vars.items()
        if str(name).casefold() in _ON_LEVELS
    }
    if not on_levels:
        return dataset
    return dataset.assign(on_levels).assign_coords(level=("level", [level.item()], level.attrs))


def _without_expver(dataset: xr.Dataset) -> xr.Dataset:
    """Final ERA5 (expver 1), and preliminary ERA5T (expver 5) where that is still missing."""
    if "expver" not in dataset.dims:
        return dataset
    first, *others = (dataset.isel(expver=i, drop=True) for i in range(dataset.sizes["expver"]))
    for other in others:
        first = first.fillna(other)
    return first


def _with_levels_in_hpa(dataset: xr.Dataset) -> xr.Dataset:
    if "level" not in dataset.dims:
        return dataset
    if "level" not in dataset.coords:
        raise ValueError(
            "fields on pressure levels must say which levels these are, and dimension 'level' has"
            " no coordinate; add one in hPa"
        )
    values = np.asarray(dataset["level"].values, dtype=np.float64)
    stated = conversion(str(dataset["level"].attrs.get("units", "")), "Pa")
    # Without a unit, a highest number above 2000 means pascals: no level has 2000 hPa, and a file
    # that ends above 20 hPa (2000 Pa) has nothing to forecast from.
    factor = stated[0] if stated else (1.0 if values.max() > 2000 else 100.0)
    hpa = np.round(values * factor / 100, 4)
    whole = hpa == np.round(hpa)
    dataset = dataset.isel(level=np.flatnonzero(whole)) if not whole.all() else dataset
    hpa = hpa[whole].astype(np.int32)
    if len(set(hpa.tolist())) != hpa.size:
        raise ValueError(f"each level must come once, and these came: {listed(hpa)} hPa")
    return dataset.assign_coords(level=("level", hpa, {"units": "hPa", "positive": "down"}))


def _with_canonical_variables(dataset: xr.Dataset) -> xr.Dataset:
    fields: dict[str, xr.DataArray] = {}
    for original, name in _names_in(dataset).items():
        array = _with_canonical_dimensions(dataset[original], known=name in VARIABLES)
        if array is None:
            continue
        if name in VARIABLES and VARIABLES[name].kind == "static" and "time" in array.dims:
            array = array.isel(time=0, drop=True)
        array = _float32(array, known=name in VARIABLES)
        fields[name] = in_catalogue_units(array, name) if name in VARIABLES else array
    kept = [c for c in dataset.coords if c in (*DIMENSIONS, "number")]
    return xr.Dataset(
        {name: array.reset_coords(drop=True) for name, array in fields.items()},
        coords={name: dataset[name].reset_coords(drop=True) for name in kept},
        attrs=dataset.attrs,
    )


def _names_in(dataset: xr.Dataset) -> dict[str, str]:
    """The file's name → the new name. A variable that has a catalogue name already keeps it."""
    renamed: dict[str, str] = {}
    taken = {str(n) for n in dataset.data_vars}
    for name, array in dataset.data_vars.items():
        known = canonical_name(str(name), on_levels="level" in array.dims)
        known = known or name_by_period(array)
        if known is None or known == name or known in taken:
            renamed[str(name)] = str(name)
        else:
            renamed[str(name)] = known
            taken.add(known)
    return renamed


def _with_canonical_dimensions(array: xr.DataArray, *, known: bool) -> xr.DataArray | None:
    """The array without other dimensions of length one; None if an unknown variable has longer."""
    others = [d for d in array.dims if d not in DIMENSIONS]
    long = [d for d in others if array.sizes[d] > 1]
    if long:
        if known:
            raise ValueError(
                f"{array.name} must have no other dimensions than {', '.join(DIMENSIONS)}, and it"
                f" has {listed(long)}; select one entry along it first"
            )
        return None
    array = array.isel(dict.fromkeys(others, 0), drop=True)
    return array.transpose(*(d for d in DIMENSIONS if d in array.dims))


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
            stored = [1 if d in TIME_NAMES else array.sizes[d] for d in array.dims]
        chunked[name] = array.chunk(dict(zip(array.dims, stored, strict=True)))
    return dataset.assign(chunked)


def _ascending(dataset: xr.Dataset, axis: str) -> xr.Dataset:
    values = dataset[axis].values
    if (values[1:] > values[:-1]).all():
        return dataset
    if (values[1:] < values[:-1]).all():
        return dataset.isel({axis: slice(None, None, -1)})
    dataset = dataset.isel({axis: np.argsort(values, kind="stable")})
    values = dataset[axis].values
    if (values[1:] == values[:-1]).any():
        twice = values[1:][values[1:] == values[:-1]]
        raise ValueError(f"each {axis} must come once, and {twice[0]} comes twice; remove one")
    return dataset


def _around_from_zero(dataset: xr.Dataset) -> xr.Dataset:
    """Longitudes in [0, 360), ascending; a column that repeats the first one is dropped."""
    longitude = dataset["longitude"]
    values = longitude.values
    inside = np.where((values < 0) | (values >= 360), np.mod(values, 360), values)
    inside = np.where(inside >= 360, 0, inside).astype(values.dtype)  # -1e-9 % 360 is 360.0
    # Columns nearer than a microdegree are one meridian: -180 and 180, 0 and 360.
    order = np.argsort(inside, kind="stable")
    distinct = np.concatenate([[True], np.diff(inside[order]) > 1e-6])
    order = order[distinct]
    if not np.array_equal(order, np.arange(values.size)):
        dataset = dataset.isel(longitude=order)
    return dataset.assign_coords(longitude=("longitude", inside[order], longitude.attrs))


def _with_specific_humidity(dataset: xr.Dataset) -> xr.Dataset:
    needed = ("relative_humidity", "temperature")
    if "specific_humidity" in dataset or not all(name in dataset for name in needed):
        return dataset
    r = dataset["relative_humidity"]
    if r.attrs.get("units") != "%":  # unstated: it may be a fraction
        return dataset
    q = specific_humidity(r, dataset["temperature"], dataset["level"])
    return dataset.assign(specific_humidity=q)
