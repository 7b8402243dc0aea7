"""What a test returns, and how it reads series with gaps."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import stdtr, stdtrit

LEVEL = 0.95  # of intervals, as in the scorecards of weather centres
FEWEST = 8  # init times; the autocorrelations of shorter series say nothing


class Estimate(NamedTuple):
    """The mean difference in each cell, and how sure it is.

    Attributes:
        mean: over init times; NaN where there is none.
        low: lower end of the interval of the mean; NaN where there are too few init times.
        high: upper end.
        p: two-sided, of the hypothesis that the mean is 0; NaN where there are too few init times.
        n: how many init times have a difference.
    """

    mean: Float[np.ndarray, "*cells"]
    low: Float[np.ndarray, "*cells"]
    high: Float[np.ndarray, "*cells"]
    p: Float[np.ndarray, "*cells"]
    n: Int[np.ndarray, "*cells"]


class Series(NamedTuple):
    """Differences about their mean in every cell, with 0 where there is a gap.

    Zeros in gaps leave sums of products as they are, so that autocovariances over the pairs that
    exist come out right (Parzen 1963, amplitude-modulated series).
    """

    mean: Float[np.ndarray, " cells"]
    about: Float[np.ndarray, "time cells"]
    present: Float[np.ndarray, "time cells"]
    n: Int[np.ndarray, " cells"]

    @classmethod
    def of(cls, differences: Float[np.ndarray, "time *cells"]) -> "Series":
        """The series of all cells, side by side, in float64.

        Raises:
            ValueError: a difference is infinite.
        """
        flat = np.asarray(differences, np.float64).reshape(len(differences), -1)
        if np.isinf(flat).any():
            raise ValueError(
                "differences between two forecasts must be finite, or NaN where one of them was "
                f"not scored; {int(np.isinf(flat).sum())} are infinite"
            )
        present = ~np.isnan(flat)
        n = present.sum(axis=0)
        total = np.where(present, flat, 0.0).sum(axis=0)
        mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
        about = np.where(present, flat - np.where(n > 0, mean, 0.0), 0.0)
        return cls(mean, about, present.astype(np.float64), n)


def t_test(
    series: Series,
    error: Float[np.ndarray, " cells"],
    freedom: Float[np.ndarray, " cells"],
    level: float,
    shape: tuple[int, ...],
) -> Estimate:
    """A t-test of the mean from its standard error.

    A series that never differs from 0 has p = 1; one that always differs by the same has p = 0.
    """
    enough = series.n >= FEWEST
    rounding = 4 * np.finfo(np.float64).eps * np.abs(series.mean)  # of a constant series' error
    constant = enough & (error <= rounding)
    width = stdtrit(np.where(enough, freedom, np.nan), 0.5 + level / 2) * error
    ratio = np.divide(series.mean, error, out=np.zeros_like(error), where=enough & ~constant)
    p = np.where(enough, 2 * stdtr(np.where(enough, freedom, np.nan), -np.abs(ratio)), np.nan)
    p = np.where(constant, (series.mean == 0).astype(np.float64), p)
    return in_cells(series, width, p, shape)


def in_cells(
    series: Series,
    halfwidth: Float[np.ndarray, " cells"],
    p: Float[np.ndarray, " cells"],
    shape: tuple[int, ...],
) -> Estimate:
    """An estimate whose interval is symmetric about the mean, in the shape of the card."""
    low, high = series.mean - halfwidth, series.mean + halfwidth
    mean, low, high, p = (part.reshape(shape) for part in (series.mean, low, high, p))
    return Estimate(mean, low, high, p, series.n.reshape(shape))
