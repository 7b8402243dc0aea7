"""Values that are exactly zero, and whether they can be anything but a fill value.

A field of floats is never exactly 0, but one that was packed in steps through 0 is, as often as it
takes each of the other values around. How often a value comes twice therefore tells how many zeros
to expect.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import lambertw

AROUND = 512  # values nearest to 0 that are looked at, or more until there are
FEW, MANY = 16, 64  # different ones: to count how often each comes, and to find their step
# As a part of the spread: two values that are nearer count as one. Sums of packed values, as
# regridding makes them, differ by the rounding of float32, 6e-8 of what was summed.
SAME = 1e-6
# Mean of the unit vectors that say where on a step the values lie, and its angle from that of 0.
ALIGNED, OFF_ZERO = 0.9, 0.3
TRIALS = np.arange(-10, 10.1, 0.25)  # turns over all of the values, to both sides


class Zeros(NamedTuple):
    """Exact zeros of one field, without its outermost rows."""

    number: int
    expected: float  # by the packing of the values; infinite where it is too coarse to tell
    row: int  # of the zero that stands out most from the eight points around it
    column: int
    outside: float  # of the range of these points, by so many ranges; their own zeros do not count
    least: float  # the smallest of them in size
    beside: int  # how many of them are zeros


def zeros(values: np.ndarray) -> Zeros | None:
    """The zeros of one plane (latitude, longitude); None without any, or with nothing else."""
    number = int(values[1:-1].size - np.count_nonzero(values[1:-1]))
    if not number or not values.any():
        return None
    rows, columns = np.nonzero(values[1:-1] == 0)
    rows = rows + 1
    down, right = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]).T
    around = values[rows[:, None] + down, (columns[:, None] + right) % values.shape[1]]
    gone = around == 0
    low = np.where(gone, np.inf, around).min(1)
    high = np.where(gone, -np.inf, around).max(1)
    least = np.where(gone.all(1), 0.0, np.maximum(low, -high)).clip(0)
    width = np.where(gone.all(1), 1.0, high - low)
    outside = least / np.maximum(width, np.finfo(np.float32).tiny)
    most = int(np.argmax(outside))
    return Zeros(
        number,
        _expected(values),
        int(rows[most]),
        int(columns[most]),
        float(outside[most]),
        float(least[most]),
        int(gone.sum(1).max()),
    )


def _expected(values: np.ndarray) -> float:
    """Zeros that the packing of the values explains.

    Spread over steps at random, λ to a step on average, values come r = λ/(1 - exp(-λ)) times where
    they come at all; so λ = r + W(-r exp(-r)) with Lambert's W.
    """
    other = values[values != 0]
    same = SAME * float(values.std())
    nearest = _nearest(other, FEW)
    often = nearest.size / np.unique(np.round(nearest / same)).size
    if often == 1 or _missed(np.unique(_nearest(other, MANY)), same):
        return 0.0
    if often > FEW and np.ptp(nearest) > values.std():
        return np.inf  # so coarse that values away from 0 stand for those around
    return float(often + lambertw(-often * np.exp(-often)).real)


def _nearest(values: np.ndarray, different: int) -> np.ndarray:
    """Values nearest to 0, with so many different ones among them, if there are."""
    number = AROUND
    while True:
        number = min(number, values.size)
        found = values[np.argpartition(np.abs(values), number - 1)[:number]]
        if number == values.size or np.unique(found).size >= different:
            return found.astype(np.float64)
        number *= 2


def _missed(distinct: np.ndarray, same: float) -> bool:
    """Whether the values lie on equal steps, and none of these goes through 0."""
    differences = np.diff(distinct)
    differences = differences[differences > 2 * same]
    if differences.size < MANY / 2:
        return False
    # the smallest is a step but for its rounding, which adds up over many steps
    frequencies = 1 / differences.min() + TRIALS / np.ptp(distinct)
    phases = np.exp(2j * np.pi * frequencies[:, None] * distinct).mean(1)
    best = phases[np.argmax(np.abs(phases))]
    return bool(abs(best) > ALIGNED and abs(np.angle(best)) > OFF_ZERO)
