"""Regridding of Datasets: lazy, whole fields at a time."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from data.grids import grid_of
from data.provenance import noted
from data.regrid.weights import Weights, weights
from data.variables import VARIABLES
from mesh.grid import LatLonGrid, same_points

METHODS = ("conservative", "bilinear", "nearest", "subsample")
HORIZONTAL = ("latitude", "longitude")

# Lazy blocks larger than this are cut along time. Regridding holds a block, its result and one
# field in float64.
BLOCK = 2**28  # bytes


def regrid(dataset: xr.Dataset, target: LatLonGrid, *, method: str = "conservative") -> xr.Dataset:
    """The fields of a canonical Dataset on another global grid (latitudes ascending).

    Weights and sums are float64; fields keep their type. A NaN makes every target point NaN that
    has a weight for it. On its own grid every method returns the fields as they are.

    Args:
        dataset: canonical fields, lazy or not.
        target: the grid to go to.
        method: "conservative" takes cell means and keeps the area mean of the globe; "bilinear" and
            "nearest" interpolate between the points around; "subsample" takes points of the source
            unchanged, as DeepMind made its 1° data from every fourth 0.25° point. Where "bilinear"
            needs a row at a pole that the source lacks, a scalar gets the mean of the nearest row.
            A wind component, which at a pole is one vector seen from each longitude, gets the zonal
            wave number one of that row.

    Returns:
        The fields with the target's coordinates, lazy where they came lazy, each with a note in its
        `provenance`.

    Raises:
        ValueError: a grid that is not global, an unknown method, variables on only one of the two
            axes, or "subsample" where the points do not coincide.
    """
    if method not in METHODS:
        raise ValueError(f"regridding is {', '.join(METHODS)}, not {method!r}")
    source = grid_of(dataset, "the grid to regrid from")
    _check_ascending(source, "from")
    _check_ascending(target, "to")
    _check_fields(dataset)
    coordinates = {
        name: (name, axis, dataset[name].attrs)
        for name, axis in zip(HORIZONTAL, target.axes(), strict=True)
    }
    if source.matches(target):
        return dataset.assign_coords(coordinates)
    if method == "subsample":
        return _subsampled(dataset, source, target).assign_coords(coordinates)
    matrices = weights(method, source, target)
    fields = {
        name: _noted(_regridded(array, matrices, source.axes()[1]), method, source, target)
        for name, array in dataset.data_vars.items()
        if "latitude" in array.dims
    }
    others = dataset.drop_vars([*fields, *HORIZONTAL])
    whole = others.assign(fields).assign_coords(coordinates)
    return whole[list(dataset.data_vars)]


def _check_ascending(grid: LatLonGrid, role: str) -> None:
    if grid.latitude[0] > grid.latitude[-1]:
        raise ValueError(
            f"the grid to regrid {role} has latitudes that ascend, and these go from"
            f" {grid.latitude[0]:g} to {grid.latitude[-1]:g}; turn the rows around"
        )


def _check_fields(dataset: xr.Dataset) -> None:
    halves = [
        str(name)
        for name, array in dataset.data_vars.items()
        if 0 < len({*HORIZONTAL} & {*array.dims}) < len(HORIZONTAL)
    ]
    if halves:
        raise ValueError(
            "fields to regrid lie on latitude and longitude, and"
            f" {', '.join(halves)} only on one of them; drop it (clocks are computed on any grid)"
        )


def _subsampled(dataset: xr.Dataset, source: LatLonGrid, target: LatLonGrid) -> xr.Dataset:
    chosen: dict[str, np.ndarray] = {}
    for name, points, wanted in zip(HORIZONTAL, source.axes(), target.axes(), strict=True):
        nearest = np.argmin(np.abs(wanted[:, None] - points), axis=1)
        if not same_points(points[nearest], wanted):
            worst = int(np.argmax(np.abs(points[nearest] - wanted)))
            raise ValueError(
                f"subsampling takes points that are there, and {name} {wanted[worst]:g} is not"
                f" (the nearest is {points[nearest][worst]:g}); regrid conservatively or"
                " bilinearly instead"
            )
        chosen[name] = nearest
    picked = dataset.isel(chosen).drop_encoding()
    fields = {
        name: _noted(array, "subsample", source, target)
        for name, array in picked.data_vars.items()
        if "latitude" in array.dims
    }
    return picked.assign(fields)


def _regridded(
    array: xr.DataArray, matrices: Weights, longitude: Float[np.ndarray, " lon"]
) -> xr.DataArray:
    rows, columns = matrices.rows.shape[0], matrices.columns.shape[0]
    dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float32)
    array = array.drop_vars(HORIZONTAL, errors="ignore").transpose(..., *HORIZONTAL)
    result: xr.DataArray = xr.apply_ufunc(
        _regridded_block,
        whole_fields(array),
        kwargs={
            "matrices": matrices,
            "longitude": longitude,
            "wind": _is_wind_component(array),
            "dtype": dtype,
        },
        input_core_dims=[HORIZONTAL],
        output_core_dims=[HORIZONTAL],
        exclude_dims=set(HORIZONTAL),
        dask="parallelized",
        output_dtypes=[dtype],
        dask_gufunc_kwargs={"output_sizes": {"latitude": rows, "longitude": columns}},
        keep_attrs=True,
    )
    return result


def whole_fields(array: xr.DataArray) -> xr.DataArray:
    """A lazy array in blocks of whole fields, cut along time until a block is small enough."""
    if array.chunks is None:
        return array
    chunks: dict[str, int] = dict.fromkeys(HORIZONTAL, -1)
    sizes = dict(zip(array.dims, (max(sizes) for sizes in array.chunks), strict=True))
    outer = np.prod([n for d, n in sizes.items() if d not in HORIZONTAL], dtype=np.int64)
    points = array.sizes["latitude"] * array.sizes["longitude"]
    too_large = int(outer) * points * array.dtype.itemsize / BLOCK
    if too_large > 1 and "time" in sizes:
        chunks["time"] = max(1, int(sizes["time"] / too_large))
    return array.chunk(chunks)


def _regridded_block(
    block: np.ndarray,
    *,
    matrices: Weights,
    longitude: Float[np.ndarray, " lon"],
    wind: bool,
    dtype: np.dtype,
) -> np.ndarray:
    """[..., lat, lon] to [..., target lat, target lon], one field in float64 at a time."""
    shape = matrices.rows.shape[0], matrices.columns.shape[0]
    result = np.empty((*block.shape[:-2], *shape), dtype=dtype)
    # reused for all fields: a new array each time would page-fault again
    source = np.empty((matrices.rows.shape[1], block.shape[-1]))
    field = source[int(matrices.south) : len(source) - int(matrices.north)]
    for place in np.ndindex(block.shape[:-2]):
        field[...] = block[place]
        if matrices.south:
            source[:1] = _at_pole(field[:1], longitude, wind=wind)
        if matrices.north:
            source[-1:] = _at_pole(field[-1:], longitude, wind=wind)
        across = matrices.rows @ source
        result[place] = (matrices.columns @ np.ascontiguousarray(across.T)).T
    return result


def _at_pole(
    row: Float[np.ndarray, "1 lon"], longitude: Float[np.ndarray, " lon"], *, wind: bool
) -> Float[np.ndarray, "1 lon"]:
    """The values at a pole, one for each longitude, from the nearest row."""
    if not wind:
        return np.broadcast_to(row.mean(axis=1, keepdims=True), row.shape)
    λ = np.deg2rad(longitude)
    cosine, sine = np.cos(λ), np.sin(λ)
    # the first Fourier coefficients of n uniform points: 2/n Σ f cos λ, 2/n Σ f sin λ
    return np.asarray(2 * (row * cosine).mean() * cosine + 2 * (row * sine).mean() * sine)[None]


def _is_wind_component(array: xr.DataArray) -> bool:
    known = VARIABLES.get(str(array.name))
    standard = known.standard_name if known else array.attrs.get("standard_name")
    return standard in {"eastward_wind", "northward_wind"}


def _noted(
    array: xr.DataArray, method: str, source: LatLonGrid, target: LatLonGrid
) -> xr.DataArray:
    """The array with a note of its regridding, and `cell_methods` for a cell mean."""
    array = noted(array, f"regridded ({method}) from {source} to {target}")
    methods = str(array.attrs.get("cell_methods", ""))
    if method != "conservative" or "area: mean" in methods:
        return array
    return array.assign_attrs(cell_methods=f"{methods} area: mean".strip())
