"""Laws of every store of ours: whole or absent, old or new, resumed or refused, nothing left."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from data.stores import building as module
from data.stores.building import Building
from data.stores.partial import interrupted, partial_path

ROOT = str(Path(__file__).parents[3])
KEYS = ("a", "b", "c")


def lay_out(folder: Path) -> None:
    (folder / ".zattrs").write_text('{"graphcast_store": "scores/1"}')


def make(target: Path, fingerprint: str = "new", parts: int = 3, **options: bool) -> None:
    """Build a store of three files that hold the fingerprint, or the first `parts` of them."""
    with Building.open(target, "scores", fingerprint, lay_out=lay_out, **options) as building:
        for key in KEYS[:parts]:
            if key not in building.done:
                (building.folder / key).write_text(fingerprint)
                building.commit(key)
        if parts == len(KEYS):
            assert building.finish() == target


def contents(target: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in target.iterdir() if path.name != ".zattrs"}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def whole(fingerprint: str) -> dict[str, str]:
    return dict.fromkeys(KEYS, fingerprint)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "s.zarr"


@pytest.fixture(params=["exchange", "two renames"])
def any_file_system(request, monkeypatch) -> str:
    if request.param == "two renames":
        monkeypatch.setattr(module, "exchange", lambda *_: False)
    return request.param


def test_a_store_has_its_name_only_when_it_is_complete(target):
    make(target, parts=2)
    assert not target.exists()
    with Building.open(target, "scores", "new") as building:
        assert building.done == {"a", "b"}
        (building.folder / "c").write_text("new")
        building.commit("c")
        building.finish()
    assert contents(target) == whole("new")
    assert names(target.parent) == ["s.zarr"]


def test_the_earlier_store_stays_until_the_new_one_is_complete(target, any_file_system):
    make(target, "old")
    make(target, "new", parts=2, overwrite=True)
    assert contents(target) == whole("old")
    make(target, "new", overwrite=True)
    assert contents(target) == whole("new")
    assert names(target.parent) == ["s.zarr"]


# Each file operation of a process may be its last: a forked child ends, without any clearing up, at
# its n-th, for every n; then the same command runs again.
KILLS = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.data.stores import test_building as laws
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.scandir",
          "os.listdir", "fcntl.flock", "ctypes.dlsym", "shutil.rmtree"}

def kill_at(n, target, overwrite):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen = 0
    def die_at_last(event, _):
        nonlocal seen
        seen += event in EVENTS
        if seen == n:
            os._exit(9)
    sys.addaudithook(die_at_last)
    laws.make(target, "new", overwrite=overwrite)
    os._exit(0)

def judge(n, target, overwrite, allowed):
    if overwrite:
        laws.make(target, "old")
    code = kill_at(n, target, overwrite)
    stands = laws.contents(target) if target.exists() else None
    assert stands in allowed, (n, stands)
    try:
        laws.make(target, "new", overwrite=overwrite)
    except FileExistsError:  # only the removal of the lock was left
        assert not overwrite and stands == laws.whole("new"), n
    assert laws.contents(target) == laws.whole("new"), n
    assert os.listdir(target.parent) == [target.name], (n, os.listdir(target.parent))
    laws.module.remove(target)
    return code

exchange = laws.module.exchange
for overwrite in (False, True):
    for rename in (exchange, lambda *_: False):
        laws.module.exchange = rename
        allowed = [laws.whole("new"), laws.whole("old") if overwrite else None]
        if overwrite and rename is not exchange:
            allowed.append(None)  # between two renames
        n = 1
        while judge(n, Path(sys.argv[2], "s.zarr"), overwrite, allowed):
            n += 1
        print(n)
"""


def test_killed_at_any_operation_it_is_old_or_new_and_goes_on(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLS), ROOT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert all(int(count) > 15 for count in ran.stdout.split())  # operations of each case


def test_what_was_cut_off_between_two_renames_is_completed_by_any_run(target):
    make(target, "old")
    make(target, "new", parts=2, overwrite=True)
    with Building.open(target, "scores", "new", overwrite=True) as building:
        (building.folder / "c").write_text("new")
        building.commit("c")
        inode = building.folder.stat().st_ino
    with (partial_path(target) / "journal").open("a") as journal:
        journal.write(json.dumps({"inode": inode}) + "\n")
    target.rename(partial_path(target) / "replaced")
    with pytest.raises(FileExistsError, match="is there already"):
        make(target, "another")
    assert contents(target) == whole("new")
    assert names(target.parent) == ["s.zarr"]


