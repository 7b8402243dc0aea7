"""`ScoresStore`: a store of scores under construction, with the sums of each init time."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from data.stores.building import Building
from data.stores.files import flush
from data.stores.kind import kind_of, label, zarr_attributes
from data.stores.partial import partial_path
from data.stores.reading import whole
from data.stores.workers import Fleet
from data.wording import hour
from verification.engine import Progress, Work
from verification.means import Shard
from verification.means_store import SUMS, unpacked, write_shard

LAYOUT = 2  # of scores; 1 had no sums
FINGERPRINT = "made_from"  # attribute of the group


class ScoresStore:
    """A store of scores: `begin` resumes, extends or starts it, `finish` gives it its name.

    Attributes:
        stands: whether a finished store has the sums of these init times and no others; it is then
            read, and left alone.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite
        self._building: Building | None = None
        self.stands = False

    def begin(self, fingerprint: str, init_times: Iterable[np.datetime64]) -> None:
        """Take the sums that are there: of an interrupted run, or of a finished store.

        A finished store of the same fingerprint is extended if it lacks one of the init times, and
        left alone if it has them all.

        Raises:
            FileExistsError: other scores are there, and are not to be replaced.
        """
        wanted = {hour(time) for time in init_times}
        there = self._there(fingerprint)
        self.stands = bool(there) and there == wanted and not partial_path(self.path).exists()
        if self.stands:
            return
        earlier = there & wanted if wanted - there else set()
        self._building = Building.open(
            self.path,
            "scores",
            fingerprint,
            overwrite=self._overwrite or bool(earlier),
            lay_out=lambda folder: _lay_out(folder, fingerprint),
        )
        if self._building.named:
            return
        for name in sorted(earlier - self._building.done):
            sums = zarr.open_group(whole(self.path / SUMS), mode="r", use_consolidated=False)
            write_shard(self._building.folder / SUMS, name, unpacked(sums[name]))
            self._building.commit(name)

    @property
    def done(self) -> frozenset[str]:
        """The init times whose sums are written."""
        if self._building is None:
            return frozenset(path.name for path in (self.path / SUMS).iterdir() if path.is_dir())
        return self._building.done

    def write(self, init_time: np.datetime64, shard: Shard) -> None:
        """Write the sums of one init time; they are on the disk when this returns."""
        assert self._building is not None
        write_shard(self._building.folder / SUMS, hour(init_time), shard)
        self._building.commit(hour(init_time))

    def fill(self, work: Work, processes: int, scheduler: str | None, progress: Progress) -> None:
        """Let processes or a cluster make and write the sums of the init times that are missing."""
        assert self._building is not None
        times = [time for time in work.init_times if hour(time) not in self.done]
        jobs = {place: np.array([time]) for place, time in enumerate(times)}
        total, done = len(work.init_times), len(work.init_times) - len(times)
        maker = _Maker(work, self._building.folder.absolute() / SUMS)
        progress(done, total)
        for place in Fleet(processes, scheduler).run(maker, jobs):
            self._building.commit(hour(times[place]))
            done += 1
            progress(done, total)

    def read(self, init_times: Iterable[np.datetime64]) -> dict[np.datetime64, Shard]:
        """The sums of init times that are written."""
        folder = self.path if self._building is None else self._building.folder
        sums = zarr.open_group(whole(folder / SUMS), mode="r", use_consolidated=False)
        return {time: unpacked(sums[hour(time)]) for time in init_times}

    def finish(self, datasets: Iterable[xr.Dataset]) -> None:
        """Write the scores beside the sums, and give the store its name.

        Raises:
            FileExistsError: the finished store has other scores of these sums.
        """
        if self._building is None:
            self._check_same(datasets)
            return
        if not self._building.named:
            for dataset in datasets:
                dataset.attrs.pop("graphcast_store", None)
                dataset.to_zarr(self._building.folder, mode="a", zarr_format=2, consolidated=False)
            root = zarr.open_group(self._building.folder, mode="r+", use_consolidated=False)
            root.attrs.update(label("scores", LAYOUT))
            zarr.consolidate_metadata(self._building.folder)
            for written in self._building.folder.rglob("*"):
                flush(written)
        self._building.finish()

    def close(self) -> None:
        """Unlock the store; sums that are written stay for the next run."""
        if self._building is not None:
            self._building.close()

    def __enter__(self) -> "ScoresStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_same(self, datasets: Iterable[xr.Dataset]) -> None:
        with xr.open_zarr(whole(self.path), decode_timedelta=True) as stored:
            for dataset in datasets:
                names = [name for name in dataset.variables if name not in stored.variables]
                if names or not stored[list(dataset.data_vars)].equals(dataset):
                    raise FileExistsError(
                        f"{self.path} has other scores of the same forecasts, such as other metrics"
                        " or tests; choose another output or replace it (`overwrite`)"
                    )

    def _there(self, fingerprint: str) -> set[str]:
        """The init times of a finished store of the same fingerprint."""
        if self._overwrite or kind_of(self.path) != "scores" or not self.path.is_dir():
            return set()
        if zarr_attributes(self.path / SUMS).get(FINGERPRINT) != fingerprint:
            return set()
        return {path.name for path in (self.path / SUMS).iterdir() if path.is_dir()}


@dataclass(frozen=True, eq=False)
class _Maker:
    """Makes and writes the sums of one init time, in any process that sees the folder."""

    work: Work
    folder: Path

    def __call__(self, place: int, times: np.ndarray) -> int:
        """Write the sums of one init time; returns its place."""
        time = times[0]
        write_shard(self.folder, hour(time), self.work.shard(time))
        return place


def _lay_out(folder: Path, fingerprint: str) -> None:
    root = zarr.create_group(folder, zarr_format=2)
    root.attrs.update(label("scores", LAYOUT))
    root.create_group(SUMS).attrs[FINGERPRINT] = fingerprint
