"""A forecast that was interrupted: nothing stands under its name, and the same bytes come out."""

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

from data.stores import ForecastStore
from tests.data.stores.small_forecast import fields, header, interrupted, tree, write_all


def test_the_final_path_exists_only_when_complete(tmp_path):
    head = header()
    path = tmp_path / "f.zarr"
    interrupted(path, head, cells=3)
    assert not path.exists()
    with (
        ForecastStore.open_or_create(path, head) as store,
        pytest.raises(ValueError, match=r"1 of 4 cells .* not written yet"),
    ):
        store.finish()
    write_all(path, head)
    assert [p.name for p in tmp_path.iterdir()] == ["f.zarr"]


def test_resuming_tells_and_reads_back_what_is_committed(tmp_path):
    head = header()
    interrupted(tmp_path / "f.zarr", head, cells=2)
    with ForecastStore.open_or_create(tmp_path / "f.zarr", head) as store:
        assert store.committed_leads() == (0, 1)
        assert [cell.lead for cell in store.missing] == [2, 3]
        for lead in (0, 1):
            state = store.read(lead)
            assert state.geopotential.dims == ("level", "latitude", "longitude")
            for name, values in fields(head, lead).items():
                np.testing.assert_array_equal(state[name], values)
        with pytest.raises(ValueError, match="is not written yet"):
            store.read(2)
        store.write(2, store.read(1))  # what is read can be written


def test_a_torn_journal_line_was_never_committed(tmp_path):
    head = header()
    interrupted(tmp_path / "f.zarr", head, cells=2)
    with (tmp_path / "f.zarr.partial" / "journal").open("ab") as journal:
        journal.write(b"0 0 ")
    with ForecastStore.open_or_create(tmp_path / "f.zarr", head) as store:
        assert store.committed_leads() == (0, 1)
        store.write(2, fields(head, 2))
    with ForecastStore.open_or_create(tmp_path / "f.zarr", head) as store:
        assert store.committed_leads() == (0, 1, 2)


def test_a_committed_cell_whose_chunk_was_lost_is_not_gone_on_from(tmp_path):
    interrupted(tmp_path / "f.zarr", header(), cells=2)
    (tmp_path / "f.zarr.partial" / "store" / "geopotential" / "c.0.1.0.0.0").unlink()
    with (
        ForecastStore.open_or_create(tmp_path / "f.zarr", header()) as store,
        pytest.raises(ValueError, match="has lost chunks of geopotential; begin the forecast anew"),
    ):
        store.read(1)


def test_what_zarr_was_writing_when_it_was_killed_is_removed(tmp_path):
    expected = tree(write_all(tmp_path / "whole.zarr", header()))
    path = tmp_path / "f.zarr"
    interrupted(path, header(), cells=2)
    chunks = tmp_path / "f.zarr.partial" / "store" / "geopotential"
    (chunks / "c.0.2.0.0.0123456789abcdef.partial").write_bytes(b"half a chunk")
    write_all(path, header())
    assert tree(path) == expected


def test_history_may_differ_on_resuming(tmp_path):
    interrupted(tmp_path / "f.zarr", header(), cells=2)
    path = write_all(tmp_path / "f.zarr", header(history="second run"))
    assert xr.open_zarr(path).attrs["history"] == "written by a test"


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.data.stores.small_forecast import header, write_all
print("ready", flush=True)
write_all(Path(sys.argv[1]), header(), overwrite=True)
"""


def test_killed_at_any_moment_and_rerun_gives_the_same_bytes(tmp_path):
    start = time.perf_counter()
    expected = tree(write_all(tmp_path / "whole.zarr", header()))
    duration = time.perf_counter() - start
    path = tmp_path / "killed.zarr"
    old = tree(write_all(path, header(source="an older forecast")))
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(path), root]
    moments = random.Random(0)
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(moments.uniform(0, duration))
            child.send_signal(signal.SIGKILL)
        if path.exists():
            assert tree(path) in (old, expected)  # never a mixture, never a part
    write_all(path, header(), overwrite=True)
    assert tree(path) == expected
    assert not (tmp_path / "killed.zarr.partial").exists()


def test_a_forecast_begun_in_an_earlier_layout_is_refused_not_mixed(tmp_path):
    interrupted(tmp_path / "f.zarr", header(), cells=2)
    root = tmp_path / "f.zarr.partial" / "store" / "zarr.json"
    root.write_text(root.read_text().replace("forecast/2", "forecast/1"))
    with pytest.raises(FileExistsError, match="another version of graphcast began; finish it with"):
        write_all(tmp_path / "f.zarr", header())
    write_all(tmp_path / "f.zarr", header(), overwrite=True)


def test_a_forecast_begun_by_an_earlier_version_is_refused_not_mixed(tmp_path):
    partial = tmp_path / "f.zarr.partial"
    (partial / "store").mkdir(parents=True)
    (partial / "journal").write_text(f"{header().fingerprint}\n0 0 0\n")
    with pytest.raises(FileExistsError, match="another version of graphcast began; finish it with"):
        write_all(tmp_path / "f.zarr", header())
