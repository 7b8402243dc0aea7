"""Which samples an update sees: a pure function of seed and update, with nothing to save.

Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") turns a key and a counter
into random words. With the seed as key and the update as counter, every process computes the same
indices for any update at once. NumPy guarantees the words of a bit generator for ever, but not what
a `Generator` makes of them, so the words are scaled here.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

WORD = 64  # bits


@dataclass(frozen=True)
class Draw:
    """Samples drawn with replacement (GraphCast §4.3), each as likely as any other.

    However many processes or devices share a batch, they divide the same indices among them. A
    larger batch begins with the indices of a smaller one.

    >>> Draw(seed=0, samples=1000, batch=4).indices(update=7).tolist()
    [189, 251, 308, 457]

    Attributes:
        seed: from 0, below 2⁶⁴.
        samples: how many there are to choose from.
        batch: how many an update takes.
    """

    seed: int
    samples: int
    batch: int

    def __post_init__(self) -> None:
        """Refuse numbers that no draw has."""
        if not 0 <= self.seed < 2**WORD:
            raise ValueError(f"a seed is a number from 0 below 2^{WORD}, and this is {self.seed}")
        if self.samples < 1:
            raise ValueError(f"a draw needs at least one sample, and there are {self.samples}")
        if self.batch < 1:
            raise ValueError(f"a batch has at least one sample, and this one has {self.batch}")

    def indices(self, update: int) -> Int[np.ndarray, " batch"]:
        """Numbers of the samples of an update, which counts from 0; each is below `samples`."""
        words = np.random.Philox(key=self.seed, counter=[0, update, 0, 0]).random_raw(self.batch)
        # Of 2⁶⁴ words each sample gets as many as any other, give or take one.
        return np.array([int(word) * self.samples >> WORD for word in words])
