"""Grids, times, levels and variables that cannot be: each is found, and said."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from data.doctor import examine
from data.task import TASKS
from tests.data.doctor.broken_weather import HILLS, MSL, T, U, at_times, real, spoken


def test_latitude_and_longitude_exchanged_are_found():
    renamed = real("ifs").rename(latitude="x", longitude="y").rename(x="longitude", y="latitude")
    finding = spoken(examine(renamed), "grid")
    assert "look swapped" in finding.message
    assert finding.severity == "error"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"longitude": slice(0, 12)}, "of 360°"),
        ({"latitude": slice(4, None)}, "only"),
        ({"latitude": [0, 1, 2, 3, 5, 6, *range(7, 19)]}, "rows of latitude are missing"),
        ({"longitude": [*range(5), *range(6, 36)]}, "goes around in steps"),
        ({"latitude": [0]}, "single row"),
        ({"longitude": [*range(36), 0]}, "comes twice"),
    ],
)
def test_grids_that_are_not_the_globe_are_errors(part, words):
    finding = spoken(examine(real("ifs").isel(part)), "grid")
    assert words in finding.message
    assert finding.severity == "error"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda d: d.assign({T: d[T].isel(time=0, drop=True)}), "has no time"),
        (lambda d: d.assign({U: d[U].isel(level=0, drop=True)}), "has no level"),
        (lambda d: d.assign({U: d[U].astype(str)}), "fields are numbers"),
        (lambda d: d.assign_coords(level=-d["level"]), "pressure ends at"),
    ],
)
def test_variables_on_other_axes_and_levels_that_are_no_pressures_are_errors(broken, words):
    errors = [f for f in examine(broken(real("ifs"))) if f.severity == "error"]
    assert any(words in finding.message for finding in errors)


def test_a_task_of_another_step_wants_frames_that_far_apart():
    task = replace(TASKS["graphcast_small"], step_hours=12)
    (spacing,) = [f for f in examine(at_times(0, 6), task) if f.rule == "times"]
    assert "6 h apart, and none 12 h" in spacing.message
    assert not [f for f in examine(at_times(0, 12), task) if f.rule == "times"]


@pytest.mark.parametrize(
    ("hours", "severity", "words"),
    [
        ((0,), "note", "one time only"),
        ((0, 12), "note", "12 h apart"),
        ((0, 7, 14, 22), "warning", "7 or 8 h apart"),
        ((0, 6, 12, 24, 30), "warning", "1 time(s) missing, 2024-06-03T18"),
        ((0, 6, 9, 11.5), "warning", "not evenly"),
        ((0, 6, 6), "error", "more than once"),
        ((12, 6, 0), "warning", "do not increase"),
    ],
)
def test_times_that_are_odd_are_found(hours, severity, words):
    finding = spoken(examine(at_times(*hours)), "times")
    assert finding.severity == severity
    assert words in finding.message


@pytest.mark.parametrize(("start", "words"), [("1970-01-01", "start"), ("1850-01-01", "no date")])
def test_times_of_no_analysis_are_found(start, words):
    dataset = real("ifs")
    since = dataset["time"] - dataset["time"][0] + np.datetime64(start, "ns")
    assert words in spoken(examine(dataset.assign_coords(time=since.values)), "times").message


def test_a_dataset_without_times_is_examined_all_the_same():
    still = real("ifs").isel(time=0, drop=True)
    assert spoken(examine(still), "times").severity == "note"


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ([300, 400, 500, 700, 850, 850], "more than once"),
        ([30000, 40000, 50000, 70000, 85000, 100000], "1100 hPa"),
        ([95, 96, 97, 98, 99, 100], "model levels"),
    ],
)
def test_levels_that_cannot_be_are_errors(levels, words):
    finding = spoken(examine(real("ifs")[[U]].assign_coords(level=levels)), "levels")
    assert words in finding.message
    assert finding.severity == "error"


def test_a_task_makes_what_it_needs_an_error():
    findings = examine(real("ifs"), TASKS["graphcast_small"])
    assert "lacks 50, 100, 150" in spoken(findings, "levels").message
    assert "land_sea_mask" in spoken(findings, "statics").message
    assert "2m_temperature" in spoken(findings, "variables").message
    findings = examine(real("gfs"), TASKS["graphcast_small"])
    assert "one time only" in spoken(findings, "times").message
    assert spoken(findings, "gaps").severity == "error"


def test_statics_of_another_grid_are_found():
    hills = xr.DataArray(np.ones((4, 8), np.float32), dims=("y", "x"))
    finding = spoken(examine(real("ifs").assign({HILLS: hills})), "variables")
    assert finding.severity == "error"
    assert "not on the grid of the rest" in finding.message


def test_units_that_no_one_can_convert_are_found():
    strange = real("ifs")[[T]].copy()
    strange[T] = strange[T].assign_attrs(units="furlong")
    assert "'furlong'" in spoken(examine(strange), "units").message
    strange[T].attrs.pop("units")
    assert spoken(examine(strange), "units").severity == "note"


def test_unknown_variables_are_named():
    named = real("msl").rename({MSL: "slpressure"})
    assert "slpressure" in spoken(examine(named), "variables").message
