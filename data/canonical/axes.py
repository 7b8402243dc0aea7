"""The axes of space in canonical form: latitude, longitude and level, however a file has them."""

import numpy as np
import xarray as xr

from data.canonical.names import canonical_name
from data.canonical.units import conversion
from data.wording import listed

# Coordinate names in use: CF and CMIP (lat, lon, plev), ERA5 (latitude, level), the Climate Data
# Store since 2024 (pressure_level), cfgrib (isobaricInhPa, isobaricInPa), MERRA-2 (lev).
_NAMES = {
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "long"),
    "level": (
        *("level", "pressure_level", "isobaricinhpa", "isobaricinpa"),
        *("plev", "lev", "pressure"),
    ),
}
GRID_NAMES = frozenset((*_NAMES["latitude"], *_NAMES["longitude"]))


def with_named_axes(dataset: xr.Dataset) -> xr.Dataset:
    """The Dataset with `latitude`, `longitude` and `level` under these names.

    Raises:
        ValueError: the grid is not one latitude axis by one longitude axis, or has unknown points.
    """
    renamed: dict[str, str] = {}
    for axis, aliases in _NAMES.items():
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
        check_known(dataset, axis)
    return dataset


def _check_numbers(dataset: xr.Dataset, axis: str) -> None:
    """Raise ValueError if a coordinate is text, which would be put in order as text."""
    if dataset[axis].dtype.kind not in "fiu":
        raise ValueError(
            f"every {axis} must be a number, and here they are {dataset[axis].dtype}; write them as"
            " floats"
        )


def check_known(dataset: xr.Dataset, axis: str) -> None:
    """Raise ValueError if a coordinate has NaN, such as a true 0 that is also the fill value."""
    gaps = int(dataset[axis].isnull().sum()) if axis in dataset.coords else 0
    if gaps:
        raise ValueError(
            f"every {axis} must be known, and {gaps} of {dataset[axis].size} are missing; look at"
            " the fill value of the coordinate"
        )


def ascending(dataset: xr.Dataset, axis: str) -> xr.Dataset:
    """The Dataset in ascending order of a coordinate.

    Raises:
        ValueError: a value comes twice.
    """
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


def around_from_zero(dataset: xr.Dataset) -> xr.Dataset:
    """Longitudes in [0, 360), ascending; a column that repeats the first one is dropped."""
    longitude = dataset["longitude"]
    order, inside = columns_from_zero(longitude.values)
    if not np.array_equal(order, np.arange(longitude.size)):
        dataset = dataset.isel(longitude=order)
    return dataset.assign_coords(longitude=("longitude", inside, longitude.attrs))


def columns_from_zero(longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which columns stand at ascending longitudes in [0, 360), each meridian once; and these.

    >>> order, inside = columns_from_zero(np.array([-180.0, -90.0, 0.0, 90.0, 180.0]))
    >>> order.tolist(), inside.tolist()
    ([2, 3, 0, 1], [0.0, 90.0, 180.0, 270.0])
    """
    outside = (longitude < 0) | (longitude >= 360)
    inside = np.where(outside, np.mod(longitude, 360), longitude)
    inside = np.where(inside >= 360, 0, inside).astype(longitude.dtype)  # -1e-9 % 360 is 360.0
    # Columns nearer than a microdegree are one meridian: -180 and 180, 0 and 360.
    order = np.argsort(inside, kind="stable")
    distinct = np.concatenate([[True], np.diff(inside[order]) > 1e-6])
    return order[distinct], inside[order[distinct]]


def with_levels(dataset: xr.Dataset) -> xr.Dataset:
    """Levels in whole hPa along their own dimension, ascending; others are left out.

    Raises:
        ValueError: a dimension of levels has no coordinate, or a level comes twice.
    """
    dataset = _in_hpa(_with_level_dimension(dataset))
    return ascending(dataset, "level") if "level" in dataset.dims else dataset


def _with_level_dimension(dataset: xr.Dataset) -> xr.Dataset:
    """A scalar level coordinate as a dimension of length one."""
    if "level" not in dataset.coords or dataset["level"].ndim:
        return dataset
    level = dataset["level"]
    dataset = dataset.drop_vars("level")
    on_levels = {
        name: array.expand_dims(level=[level.item()])
        for name, array in dataset.data_vars.items()
        if canonical_name(str(name), on_levels=True)
    }
    if not on_levels:
        return dataset
    return dataset.assign(on_levels).assign_coords(level=("level", [level.item()], level.attrs))


def _in_hpa(dataset: xr.Dataset) -> xr.Dataset:
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
