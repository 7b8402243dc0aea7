"""Single files: whole or absent, with the umask's mode, and nothing left by killed writers."""

import os
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from data.stores.files import check_space, exchange, remove_torn, written_aside, written_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_error_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "w.nc"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="no memory"), written_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("no memory")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["w.nc"]


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
@pytest.mark.parametrize("written", [written_whole, written_aside])
def test_the_mode_follows_the_umask_whoever_writes(tmp_path, umask, written):
    path, before = tmp_path / "w.safetensors", os.umask(umask)
    try:
        with written(path) as temporary:
            temporary.unlink()  # as libraries do that write aside themselves
            temporary.touch(mode=0o600)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_what_a_killed_writer_left_is_removed_and_a_living_one_s_is_not(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    host = socket.gethostname()
    left = tmp_path / f".w.nc.{host}.{dead.pid}.tmp"
    alive = tmp_path / f".w.nc.{host}.{os.getppid()}.tmp"
    elsewhere = tmp_path / f".w.nc.another-{host}.{dead.pid}.tmp"
    for path in (left, alive, elsewhere):
        path.touch()
    with written_whole(tmp_path / "w.nc") as temporary:
        temporary.write_text("whole")
    assert sorted(tmp_path.iterdir()) == sorted([alive, elsewhere, tmp_path / "w.nc"])


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"cannot write .*w\.nc: there is no folder .*none"),
        written_whole(tmp_path / "none" / "w.nc"),
    ):
        pass


def test_two_folders_are_exchanged_in_one_step(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system cannot exchange names")
    assert names(tmp_path / "one") == ["other"]
    assert names(tmp_path / "other") == ["one"]
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "one", tmp_path / "none")


def test_torn_files_of_zarr_and_ours_are_removed(tmp_path):
    (tmp_path / "t").mkdir()
    for name in (".0.0.host.12.tmp", "0.0.0123abcd.partial", "0.0"):
        (tmp_path / "t" / name).touch()
    remove_torn(tmp_path)
    assert names(tmp_path / "t") == ["0.0"]


def test_too_small_a_disk_is_said(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**8))
    check_space(tmp_path / "s", 9 * 10**7, "the scores may need", "score less")
    with pytest.raises(OSError, match=r"the scores may need 0.2 GB but .* has 0.1 GB free; make"):
        check_space(tmp_path / "s", 2 * 10**8, "the scores may need", "score less")
