"""Workers that make the groups of a dataset: this process, several, or those of a dask cluster."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from typing import Any

import numpy as np

MakeGroup = Callable[[int, np.ndarray], int]  # a group's number and times; returns the number


@dataclass(frozen=True)
class Fleet:
    """`workers` processes of this machine, or the workers of a dask `scheduler` (tcp://…).

    One worker is this process. A cluster's workers must see the same files.
    """

    workers: int = 1
    scheduler: str | None = None

    def __post_init__(self) -> None:
        """Check the number."""
        if self.workers < 1:
            raise ValueError(f"there is at least one worker, and {self.workers} were asked for")

    def run(self, work: MakeGroup, jobs: Mapping[int, np.ndarray]) -> Generator[int, None, None]:
        """Call `work(group, times)` for every group; yield groups as they are done.

        Each worker gets its copy of `work` once, and uses it for all its groups. The first error
        ends the run: groups in progress are finished, no others begin.
        """
        if self.scheduler is None and self.workers == 1:
            for group, times in jobs.items():
                yield work(group, times)
            return
        with self._workers(work) as (submit, count):
            yield from _in_turn(submit, count, jobs)

    def _workers(self, work: MakeGroup) -> AbstractContextManager[tuple["Submit", int]]:
        if self.scheduler is None:
            return _processes(self.workers, work)
        return _cluster(self.scheduler, work)


Submit = Callable[[int, np.ndarray], Future[int]]  # a group and its times, to any worker


def _in_turn(
    submit: Submit, count: int, jobs: Mapping[int, np.ndarray]
) -> Generator[int, None, None]:
    waiting = iter(jobs.items())
    running: set[Future[int]] = set()
    try:
        while True:
            for group, times in waiting:
                running.add(submit(group, times))
                if len(running) > count:  # one more than can run, so that no worker waits
                    break
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise OSError(
            "a worker process died, perhaps for lack of memory; run it again with fewer workers"
            " (`workers`), and it goes on where it stopped"
        ) from error
    finally:
        for future in running:
            future.cancel()


@contextmanager
def _processes(count: int, work: MakeGroup) -> Iterator[tuple[Submit, int]]:
    context = multiprocessing.get_context("spawn")  # threads of zarr and dask do not survive a fork
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=_as_worker, initargs=(work,)
    ) as executor:
        yield lambda group, times: executor.submit(_do_in_this_process, group, times), count


_work: list[MakeGroup] = []  # in a worker process: its copy of `work`, the same for all its groups


def _as_worker(work: MakeGroup) -> None:
    """Set up a worker process to end with its parent, however the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work[:] = [work]


def _do_in_this_process(group: int, times: np.ndarray) -> int:
    return _work[0](group, times)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


@contextmanager
def _cluster(address: str, work: MakeGroup) -> Iterator[tuple[Submit, int]]:
    try:
        import distributed  # noqa: PLC0415  an optional package
    except ImportError as error:
        raise ValueError(
            f"a dask cluster needs a package that is not installed ({error});"
            " pip install 'graphcast[cluster]'"
        ) from error
    try:
        connect: Any = distributed.Client  # it has no types
        client = connect(address, timeout=30, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OSError(
            f"no dask scheduler answers at {address} ({error}); check the address (`scheduler`)"
        ) from error
    with client:
        # a task that fails for lack of its worker is done again elsewhere: same shards, same bytes
        executor = client.get_executor(pure=False)
        on_workers = client.scatter(work, broadcast=True, hash=False)  # unpickled once on each
        count = max(1, sum(client.nthreads().values()))
        yield lambda group, times: executor.submit(_do, on_workers, group, times), count


def _do(work: MakeGroup, group: int, times: np.ndarray) -> int:
    return work(group, times)
