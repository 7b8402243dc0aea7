"""Means: over a region by area, and over samples by adding up.

A statistic is averaged over the points of each region first (`RegionWeights`), which leaves one
number per sample, lead time, level and region. Samples are then averaged by `RunningMean`, a
monoid: a sum and a weight that add, so that chunks may come in any order and grouping.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from mesh.grid import LatLonGrid
from verification.regions import REGIONS, check_regions


@dataclass(frozen=True, eq=False)
class RegionWeights:
    """Weights of rows (region, latitude) and columns (region, longitude); their products sum to 1.

    A region is a box, so the weight of a point is that of its row times that of its column.
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

        NaN anywhere on the globe makes NaN, in the regions that do not hold it too.
        """
        # float64: in float32 a sum of 10⁶ squares loses the fourth digit
        by_row = xr.dot(field.astype(np.float64), self.columns, dim="longitude")
        mean: xr.DataArray = xr.dot(by_row, self.rows, dim="latitude")
        return mean


@dataclass(frozen=True, eq=False)
class RunningMean:
    """A weighted sum and its weight; `a + b` is of both samples, in any order and grouping."""

    total: xr.DataArray
    weight: xr.DataArray

    @classmethod
    def of(cls, values: xr.DataArray, weight: xr.DataArray) -> "RunningMean":
        """One sample; where its weight is 0 its value counts for nothing, and may be anything."""
        return cls((values * weight).where(weight > 0, 0.0), weight)

    def __add__(self, other: "RunningMean") -> "RunningMean":
        """The mean over the samples of both."""
        return RunningMean(self.total + other.total, self.weight + other.weight)

    @property
    def mean(self) -> xr.DataArray:
        """The mean, NaN where no sample had any weight."""
        return self.total / self.weight.where(self.weight > 0)
