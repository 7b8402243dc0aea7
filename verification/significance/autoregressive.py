"""The paired t-test with a standard error inflated for an AR(2) process.

Geer, A. J. (2016): Significance of changes in medium-range forecast scores. Tellus A 68, 30229.
"""

import numpy as np
from jaxtyping import Float

from verification.significance.autocovariance import autocorrelations
from verification.significance.contract import LEVEL, Estimate, Series, t_test

MOST = 1 - 1e-6  # of a lag-1 autocorrelation, below which the formula is finite


def inflation(
    differences: Float[np.ndarray, "time *cells"], *, least: float = 1.0
) -> Float[np.ndarray, "*cells"]:
    """How much larger the standard error of the mean is than that of independent differences.

    k² = (1 - ρ₁φ₁ - ρ₂φ₂) / (1 - φ₁ - φ₂)², φ₁ = ρ₁(1 - ρ₂) / (1 - ρ₁²),
    φ₂ = (ρ₂ - ρ₁²) / (1 - ρ₁²), where ρ are the autocorrelations of the series. The effective
    number of init times is n / k².

    Args:
        differences: NaN where an init time was not scored.
        least: k is held at this or above. Below 1 it would make the test sharper than that of
            independent differences, on the strength of two noisy autocorrelations; 0 does not
            hold it.
    """
    shape = np.shape(differences)[1:]
    return _inflation(Series.of(differences), least).reshape(shape)


def ar2_test(
    differences: Float[np.ndarray, "time *cells"], *, level: float = LEVEL, least: float = 1.0
) -> Estimate:
    """The t-test whose standard error is multiplied by `inflation`, with n - 1 degrees of freedom.

    The degrees of freedom are those of the published test. They do not count that k is an estimate,
    so the test rejects somewhat too often where init times are few and correlations long.

    Args:
        differences: a forecast's score minus another's at each init time, evenly spaced in time;
            NaN where one was not scored.
        level: of the interval.
        least: as in `inflation`.
    """
    series = Series.of(differences)
    n = np.maximum(series.n, 2)
    deviation = np.sqrt((series.about**2).sum(axis=0) / (n - 1))
    error = _inflation(series, least) * deviation / np.sqrt(n)
    return t_test(series, error, n - 1.0, level, np.shape(differences)[1:])


def _inflation(series: Series, least: float) -> Float[np.ndarray, " cells"]:
    one, two = autocorrelations(series, 2)
    one = np.clip(one, -MOST, MOST)
    first = one * (1 - two) / (1 - one**2)
    second = (two - one**2) / (1 - one**2)
    # Sums with one divisor at all lags give a stationary process, whose 1 - φ₁ - φ₂ is positive.
    # With gaps they need not, so that what is not positive is held just above 0.
    away = np.maximum(1 - first - second, 1e-6)
    square = (1 - one * first - two * second) / away**2
    return np.asarray(np.maximum(np.sqrt(np.maximum(square, 0.0)), least))
