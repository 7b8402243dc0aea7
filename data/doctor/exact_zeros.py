"""Exact zeros of a field, and how many of them the packing of its values explains.

A field of unpacked floats is never exactly 0. A field packed in steps is, if one of the steps is 0,
and then as often as it takes each neighbouring value. So the number of repeated values near 0 says
how many zeros to expect; more than that are fill values.
"""

from typing import NamedTuple

import numpy as np

AROUND = 512  # values nearest to 0 to examine at first, and more until enough are distinct:
FEW, MANY = 16, 64  # distinct values, to count the repetitions and to find the step
# Two values nearer than this part of the spread count as equal. Regridding sums packed values,
# and such sums differ by the rounding of float32, 6e-8 of the summands.
SAME = 1e-6
# The values' phases on the steps: length of their mean vector, and its angle (radians) from 0.
ALIGNED, OFF_ZERO = 0.9, 0.3
# Humidity that was clipped at 0 has values of at most 0.7 of the level's mean around it.
ABRUPT = 0.9
TRIALS = np.arange(-10, 10.1, 0.25)  # step frequencies to try, in turns over the values' range


class Zeros(NamedTuple):
    """Exact zeros of one field, its outermost rows not counted.

    `row` to `least` describe the zero that stands out most from the eight points around it.
    """

    number: int
    expected: float  # explained by packing; infinite where the packing is too coarse to tell
    row: int
    column: int
    outside: float  # distance from the range of the eight points (but their zeros), in ranges
    least: float  # the smallest magnitude among the eight points
    beside: int  # the most zeros around any zero
    abrupt: int  # zeros next to nothing smaller than `ABRUPT` of the mean magnitude


def zeros(values: np.ndarray) -> Zeros | None:
    """The zeros of one plane (latitude, longitude); None if it has none or nothing else."""
    number = int(values[1:-1].size - np.count_nonzero(values[1:-1]))
    if not number or not values.any():
        return None
    rows, columns = np.nonzero(values[1:-1] == 0)
    rows = rows + 1
    down, right = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]).T
    around = values[rows[:, None] + down, (columns[:, None] + right) % values.shape[1]]
    zero_around = around == 0
    low = np.where(zero_around, np.inf, around).min(1)
    high = np.where(zero_around, -np.inf, around).max(1)
    least = np.where(zero_around.all(1), 0.0, np.maximum(low, -high)).clip(0)
    width = np.where(zero_around.all(1), 1.0, high - low)
    outside = least / np.maximum(width, np.finfo(np.float32).tiny)
    most = int(np.argmax(outside))
    return Zeros(
        number,
        _expected(values),
        int(rows[most]),
        int(columns[most]),
        float(outside[most]),
        float(least[most]),
        int(zero_around.sum(1).max()),
        int(np.count_nonzero(least > ABRUPT * np.abs(values).mean())),
    )


def _expected(values: np.ndarray) -> float:
    """The number of zeros that the packing of the values explains.

    With λ values per step on average, spread at random, each value that occurs does so
    r = λ/(1 - exp(-λ)) times; so λ = r + W(-r exp(-r)) with Lambert's W.
    """
    other = values[values != 0]
    same = SAME * float(values.std())
    nearest = _nearest(other, FEW)
    often = nearest.size / np.unique(np.round(nearest / same)).size
    if often == 1 or _missed(np.unique(_nearest(other, MANY)), same):
        return 0.0
    if often > FEW and np.ptp(nearest) > values.std():
        return np.inf  # so coarse that the values counted are not near 0
    from scipy.special import lambertw  # noqa: PLC0415  slow to import, and few fields have zeros

    return float(often + lambertw(-often * np.exp(-often)).real)


def _nearest(values: np.ndarray, different: int) -> np.ndarray:
    """The values nearest to 0, enough for `different` distinct ones if the field has them."""
    number = AROUND
    while True:
        number = min(number, values.size)
        nearest = values[np.argpartition(np.abs(values), number - 1)[:number]]
        if number == values.size or np.unique(nearest).size >= different:
            return nearest.astype(np.float64)
        number *= 2


def _missed(distinct: np.ndarray, same: float) -> bool:
    """Whether the values lie on equal steps, none of which is 0."""
    differences = np.diff(distinct)
    differences = differences[differences > 2 * same]
    if differences.size < MANY / 2:
        return False
    # the smallest difference is the step but for rounding, which adds up over many steps
    frequencies = 1 / differences.min() + TRIALS / np.ptp(distinct)
    phases = np.exp(2j * np.pi * frequencies[:, None] * distinct).mean(1)
    best = phases[np.argmax(np.abs(phases))]
    return bool(abs(best) > ALIGNED and abs(np.angle(best)) > OFF_ZERO)
