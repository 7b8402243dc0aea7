"""What no forecast can start from is refused in a sentence."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from data.canonical.units import conversion
from data.forcings import forcing_frame
from data.sources import open_inputs
from data.task import STEP, Task
from data.variables import VARIABLES
from data.windows import window
from tests.data.smooth_weather import (
    INIT,
    PREDICTED,
    TASK,
    changed,
    task_of,
    weather,
)
from tests.reference import real


def refusal(dataset: xr.Dataset, task: Task = TASK, **options: object) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        window(dataset, task, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    return message


def test_one_frame_is_not_enough():
    message = refusal(weather(1))
    assert "the file holds one time, 2022-01-01T06: add 2022-01-01T00 or 2022-01-01T12" in message


def test_no_times_are_refused():
    assert "the file gives no times" in refusal(weather().isel(time=0, drop=True))


def test_frames_seven_hours_apart_are_refused():
    message = refusal(weather(2, np.timedelta64(7, "h")))
    assert "2021-12-31T23, 2022-01-01T06" in message
    assert "are 7 h apart; give a 6-hourly series" in message


def test_a_series_of_seven_and_eight_hours_is_refused():
    (series,) = open_inputs(real("series/era5_surface_1deg_7h_202603.zarr"))
    task = task_of(series, "2m_temperature")
    message = refusal(series, task, init_time=np.datetime64("2026-03-25T21", "ns"))
    assert "2026-03-25T14, 2026-03-25T21" in message
    assert "are 7 or 8 h apart" in message


def test_of_many_times_one_must_be_named():
    message = refusal(weather(12))
    assert "the file holds 12 times; name one of these" in message
    assert "2021-12-29T18, 2021-12-30T00" in message
    assert ", ..., 2022-01-01T06" in message


def test_an_initial_time_that_is_not_there_is_refused():
    message = refusal(weather(3), init_time=np.datetime64("2022-01-01T05"))
    assert "has no 2022-01-01T05; it can start from 2022-01-01T00, 2022-01-01T06" in message


def test_an_initial_time_without_a_frame_before_it_is_refused():
    message = refusal(weather(3), init_time=INIT - 2 * STEP)
    assert "from 2021-12-31T18 the file has no 2021-12-31T12" in message


def test_missing_variables_are_named_all_at_once():
    message = refusal(weather().drop_vars(["temperature", "2m_temperature"]))
    assert "it lacks 2m_temperature, temperature; the file has geopotential, " in message


def test_a_variable_under_an_odd_name_is_suggested():
    message = refusal(weather().rename({"2m_temperature": "2m_temperatur"}))
    assert "2m_temperature (is it '2m_temperatur'?)" in message


def test_hourly_rain_does_not_pass_for_six_hours():
    message = refusal(weather().rename(total_precipitation_6hr="tp"))
    assert "tp is no sum over six hours as far as the file says" in message


def test_humidity_without_a_unit_is_explained():
    dataset = weather().rename(specific_humidity="relative_humidity")
    assert "it can be derived from relative_humidity in %" in refusal(dataset)


def test_missing_statics_are_explained():
    message = refusal(weather().drop_vars("land_sea_mask"))
    assert "it lacks land_sea_mask (constant in time, but part of every input" in message


def test_missing_levels_are_named():
    message = refusal(weather().sel(level=[300, 850, 1000]))
    assert "lacks 50, 500 hPa; it has 300, 850, 1000" in message
    assert "it has no levels" in refusal(
        weather().drop_dims("level").assign({n: weather()["2m_temperature"] for n in PREDICTED})
    )


def test_a_level_or_time_of_nothing_but_gaps_is_missing():
    holes = changed("temperature", lambda t: t.where(t["level"] != 500))
    assert "temperature must be given at every level, and the file has none of it at 500 hPa" in (
        refusal(holes)
    )
    holes = changed("temperature", lambda t: t.where(t["time"] != INIT))
    assert "has none of it at 2022-01-01T06; add it" in refusal(holes)


@pytest.mark.parametrize(("bad", "word"), [(np.nan, "missing"), (np.inf, "infinite")])
def test_gaps_are_counted_and_located(bad, word):
    dataset = weather()
    dataset["2m_temperature"][1, 3, 5:7] = bad
    message = refusal(dataset)
    assert f"2m_temperature must have a value everywhere, and 2 of its 624 are {word}" in message
    assert "time 2022-01-01T06, latitude -45, longitude 75" in message


WRONG_UNITS = {
    "°C": ("temperature", lambda x: x - 273.15),
    "metres of height": ("geopotential", lambda x: x / 9.80665),
    "hPa": ("mean_sea_level_pressure", lambda x: x / 100),
    "g kg-1": ("specific_humidity", lambda x: x * 1000),
    "mm": ("total_precipitation_6hr", lambda x: x * 1000),
    "%": ("land_sea_mask", lambda x: x * 100),
}


@pytest.mark.parametrize("unit", WRONG_UNITS)
def test_a_wrong_unit_is_seen_and_named(unit):
    name, function = WRONG_UNITS[unit]
    message = refusal(changed(name, function))
    assert f"{name} must be in {VARIABLES[name].units}" in message
    assert f"as if it were in {unit}" in message


def test_a_wrong_unit_is_seen_even_if_the_file_claims_the_right_one():
    dataset = changed("2m_temperature", lambda t: t - 273.15)
    dataset["2m_temperature"].attrs["units"] = "K"
    assert "as if it were in °C" in refusal(dataset)


def test_surface_heights_in_metres_are_seen():
    message = refusal(changed("geopotential_at_surface", lambda z: z / 9.80665))
    assert "geopotential_at_surface must be in m2 s-2" in message


def test_sunlight_in_watts_is_seen():
    dataset = weather()
    sun = np.float32(340) + 0 * dataset["2m_temperature"]
    message = refusal(dataset.assign(toa_incident_solar_radiation=sun))
    assert "toa_incident_solar_radiation must be in J m-2" in message
    assert "as if it were in W m-2" in message


def test_a_unit_that_nobody_can_convert_is_named():
    dataset = weather()
    dataset["temperature"].attrs["units"] = "furlong"
    assert "temperature must be in K, and the file states 'furlong'" in refusal(dataset)


@pytest.mark.parametrize("fill", [-999.0, 9999.0, 1e20])
def test_fill_values_are_seen(fill):
    dataset = weather()
    dataset["temperature"][0, 2, 4, 4] = fill
    message = refusal(dataset)
    assert "temperature must" in message
    assert "at 500 hPa" in message


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ({"longitude": slice(0, 12)}, "longitudes must be uniform and go once around the globe"),
        (
            {"longitude": [0, 1, 2, 4, *range(5, 24)]},
            "once around the globe (23 columns, 15.6522 degrees apart), got 0, 15, ..., 345",
        ),
        (
            {"latitude": slice(0, 8)},
            "latitudes must reach from pole to pole (the end rows within one step of ±90), got -90",
        ),
    ],
)
def test_less_than_the_globe_is_refused(region, words):
    assert words in refusal(weather().isel(region))


def test_grids_of_inputs_and_forcings_must_agree():
    forcings = weather().isel(latitude=slice(None, None, 2))
    message = refusal(weather(), forcings=forcings)
    assert "inputs and forcings must share one grid" in message
    assert (
        "13 x 24 points (latitudes -90, -75, ..., 90, longitudes 0, 15, ..., 345) in the inputs"
        in message
    )


def test_a_twelve_hour_task_starts_from_frames_twelve_hours_apart():
    """The step is the task's: window, messages and forcings all count in twelve hours."""
    task = replace(TASK, step_hours=12)
    w = window(weather(3), task, init_time=INIT)
    assert w.frames["time"].values.tolist() == [(INIT - 2 * STEP).astype(int), INIT.astype(int)]
    np.testing.assert_array_equal(
        w.frames["toa_incident_solar_radiation"].isel(time=0),
        forcing_frame(
            ["toa_incident_solar_radiation"],
            INIT - 2 * STEP,
            *(weather()[axis].values for axis in ("latitude", "longitude")),
        )["toa_incident_solar_radiation"],
    )
    message = refusal(weather(2), task)
    assert "two frames 12 h apart, and the times of the file" in message
    assert "are 6 h apart; give a 12-hourly series" in message
    message = refusal(weather(1), task)
    assert "one time, 2022-01-01T06: add 2021-12-31T18 or 2022-01-01T18" in message


def test_conversions_named_in_refusals_are_those_of_the_reader():
    for unit, (name, wrong) in WRONG_UNITS.items():
        known = conversion(unit, VARIABLES[name].units)
        if known is None:
            continue
        factor, offset = known
        assert wrong(300.0) * factor + offset == pytest.approx(300.0, rel=1e-3)
