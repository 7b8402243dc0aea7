"""Area-weighted means over regions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from mesh.grid import LatLonGrid
from verification.regions import Surface, region_named

RowWeights = Literal["area", "cosine"]


class _Box(NamedTuple):
    """Regions that share a mask and a set of columns; the weights of each sum to 1."""

    regions: list[int]
    columns: Float[np.ndarray, " lon"]
    rows: Float[np.ndarray, "region lat"]


@dataclass(frozen=True, eq=False)
class RegionWeights:
    """Weights of regions on a grid; `mean` applies them as matrix products.

    A region is a box, so a point's weight is its row's weight times its column's weight, times a
    mask (land, sea, high ground) where the region has one.
    """

    names: tuple[str, ...]
    boxes: tuple[tuple[Bool[np.ndarray, "lat lon"] | None, tuple[_Box, ...]], ...]

    @classmethod
    def on(
        cls,
        grid: LatLonGrid,
        regions: Iterable[str],
        *,
        rows: RowWeights = "area",
        surface: Surface | None = None,
    ) -> "RegionWeights":
        """Weights on a grid.

        Args:
            grid: the grid of the fields.
            regions: names that `regions.region_named` knows.
            rows: how a row counts: by its exact area on the sphere, shared evenly by its points,
                or by cos φ.
            surface: land and height of the grid's points, for the regions that ask for them.

        Raises:
            ValueError: an unknown region, one that holds no point of the grid, or one that needs
                a surface that is not there.
        """
        names = tuple(regions)
        latitude, longitude = np.array(grid.latitude), np.array(grid.longitude)
        by_row = grid.row_areas() if rows == "area" else np.cos(np.deg2rad(latitude)).clip(min=0)
        found: dict[bytes | None, tuple[np.ndarray | None, dict[bytes, _Box]]] = {}
        empty = []
        for place, name in enumerate(names):
            region = region_named(name)
            mask = region.mask(name, surface)
            row, column = region.rows(latitude) * by_row, region.columns(longitude) * 1.0
            on_row = np.full(len(row), column.sum()) if mask is None else mask @ column
            total = row @ on_row
            if total <= 0:
                empty.append(name)
                continue
            key = None if mask is None else mask.tobytes()
            boxes = found.setdefault(key, (mask, {}))[1]
            box = boxes.get(column.tobytes(), _Box([], column, np.zeros((0, len(row)))))
            boxes[column.tobytes()] = _Box(
                [*box.regions, place], column, np.vstack([box.rows, np.atleast_2d(row / total)])
            )
        if empty:
            raise ValueError(
                f"region(s) {', '.join(empty)} hold no point of the {grid.shape[0]} by "
                f"{grid.shape[1]} grid; leave them out or score on a finer grid"
            )
        return cls(names, tuple((mask, tuple(b.values())) for mask, b in found.values()))

    def mean(self, field: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Mean of a field over each region: (…, latitude, longitude) to (…, region), in float64.

        NaN anywhere on the globe gives NaN in every region, even in those that do not contain it.
        """
        field = np.ascontiguousarray(field, np.float64)
        flat = field.reshape(-1, field.shape[-1])
        means = np.empty((*field.shape[:-2], len(self.names)))
        for mask, boxes in self.boxes:
            masked = flat if mask is None else (field * mask).reshape(flat.shape)
            columns = np.stack([np.ones(flat.shape[1]), *(box.columns for box in boxes)], axis=1)
            with np.errstate(invalid="ignore"):  # infinity times a weight of 0
                by_row = masked @ columns
            by_row = by_row.reshape(*field.shape[:-1], columns.shape[1])
            if not np.isfinite(by_row[..., 0].sum()):
                means[...] = np.nan
                return means
            for place, box in enumerate(boxes, start=1):
                means[..., box.regions] = by_row[..., place] @ box.rows.T
        return means

    def mean_of_present(
        self, field: Float[np.ndarray, "..."]
    ) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
        """Sum over the points that are not NaN, and the weight of these points, by region."""
        present = ~np.isnan(field)
        return self.mean(np.where(present, field, 0.0)), self.mean(present * 1.0)