def test_an_exchange_that_was_moved_elsewhere_is_begun_anew(target):
    """Neither folder has the noted inode: nothing says which is the new one."""
    make(target, "old")
    make(target, "new", parts=2, overwrite=True)
    with (partial_path(target) / "journal").open("a") as journal:
        journal.write('{"inode": 0}\n')
    assert interrupted(target) is None
    make(target, "new", overwrite=True)
    assert contents(target) == whole("new")


def test_a_torn_line_was_never_committed(target):
    make(target, parts=2)
    with (partial_path(target) / "journal").open("ab") as journal:
        journal.write(b"c but not all o")
    with Building.open(target, "scores", "new") as building:
        assert building.done == {"a", "b"}
        building.commit("c")
    with Building.open(target, "scores", "new") as building:
        assert building.done == {"a", "b", "c"}


def test_where_nothing_is_committed_nothing_is_left(target):
    with (
        pytest.raises(RuntimeError, match="no memory"),
        Building.open(target, "scores", "new", lay_out=lay_out),
    ):
        raise RuntimeError("no memory")
    assert names(target.parent) == []


def test_what_is_kept_beside_is_worth_resuming(target):
    with Building.open(target, "scores", "new", kept=["sums"]) as building:
        building.beside("sums").write_text("half of them")
    with pytest.raises(FileExistsError, match="with another forecast, truth or protocol"):
        Building.open(target, "scores", "another", kept=["sums"])
    with Building.open(target, "scores", "new", kept=["sums"], lay_out=lay_out) as building:
        assert building.beside("sums").read_text() == "half of them"
        building.finish()
    assert names(target.parent) == ["s.zarr"]


def test_another_interrupted_store_is_refused_unless_overwritten(target):
    make(target, "old", parts=1)
    with pytest.raises(
        FileExistsError,
        match=r"an interrupted store of scores with another forecast.*or overwrite it \(`overwr",
    ):
        make(target, "new")
    make(target, "new", overwrite=True)
    assert contents(target) == whole("new")


def test_what_another_version_began_is_refused(target):
    partial_path(target).mkdir()
    (partial_path(target) / "store").mkdir()
    (partial_path(target) / "journal").write_text("0123456789abcdef\n0 0 0\n")
    with pytest.raises(FileExistsError, match="that another version of graphcast began; finish"):
        make(target)
    assert (partial_path(target) / "journal").exists()
    make(target, overwrite=True)
    assert contents(target) == whole("new")


def test_an_existing_store_is_refused_unless_overwritten(target):
    make(target, "old")
    with pytest.raises(FileExistsError, match="is there already; choose another output or replace"):
        make(target, "new")
    assert contents(target) == whole("old")


def test_only_a_store_of_its_kind_is_ever_replaced(target):
    target.mkdir()
    (target / "thesis.tex").write_text("words")
    with pytest.raises(FileExistsError, match="is not a store of scores, so it will not be repla"):
        make(target, overwrite=True)
    partial_path(target.with_name("t.zarr")).mkdir()
    (partial_path(target.with_name("t.zarr")) / "thesis.tex").write_text("words")
    with pytest.raises(FileExistsError, match=r"holds \['thesis.tex'\], which are not ours"):
        make(target.with_name("t.zarr"), overwrite=True)


def test_a_store_that_appeared_meanwhile_is_not_replaced(target):
    with (
        pytest.raises(
            FileExistsError, match=r"appeared while the store of scores was made, which is kept"
        ),
        Building.open(target, "scores", "new", lay_out=lay_out) as building,
    ):
        building.commit("a")
        target.mkdir()
        building.finish()
    assert interrupted(target) is not None


def test_one_process_builds_at_a_time(target):
    with (
        Building.open(target, "scores", "new"),
        pytest.raises(FileExistsError, match=r"another process is writing .*; wait for it"),
    ):
        make(target)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write the store of scores to .* choose an output"):
        make(tmp_path / "file" / "s.zarr")
    with pytest.raises(ValueError, match=r"is written to a local path, got gs://bucket/s\.zarr"):
        Building.open("gs://bucket/s.zarr", "scores", "new")


def test_a_link_is_replaced_and_what_it_names_stays(target, any_file_system):
    make(target.with_name("elsewhere"), "old")
    target.symlink_to("elsewhere")
    make(target, "new", overwrite=True)
    assert contents(target) == whole("new")
    assert contents(target.with_name("elsewhere")) == whole("old")
    assert names(target.parent) == ["elsewhere", "s.zarr"]
