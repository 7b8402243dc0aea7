"""Stopped, killed, grown or by several workers: the bytes are those of one undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data.stores.workers import Fleet
from tests.data.preparation.small_archive import ROOT, made
from tests.data.preparation.stopping import stop_after
from tests.data.sources.loopback import archive, tree, weather


def test_times_added_later_give_the_bytes_of_all_at_once(source, tmp_path):
    expected = tree(made(source, tmp_path / "whole.zarr"))
    path = tmp_path / "grown.zarr"
    for count in (1, 3, 4, 9, 12):  # groups of two times: full ones and half full ones
        made(source, path, count)
        assert xr.open_zarr(path).sizes["time"] == count
    assert tree(path) == expected
    assert not (tmp_path / "grown.zarr.partial").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the child's start, in Python 3.12
def test_two_workers_give_the_bytes_of_one(source, tmp_path):
    expected = tree(made(source, tmp_path / "one.zarr"))
    assert tree(made(source, tmp_path / "two.zarr", fleet=Fleet(2))) == expected


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from data.stores.workers import Fleet
from tests.data.preparation.small_archive import made
if __name__ == "__main__":
    source, count, workers = sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    print("ready", flush=True)
    made(source, Path(sys.argv[1]), count, fleet=Fleet(workers))
"""


def killed(folder: Path, path: Path, source: str, count: int, after: float, workers: int) -> bool:
    """Start making a dataset and kill it; whether it was killed before it was done."""
    script = folder / "child.py"
    script.write_text(textwrap.dedent(CHILD))
    command = [sys.executable, str(script), str(path), ROOT, source, str(count), str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(after)
        child.send_signal(signal.SIGKILL)
    return child.returncode == -signal.SIGKILL


def in_a_process(source: str, path: Path, count: int) -> float:
    """Make a dataset in a process of its own; its peak memory in MiB."""
    measure = (
        "import re, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from tests.data.preparation.small_archive import made;"
        "made(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), group_bytes=2**20);"
        # not getrusage, which counts what the parent had
        "status = Path('/proc/self/status').read_text();"
        "print(int(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1]) / 1024)"
    )
    command = [sys.executable, "-c", measure, ROOT, source, str(path), str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_times(tmp_path):
    fine = {"latitude": np.linspace(90, -90, 73), "longitude": np.arange(144) * 2.5}
    series = weather(300).interp(fine, kwargs={"fill_value": "extrapolate"}).astype(np.float32)
    source = str(archive(tmp_path / "fine.zarr", series))
    few, many = (in_a_process(source, tmp_path / f"{n}.zarr", n) for n in (10, 300))
    print(f"peak memory: {few:.0f} MiB for 10 times, {many:.0f} MiB for 300")
    assert many < 1.1 * few


def many_kills(source: str, folder: Path, kills: int, seed: int, workers: int = 1) -> int:
    """Kill at random moments, half of the time while times are added; how many hit."""
    begin = time.perf_counter()
    expected = tree(made(source, folder / "whole.zarr"))
    duration = 1.2 * (time.perf_counter() - begin) + 1.5 * (workers > 1)
    first = tree(made(source, folder / "half.zarr", 5))
    moments, hits = random.Random(seed), 0
    path = folder / "killed.zarr"
    while hits < kills:
        fresh = not path.exists() and not (folder / "killed.zarr.partial").exists()
        if fresh and moments.random() < 0.5:
            made(source, path, 5)
        hits += killed(folder, path, source, 12, moments.uniform(0, duration), workers)
        # a reader finds the times that were there, or all of them, or nothing
        if path.exists():
            opened = xr.open_zarr(path)
            assert opened.sizes["time"] in (5, 12)
            assert np.isfinite(opened["temperature"].values).all()
            if opened.sizes["time"] == 5 and not (folder / "killed.zarr.partial").exists():
                assert tree(path) == first
        if moments.random() < 0.4:
            try:
                made(source, path)
            except FileExistsError:
                assert not (folder / "killed.zarr.partial").exists()
            assert tree(path) == expected
            subprocess.run(["rm", "-r", str(path)], check=True)
    return hits


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_gives_the_same_bytes(source, tmp_path):
    kills = int(os.environ.get("GRAPHCAST_TEST_KILLS", "2"))
    assert many_kills(source, tmp_path, kills=kills, seed=0) == kills


@pytest.mark.slow
def test_killed_with_workers_leaves_none_behind_and_goes_on(source, tmp_path):
    assert many_kills(source, tmp_path, kills=1, seed=2, workers=2) == 1
    time.sleep(0.5)
    lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    assert not any(str(tmp_path).encode() in line for line in lines)


def test_every_step_of_the_last_move_may_be_the_last(source, tmp_path, monkeypatch):
    """Not at random, but at each file that is moved when times are added."""
    expected = tree(made(source, tmp_path / "whole.zarr", 5))
    path = tmp_path / "grown.zarr"
    made(source, path, 3)
    replace_file, allowed = Path.replace, 0

    class Killed(BaseException):
        pass

    for allowed in range(100):
        left = allowed

        def limited(self, target):
            nonlocal left
            if Path(target).is_relative_to(path):
                if left == 0:
                    raise Killed
                left -= 1
            return replace_file(self, target)

        monkeypatch.setattr(Path, "replace", limited)
        try:
            made(source, path, 5)
            break
        except Killed:
            opened = xr.open_zarr(path)
            assert opened.sizes["time"] in (3, 5)
            assert np.isfinite(opened["temperature"].values).all()
    assert allowed > 10
    assert tree(path) == expected


def test_a_run_killed_at_its_very_end_leaves_nothing_behind(source, tmp_path):
    path = made(source, tmp_path / "d.zarr", 3)
    before, partial = tree(path), tmp_path / "d.zarr.partial"
    partial.mkdir()  # all but this was removed
    assert tree(made(source, path, 3)) == before
    assert not partial.exists()


def test_an_interrupted_run_may_be_asked_for_more_times(source, tmp_path, monkeypatch):
    expected = tree(made(source, tmp_path / "whole.zarr"))
    path = tmp_path / "d.zarr"
    stop_after(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        made(source, path, 7)
    monkeypatch.undo()
    assert tree(made(source, path)) == expected
