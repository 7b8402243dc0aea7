"""How many of a card's many significant cells are chance.

Benjamini, Y. and Y. Hochberg (1995): Controlling the false discovery rate. Journal of the Royal
Statistical Society B 57, 289-300.
"""

import numpy as np
from jaxtyping import Float


def adjusted(p: Float[np.ndarray, "*cells"]) -> Float[np.ndarray, "*cells"]:
    """p-values adjusted for the number of cells: min over larger ones of p · cells / rank.

    Of the cells where it is at most 0.05, at most 5 % are expected to be chance, if cells are
    independent or positively correlated, as those of a card are. NaN stays NaN and is not counted.

    >>> adjusted(np.array([0.01, 0.04, 0.03, np.nan])).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    known = ~np.isnan(p)
    order = np.argsort(p[known])
    scaled = p[known][order] * order.size / np.arange(1, order.size + 1)
    smallest = np.minimum.accumulate(scaled[::-1])[::-1]
    values = np.empty(order.size)
    values[order] = np.minimum(smallest, 1.0)
    result = np.full(np.shape(p), np.nan)
    result[known] = values
    return result
