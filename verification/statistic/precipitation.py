"""SEEPS, the stable equitable error in probability space (Rodwell et al. 2010)."""

from dataclasses import dataclass

import numpy as np

from verification.sample import Sample
from verification.statistic.pointwise import PointwiseStatistic

# Metres over the period below which it is dry, as in WeatherBench 2; exactly so much is light rain.
DRY = {"total_precipitation_24hr": 0.25e-3, "total_precipitation_6hr": 0.1e-3}
DRY_SHARE = (0.1, 0.85)  # climates drier or wetter than this are not scored (Rodwell et al. 2010)


@dataclass(frozen=True)
class Seeps(PointwiseStatistic):
    """The SEEPS penalty of a pair of categories: dry, light, heavy.

    The climatology has `<variable>_seeps_dry_fraction` (p₁, the share of dry periods) and
    `<variable>_seeps_threshold` (the amount that a third of wet periods exceed), WeatherBench 2's
    names. NaN where p₁ is outside `DRY_SHARE`.
    """

    @property
    def needs_climatology(self) -> bool:
        """It has the categories."""
        return True

    @property
    def has_gaps(self) -> bool:
        """Very dry and very wet climates are not scored."""
        return True

    def field(self, sample: Sample) -> np.ndarray:
        """The penalty at every point.

        Raises:
            ValueError: the climatology has no categories.
        """
        names = [f"{self.variable}_seeps_{part}" for part in ("dry_fraction", "threshold")]
        climatology = sample.climatology
        if climatology is None or any(name not in climatology for name in names):
            raise ValueError(
                f"seeps of {self.variable} needs a climatology with {' and '.join(names)}; make one"
                " with `graphcast climatology`, or leave seeps out"
            )
        p1, heavy = (climatology[name] for name in names)
        forecast, truth = (
            (fields[self.variable] >= DRY[self.variable]).astype(int)
            + ((fields[self.variable] >= heavy) & (fields[self.variable] >= DRY[self.variable]))
            for fields in (sample.forecast, sample.truth)
        )
        scored = (p1 >= DRY_SHARE[0]) & (p1 <= DRY_SHARE[1])
        p = np.where(scored, p1, 0.5)
        zero = np.zeros_like(p)
        matrix = 0.5 * np.array(
            [  # forecast by truth
                [zero, 1 / (1 - p), 4 / (1 - p)],
                [1 / p, zero, 3 / (1 - p)],
                [1 / p + 3 / (2 + p), 3 / (2 + p), zero],
            ]
        )
        penalty = np.zeros(np.broadcast_shapes(forecast.shape, truth.shape))
        for f in range(3):
            for o in range(3):
                penalty += ((forecast == f) & (truth == o)) * matrix[f, o]
        return np.where(scored, penalty, np.nan)
