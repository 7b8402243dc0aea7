"""Final analyses go before preliminary ones, whatever the format, the order and the names."""

import numpy as np
import pytest
import xarray as xr

from data.provenance import remarks
from data.sources import open_inputs, open_series
from tests.data.sources.files_of_all_formats import consolidating, written
from tests.data.sources.grib_messages import copies
from tests.data.sources.surface_weather import FORMATS, NAME, assert_same, surface

pytestmark = consolidating


def streams(labels: list[object], *, both: bool) -> xr.Dataset:
    """ERA5 and ERA5T along `expver`; the last two of four times are preliminary, 1 K warmer."""
    final = surface().where(surface()["time"] < surface()["time"][2])
    preliminary = surface() + 1 if both else (surface() + 1).where(~final.notnull())
    order = [final, preliminary] if str(labels[0]).endswith("1") else [preliminary, final]
    return xr.concat(order, "expver").assign_coords(expver=labels)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("labels", [[1, 5], [5, 1], ["0005", "0001"]])
def test_final_goes_before_preliminary_wherever_it_stands(tmp_path, name, labels, both):
    if name == "x.v3.zarr" and isinstance(labels[0], str):
        pytest.skip("format 3 has no strings of fixed length")
    path = written(streams(labels, both=both), tmp_path / name)
    (result,) = open_inputs(path)
    expected = surface()
    expected[NAME][2:] += 1
    assert_same(result, expected)
    assert remarks(result) == (
        "2 of 4 times are preliminary (ERA5T, expver 5): 2022-01-01T12, 2022-01-01T18",
    )
    series = open_series(str(path))
    assert series.preliminary.tolist() == expected["time"].values[2:].tolist()


@pytest.mark.parametrize("name", FORMATS[:3])
def test_a_time_that_stands_there_twice_is_taken_final(tmp_path, name):
    twice = xr.concat([surface() + 1, surface()], "time")
    labels = ["0005"] * 4 + ["0001"] * 4
    path = written(twice.assign_coords(expver=("time", labels)), tmp_path / name)
    (result,) = open_inputs(path)
    assert_same(result, surface())
    times = surface()["time"].values
    assert_same(open_series(str(path)).at(times, [NAME], tmp_path), surface())
    unlabelled = written(twice, tmp_path / f"un{name}")
    with pytest.raises(ValueError, match="each time must come once, and 2022-01-01T00 comes twice"):
        open_series(str(unlabelled))


def test_streams_without_labels_are_refused(tmp_path):
    nameless = streams([1, 5], both=True).drop_vars("expver")
    path = written(nameless, tmp_path / "x.nc")
    with pytest.raises(ValueError, match="2 streams along 'expver', which has no coordinate"):
        open_inputs(path)


def test_the_final_message_of_a_grib_file_is_taken(tmp_path):
    path = copies(
        tmp_path / "x.grib",
        [{"expver": "0005", "add": 5.0}, {"expver": "0001"}, {"expver": "0005", "dataTime": 600}],
    )
    (result,) = open_inputs(path)
    (alone,) = open_inputs(copies(tmp_path / "alone.grib", [{"expver": "0001"}]))
    np.testing.assert_allclose(result["temperature"][0], alone["temperature"][0])
    assert remarks(result) == ("1 of 2 times are preliminary (ERA5T, expver 5): 2024-06-03T06",)
