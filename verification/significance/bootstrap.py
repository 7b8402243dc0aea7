"""The stationary bootstrap with automatic block length.

Politis, D. N. and J. P. Romano (1994): The stationary bootstrap. Journal of the American
Statistical Association 89, 1303-1313. Politis, D. N. and H. White (2004): Automatic block-length
selection for the dependent bootstrap. Econometric Reviews 23, 53-70, with the correction of Patton,
Politis and White (2009), Econometric Reviews 28, 372-375.
"""

import numpy as np
from jaxtyping import Bool, Float

from verification.significance.autocovariance import autocovariances
from verification.significance.contract import FEWEST, LEVEL, Estimate, Series, in_cells

RESAMPLES = 2000  # p = 0.05 then has a standard error of 0.005
BAND = 2.0  # standard errors above which an autocorrelation counts: Politis & White 2004, c
STEPS = 4  # block lengths per factor of 2 that are drawn; the best length is known no better


def bootstrap_test(
    differences: Float[np.ndarray, "time *cells"],
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """The spread of the mean over series that are put together from blocks of the series.

    The interval is symmetric about the mean, and holds 0 exactly where p is above 1 - `level`, but
    for the rounding of 1 / `resamples`.

    Args:
        differences: a forecast's score minus another's at each init time, evenly spaced in time;
            NaN where one was not scored. Gaps are closed up.
        level: of the interval.
        resamples: how many series are drawn.
        seed: of the draws. Cells with the same init times and block length share theirs.
    """
    shape = np.shape(differences)[1:]
    series = Series.of(differences)
    lengths = _block_lengths(series)
    halfwidth, p = np.full(series.n.shape, np.nan), np.full(series.n.shape, np.nan)
    for cells, length in _groups(series, lengths):
        rows = series.present[:, np.flatnonzero(cells)[0]] > 0
        about = series.about[np.ix_(rows, cells)]
        # The same seed for every group: a cell's numbers do not depend on its neighbours.
        rng = np.random.default_rng(seed)
        away = np.abs(_counts(len(about), length, resamples, rng) @ about) / len(about)
        halfwidth[cells] = np.quantile(away, level, axis=0)
        reached = (away >= np.abs(series.mean[cells])).sum(axis=0)
        p[cells] = (1 + reached) / (1 + resamples)
    return in_cells(series, halfwidth, p, shape)


def block_length(differences: Float[np.ndarray, "time *cells"]) -> Float[np.ndarray, "*cells"]:
    """The mean block length that makes the bootstrap's variance of the mean most exact."""
    return _block_lengths(Series.of(differences)).reshape(np.shape(differences)[1:])


def _block_lengths(series: Series) -> Float[np.ndarray, " cells"]:
    """B = (2 G² / D)^⅓ n^⅓ with G = Σ λ(k/M) |k| R(k) and D = 2 (Σ λ(k/M) R(k))².

    M is twice the lag after which the autocorrelations are within `BAND` of 0 for a while, and λ is
    the flat-top window, 1 up to ½ and from there down to 0 at 1.
    """
    n = len(series.about)
    if n < FEWEST:
        return np.ones(series.n.shape)
    quiet = max(5, int(np.sqrt(np.log10(n))))  # so many small ones in a row end the search
    most = int(np.ceil(np.sqrt(n))) + quiet
    covariances = autocovariances(series, min(most + quiet, n - 1))
    variance = covariances[0]
    correlations = np.divide(
        covariances[1:], variance, out=np.zeros_like(covariances[1:]), where=variance > 0
    )
    last = _last_lag(np.abs(correlations) < BAND * np.sqrt(np.log10(n) / n), quiet, most)
    lag = np.arange(1, most + 1)[: len(correlations)]
    window = np.clip(2 * (1 - lag[:, None] / np.minimum(2 * last, most)), 0.0, 1.0)
    terms = 2 * window * covariances[1 : len(lag) + 1]
    slope, at_zero = (lag[:, None] * terms).sum(axis=0), variance + terms.sum(axis=0)
    ratio = np.divide(slope, at_zero, out=np.zeros_like(slope), where=at_zero != 0)
    longest = min(3 * np.sqrt(n), n / 3)
    return np.asarray(np.clip(np.cbrt(ratio**2 * np.maximum(series.n, 1)), 1.0, longest))


def _last_lag(
    small: Bool[np.ndarray, "lags cells"], quiet: int, most: int
) -> Float[np.ndarray, " cells"]:
    """The lag before the first `quiet` small autocorrelations in a row, at least 1."""
    runs = np.lib.stride_tricks.sliding_window_view(small, quiet, axis=0).all(axis=-1)
    found = runs.any(axis=0)
    # Where it never is quiet: the last lag whose autocorrelation is large.
    large = len(small) - np.argmax(~small[::-1], axis=0)
    lag = np.where(found, np.argmax(runs, axis=0), large)
    return np.asarray(np.clip(lag, 1, most), np.float64)


def _groups(
    series: Series, lengths: Float[np.ndarray, " cells"]
) -> list[tuple[Bool[np.ndarray, " cells"], float]]:
    """Cells with the same gaps and nearly the same block length, which are drawn together."""
    steps = np.rint(STEPS * np.log2(lengths)).astype(int)
    enough = series.n >= FEWEST
    _, pattern = np.unique(series.present, axis=1, return_inverse=True)
    kinds = np.unique(np.stack([pattern.ravel(), steps])[:, enough], axis=1).T
    return [
        (enough & (pattern.ravel() == gaps) & (steps == step), float(2 ** (step / STEPS)))
        for gaps, step in kinds
    ]


def _counts(
    n: int, length: float, resamples: int, rng: np.random.Generator
) -> Float[np.ndarray, "resamples time"]:
    """How often each init time is in each resampled series.

    A block goes on with probability 1 - 1/`length`, and otherwise ends; the series is a circle.
    """
    begins = rng.random((resamples, n)) < 1 / length
    begins[:, 0] = True
    starts = rng.integers(0, n, (resamples, n))
    place = np.arange(n)
    since = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    index = (np.take_along_axis(starts, since, axis=1) + place - since) % n
    index += n * np.arange(resamples)[:, None]
    counted = np.bincount(index.ravel(), minlength=resamples * n)
    return counted.reshape(resamples, n).astype(np.float64)
