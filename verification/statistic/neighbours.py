"""Statistics that look at a point's neighbours or at two components: wind vectors, S1, FSS."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import uniform_filter

from data.constants import EARTH_RADIUS
from mesh.grid import LatLonGrid
from verification.sample import Sample, Side
from verification.statistic.contract import Bins, Statistic
from verification.statistic.pointwise import PointwiseStatistic


@dataclass(frozen=True)
class VectorSquaredError(Statistic):
    """|f - o|² of a vector with two components, in their units squared."""

    east: str
    north: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The two components."""
        return (self.east, self.north)

    def field(self, sample: Sample) -> np.ndarray:
        """Squared length of the difference."""
        field: np.ndarray = sample.error(self.east) ** 2 + sample.error(self.north) ** 2
        return field


@dataclass(frozen=True)
class GradientError(PointwiseStatistic):
    """|∂x(f - o)| + |∂y(f - o)|, per metre: the numerator of S1."""

    @property
    def has_gaps(self) -> bool:
        """The poles have no gradient."""
        return True

    def field(self, sample: Sample) -> np.ndarray:
        """Size of the error's gradient, by components."""
        east, north = gradient(sample.error(self.variable), sample.grid)
        return np.asarray(np.abs(east) + np.abs(north))


@dataclass(frozen=True)
class LargerGradient(PointwiseStatistic):
    """max(|∂x f|, |∂x o|) + max(|∂y f|, |∂y o|), per metre: the denominator of S1."""

    @property
    def has_gaps(self) -> bool:
        """The poles have no gradient."""
        return True

    def field(self, sample: Sample) -> np.ndarray:
        """The larger of both gradients, by components."""
        pairs = zip(
            gradient(sample.forecast[self.variable], sample.grid),
            gradient(sample.truth[self.variable], sample.grid),
            strict=True,
        )
        east, north = (np.maximum(np.abs(f), np.abs(o)) for f, o in pairs)
        return np.asarray(east + north)


def gradient(field: np.ndarray, grid: LatLonGrid) -> tuple[np.ndarray, np.ndarray]:
    """∂x and ∂y by centred differences on the sphere, per metre; NaN in the first and last row."""
    latitude = np.deg2rad(np.array(grid.latitude))[:, None]
    step = 2 * np.pi / grid.shape[1]
    width = EARTH_RADIUS * np.cos(latitude) * 2 * step
    width[[0, -1]] = np.nan
    east = (np.roll(field, -1, axis=-1) - np.roll(field, 1, axis=-1)) / width
    north = np.full(field.shape, np.nan)
    height = EARTH_RADIUS * (latitude[2:] - latitude[:-2])
    north[..., 1:-1, :] = (field[..., 2:, :] - field[..., :-2, :]) / height
    return east, north


@dataclass(frozen=True)
class FractionProduct(PointwiseStatistic):
    """A product of two neighbourhood fractions, or the square of their difference.

    A fraction is the share of the points around a point (`size` by `size`, fewer at the poles)
    that exceed a threshold (Roberts & Lean 2008).
    """

    thresholds: tuple[int | float, ...]
    size: int
    of: Side | Literal["difference"]

    def bins(self, sample: Sample) -> Bins:
        """One for each threshold."""
        return {"threshold": self.thresholds}

    def field(self, sample: Sample) -> np.ndarray:
        """The square of a fraction, or of the difference of the two."""
        made = []
        for threshold in self.thresholds:
            forecast, truth = (
                self._fraction(fields[self.variable] >= threshold)
                for fields in (sample.forecast, sample.truth)
            )
            sides = {"forecast": forecast, "truth": truth, "difference": forecast - truth}
            made.append(sides[self.of] ** 2)
        return np.array(made)

    def _fraction(self, exceeds: np.ndarray) -> np.ndarray:
        rows = np.ones((exceeds.shape[-2], 1))
        size = [1] * (exceeds.ndim - 2) + [self.size, self.size]
        mode: list[Literal["constant", "wrap"]] = ["constant"] * (exceeds.ndim - 1)
        mode.append("wrap")  # around the globe, and not over the poles
        share = uniform_filter(exceeds * 1.0, size=size, mode=mode)
        inside = uniform_filter(rows, size=[self.size, 1], mode="constant")
        fraction: np.ndarray = share / inside
        return fraction
