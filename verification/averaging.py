"""Area-weighted means over regions."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from mesh.grid import LatLonGrid
from verification.regions import REGIONS, check_regions


@dataclass(frozen=True, eq=False)
class RegionWeights:
    """Weights of rows (region, latitude) and columns (region, longitude); their products sum to 1.

    A region is a box, so a point's weight is its row's weight times its column's weight.
    """

    rows: xr.DataArray
    columns: xr.DataArray

    @classmethod
    def on(cls, grid: LatLonGrid, regions: Iterable[str]) -> "RegionWeights":
        """Area weights on a grid: a row's exact area on the sphere, shared evenly by its points.

        Raises:
            ValueError: an unknown region, or one that holds no point of the grid.
        """
        names = list(regions)
        check_regions(names)
        latitude, longitude = np.array(grid.latitude), np.array(grid.longitude)
        rows = np.array([REGIONS[n].rows(latitude) * grid.row_areas() for n in names])
        columns = np.array([REGIONS[n].columns(longitude) * 1.0 for n in names])
        empty = [
            n for n, r, c in zip(names, rows, columns, strict=True) if not r.any() or not c.any()
        ]
        if empty:
            raise ValueError(
                f"region(s) {', '.join(empty)} hold no point of the {grid.shape[0]} by "
                f"{grid.shape[1]} grid; leave them out or score on a finer grid"
            )
        rows /= rows.sum(axis=1, keepdims=True)
        columns /= columns.sum(axis=1, keepdims=True)
        return cls(
            xr.DataArray(rows, {"region": names, "latitude": latitude}, ("region", "latitude")),
            xr.DataArray(
                columns, {"region": names, "longitude": longitude}, ("region", "longitude")
            ),
        )

    def mean(self, field: xr.DataArray) -> xr.DataArray:
        """Mean of a field over each region, in float64; `region` takes the place of the grid.

        NaN anywhere on the globe gives NaN in every region, even in those that do not contain it. A
        field without longitudes, such as a spectrum of each row, is averaged over a region's rows.
        """
        # float64: in float32 a sum of 10⁶ squares loses the fourth digit
        by_row = field.astype(np.float64)
        if "longitude" in field.dims:
            by_row = xr.dot(by_row, self.columns, dim="longitude")
        mean: xr.DataArray = xr.dot(by_row, self.rows, dim="latitude")
        return mean
