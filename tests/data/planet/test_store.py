"""The growing store: whole blocks only, the same bytes after any interruption."""

import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from data.planet.analysis import PLANET_VARIABLES, STATIC
from data.planet.store import PlanetHeader, PlanetStore
from data.sources import open_inputs
from data.stores.kind import kind_of
from data.stores.partial import partial_path
from data.variables import VARIABLES as CATALOGUE

HEADER = PlanetHeader(
    start="2001-01-01T00",
    levels=(500, 850),
    latitude=(-60.0, 0.0, 60.0),
    longitude=(0.0, 90.0, 180.0, 270.0),
    title="Simulated planet",
    source="a test",
    comment="numbers",
    references="",
    settings='{"seed": 0}',
)


def fields(number):
    shape = {True: (2, 3, 4), False: (3, 4)}
    random = np.random.default_rng(number)
    return {
        name: random.normal(size=shape[CATALOGUE[name].on_levels]).astype(np.float32)
        for name in PLANET_VARIABLES
    }


def statics():
    return {name: np.full((3, 4), 2.0, np.float32) for name in STATIC}


def opened(path, header=HEADER, **options):
    return PlanetStore.open(path, header, statics(), **{"overwrite": False, **options})


def state(count):
    return {"leaf_000": np.arange(count), "time": np.array(count)}


def contents(path):
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def whole(tmp_path):
    """A store of four times, written in two blocks without a break."""
    path = tmp_path / "whole.zarr"
    with opened(path) as store:
        store.append([fields(0), fields(1)], state(2))
        store.append([fields(2), fields(3)], state(4))
    return path


def test_what_is_written_reads_as_canonical_analyses(whole):
    (dataset,) = open_inputs(str(whole))
    assert dataset.sizes["time"] == 4
    assert str(dataset["time"].values[-1])[:13] == "2001-01-01T18"
    assert set(dataset.data_vars) == {*PLANET_VARIABLES, *STATIC}
    for name, values in fields(3).items():
        np.testing.assert_array_equal(dataset[name].isel(time=3).values, values)
        assert dataset[name].attrs["units"] == CATALOGUE[name].units


def test_a_store_without_times_opens_too(tmp_path):
    with opened(tmp_path / "empty.zarr"):
        pass
    with xr.open_zarr(tmp_path / "empty.zarr") as dataset:
        assert dataset.sizes["time"] == 0


def test_an_interrupted_store_ends_with_the_same_bytes(whole, tmp_path, monkeypatch):
    path = tmp_path / "torn.zarr"
    with opened(path) as store:
        store.append([fields(0), fields(1)], state(2))
        # Killed when the chunks of the next block are there, and its state is not.
        monkeypatch.setattr(np, "savez", _killed)
        with pytest.raises(KeyboardInterrupt):
            store.append([fields(2), fields(3)], state(4))
        monkeypatch.undo()
    (path / "temperature" / ".9.0.0.0.123.tmp").write_bytes(b"half a chunk")
    with xr.open_zarr(path) as dataset:
        assert dataset.sizes["time"] == 2
    with opened(path) as store:
        assert store.count == 2
        np.testing.assert_array_equal(store.state["leaf_000"], [0, 1])
        store.append([fields(2)], state(3))
        store.append([fields(3)], state(4))
    assert contents(path) == contents(whole)


def test_a_store_killed_before_its_metadata_has_grown_is_mended(whole, tmp_path, monkeypatch):
    path = tmp_path / "torn.zarr"
    with opened(path) as store:
        store.append([fields(0), fields(1)], state(2))
        monkeypatch.setattr("data.planet.store._set_times", _killed)
        with pytest.raises(KeyboardInterrupt):
            store.append([fields(2), fields(3)], state(4))
        monkeypatch.undo()
    with opened(path) as store:
        assert store.count == 4
    assert contents(path) == contents(whole)


def test_a_planet_stands_until_the_one_that_replaces_it_has_all_its_times(whole, tmp_path):
    path, expected = tmp_path / "old.zarr", contents(whole)
    with opened(path, replace(HEADER, settings='{"seed": 1}')) as store:
        store.append([fields(9)] * 5, state(5))
        store.finish()
    old = contents(path)
    with opened(path, overwrite=True) as store:
        assert store.count == 0
        store.append([fields(0), fields(1)], state(2))
    assert contents(path) == old
    with opened(path, overwrite=True) as store:  # it goes on where it stopped
        assert store.count == 2
        store.append([fields(2), fields(3)], state(4))
        store.finish()
    assert contents(path) == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old.zarr", "whole.zarr"]
    with opened(path, overwrite=True) as store:  # it was complete: from the beginning
        assert store.count == 0


def test_a_planet_says_what_it_is(whole):
    assert kind_of(whole) == "planet"


def test_a_planet_killed_while_it_grew_under_its_name_goes_on(whole, tmp_path):
    path = tmp_path / "grown.zarr"
    with opened(path) as store:
        store.append([fields(0), fields(1)], state(2))
        partial = partial_path(path)
        shutil.copytree(partial, tmp_path / "copy")  # as a kill leaves it
    (tmp_path / "copy").rename(partial)
    with opened(path, overwrite=True) as store:
        assert store.count == 2
        store.append([fields(2), fields(3)], state(4))
        store.finish()
    assert contents(path) == contents(whole)
    assert not partial.exists()


def _killed(*_, **__):
    raise KeyboardInterrupt


def test_another_planet_is_refused_and_the_difference_named(whole):
    other = replace(HEADER, settings='{"seed": 1}')
    with pytest.raises(FileExistsError, match="seed 0, not 1"):
        opened(whole, other)
    with opened(whole, other, overwrite=True) as store:
        assert store.count == 0


def test_what_is_no_planet_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    with pytest.raises(FileExistsError, match="not a simulated planet"):
        opened(tmp_path / "thesis", overwrite=True)


def test_one_process_at_a_time(tmp_path):
    with (
        opened(tmp_path / "p.zarr"),
        pytest.raises(FileExistsError, match="another process is writing"),
    ):
        opened(tmp_path / "p.zarr")


def test_nothing_is_left_beside_a_store(whole):
    with pytest.raises(FileExistsError, match="seed 0, not 1"):
        opened(whole, replace(HEADER, settings='{"seed": 1}'))
    assert [path.name for path in whole.parent.iterdir()] == [whole.name]


def test_what_is_not_finite_is_not_written(tmp_path):
    broken = fields(0)
    broken["temperature"][0, 0, 0] = np.nan
    with opened(tmp_path / "p.zarr") as store:
        with pytest.raises(ValueError, match="temperature that are not finite"):
            store.append([broken], state(1))
        assert store.count == 0
