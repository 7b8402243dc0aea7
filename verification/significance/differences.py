"""Scores of two forecasts as differences at init times, and the interval of their ratio."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from verification.significance.contract import Estimate

Scores = Float[np.ndarray, "time *cells"]


def linearised(
    values: Scores, of_mean: Callable[[Scores], Scores], slope: Callable[[Scores], Scores]
) -> Scores:
    """What each init time adds to a score that is a function of the mean over them.

    The mean over init times of the result is the score, and its spread is that of the score to
    first order (the delta method): f(m) + f'(m) (xᵢ - m). For the root of a mean square, `of_mean`
    is the root and `slope` is 1 / (2 √m).

    Args:
        values: what is averaged, at each init time; NaN where it was not scored.
        of_mean: the score from the mean.
        slope: its derivative.
    """
    present = ~np.isnan(values)
    n = present.sum(axis=0, keepdims=True)
    total = np.where(present, values, 0.0).sum(axis=0, keepdims=True)
    mean = np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)
    return np.asarray(of_mean(mean) + slope(mean) * (values - mean))


def skill_interval(
    difference: Estimate, reference: Estimate
) -> tuple[Float[np.ndarray, "*cells"], Float[np.ndarray, "*cells"]]:
    """The interval of a skill score, mean difference over mean reference.

    The extremes of the ratio over both intervals. Where each is tested at the level (1 + L)/2, both
    hold at once with probability L or more (Bonferroni). NaN where the reference may be 0.

    Args:
        difference: of the two forecasts.
        reference: the score of the reference itself.
    """
    sure = (reference.low > 0) | (reference.high < 0)
    low, high = (np.where(sure, end, np.nan) for end in (reference.low, reference.high))
    ratios = [end / by for end in (difference.low, difference.high) for by in (low, high)]
    return np.min(ratios, axis=0), np.max(ratios, axis=0)
