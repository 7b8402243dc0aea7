"""Autocovariances of many series at once."""

import numpy as np
from jaxtyping import Float
from scipy import fft

from verification.significance.contract import Series


def autocovariances(series: Series, lags: int) -> Float[np.ndarray, "lags cells"]:
    """Autocovariance at lags 0, 1, ..., `lags`: the sum of products over the length of the series.

    The divisor is the same at all lags, so that no spectrum of them is negative.
    """
    length = fft.next_fast_len(len(series.about) + lags, real=True)
    spectrum = fft.rfft(series.about, length, axis=0)
    products = fft.irfft(np.abs(spectrum) ** 2, length, axis=0)[: lags + 1]
    return np.asarray(products / np.maximum(series.n, 1))


def autocorrelations(series: Series, lags: int) -> Float[np.ndarray, "lags cells"]:
    """Autocorrelation at lags 1, ..., `lags`; 0 for a constant series.

    Where there are gaps, the sum of products at a lag counts by the pairs that there are.
    """
    covariances = autocovariances(series, lags)
    variance = covariances[0]
    length = len(series.about)
    scaled = np.empty_like(covariances[1:])
    for lag in range(1, lags + 1):
        pairs = (series.present[lag:] * series.present[: length - lag]).sum(axis=0)
        whole = np.maximum(series.n - lag, 0)  # pairs in a series of n without gaps
        by_pairs = np.divide(whole, pairs, out=np.zeros_like(variance), where=pairs > 0)
        scaled[lag - 1] = covariances[lag] * by_pairs
    return np.asarray(np.divide(scaled, variance, out=np.zeros_like(scaled), where=variance > 0))
