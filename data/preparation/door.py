"""The input doctor at the door of `prepare`: it looks at what is written."""

import json

from data.doctor import Examination, examined
from data.doctor.door import sample_of
from data.stores.analyses.store import DatasetStore


class Door:
    """Examines a dataset while it is made, from its own files.

    The first pair of new times is examined as soon as it is written, so that wrong data stop within
    a minute; a sample of all times before the dataset gets its name. If the first pair is refused
    and this run began the dataset, nothing is left of it. What is refused later stays for a run
    that is forced.
    """

    def __init__(self, store: DatasetStore, source: str, *, force: bool) -> None:
        self._store = store
        self._source = source
        self._force = force
        self._begun = not store.committed
        new = len(store.times) - store.base
        self._first = [store.base + i for i in range(min(new, 2))]

    def look(self) -> None:
        """Examine the first pair of new times, once it is written.

        Raises:
            ValueError: the doctor finds an error, and the run is not forced.
        """
        if self._store.examination or not self._first or not self._store.has(self._first):
            return
        first, self._first = self._first, []
        try:
            self._examined(first)
        except ValueError:
            if self._begun:
                self._store.discard()
            raise

    def close(self) -> Examination | None:
        """Examine a sample of all times, and record in the store what was found; errors as `look`.

        A dataset made in two runs has the record of one made in one. None if a run that was killed
        later has recorded it.
        """
        if self._store.examination:
            return None
        frame = self._store.header.time_bytes
        examination = self._examined(sample_of(len(self._store.times), frame))
        self._store.record(json.dumps(examination.to_dict(), sort_keys=True))
        return examination

    def _examined(self, indices: list[int]) -> Examination:
        frames = self._store.frames(indices)
        times, _, findings = examined(frames, self._source, force=self._force)
        # between the sampled times are others
        telling = tuple(finding for finding in findings if finding.rule != "times")
        return Examination(times, len(self._store.times), telling)
