"""`Ledger`: where the time of a training run goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from graphcast.machine.hosts import process_count

WAITING, COMPILING, SAVING, VALIDATING = "waiting", "compiling", "saving", "validating"


class Ledger:
    """Seconds by activity, the rest of the time being updates; and counts of samples and bytes.

    Attributes:
        seconds: by activity: `waiting` for data, `compiling`, `saving`, `validating`.
        samples: examples that updates have seen, of all processes.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys((WAITING, COMPILING, SAVING, VALIDATING), 0.0)
        self.samples = 0
        self._started = time.perf_counter()

    @contextmanager
    def spending(self, activity: str | None) -> Iterator[None]:
        """Count the time of the block under `activity`; None: under none."""
        started = time.perf_counter()
        try:
            yield
        finally:
            if activity is not None:
                self.seconds[activity] += time.perf_counter() - started

    def count(self, samples: int) -> None:
        """Count the samples of an update on this process."""
        self.samples += samples * process_count()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._started

    @property
    def updating(self) -> float:
        """Seconds in updates: all that no activity has."""
        return max(self.elapsed - sum(self.seconds.values()), 1e-9)

    @property
    def samples_per_second(self) -> float:
        """Samples a second, compiling, saving and validating left out."""
        return self.samples / (self.updating + self.seconds[WAITING])

    def shares(self) -> dict[str, float]:
        """The share of the elapsed time of each activity, from 0 to 1."""
        return {name: spent / max(self.elapsed, 1e-9) for name, spent in self.seconds.items()}
