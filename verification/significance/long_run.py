"""The t-test with a long-run variance estimated from cosines (EWC).

Lazarus, E., D. J. Lewis, J. H. Stock and M. W. Watson (2018): HAR inference: recommendations for
practice. Journal of Business & Economic Statistics 36, 541-559. It is the test of two losses of
Diebold, F. X. and R. S. Mariano (1995), Journal of Business & Economic Statistics 13, 253-263, with
this estimate of the variance in place of theirs.
"""

import numpy as np
from jaxtyping import Float

from verification.significance.contract import LEVEL, Estimate, Series, t_test

RATE = 0.41  # cosines per (init times)^(2/3): Lazarus et al. 2018, equation 4


def cosines(n: int) -> int:
    """How many cosines are used for a series of length n: ⌊0.41 n^(2/3)⌋, at least one."""
    return max(1, int(RATE * n ** (2 / 3)))


def long_run_variance(
    differences: Float[np.ndarray, "time *cells"],
) -> Float[np.ndarray, "*cells"]:
    """N times the variance of the mean of a correlated series.

    The mean over ν low frequencies of the squared weighted sum of the series with a cosine.
    """
    series = Series.of(differences)
    return _variance(series, cosines(len(series.about))).reshape(np.shape(differences)[1:])


def hac_test(differences: Float[np.ndarray, "time *cells"], *, level: float = LEVEL) -> Estimate:
    """The t-test with `long_run_variance`, and as many degrees of freedom as there are cosines.

    Args:
        differences: a forecast's score minus another's at each init time, evenly spaced in time;
            NaN where one was not scored.
        level: of the interval.
    """
    series = Series.of(differences)
    error, freedom = np.zeros(series.n.shape), np.ones(series.n.shape)
    for n in np.unique(series.n[series.n > 0]):  # few: a lead time has as many as the next
        cells = series.n == n
        of_n = Series(*(part[..., cells] for part in series))
        freedom[cells] = cosines(int(n))
        error[cells] = np.sqrt(_variance(of_n, cosines(int(n))) / n)
    return t_test(series, error, freedom, level, np.shape(differences)[1:])


def _variance(series: Series, count: int) -> Float[np.ndarray, " cells"]:
    length = len(series.about)
    place = (np.arange(length) + 0.5) / length
    weights = np.sqrt(2) * np.cos(np.pi * np.outer(np.arange(1, count + 1), place))
    sums = weights @ series.about
    return np.asarray((sums**2).mean(axis=0) / np.maximum(series.n, 1))
