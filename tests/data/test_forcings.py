"""Forcings, against DeepMind's."""

import numpy as np
import pytest
import xarray as xr

from data.forcings import FORCINGS, day_progress, forcing_frame, year_progress
from data.task import TASKS
from data.variables import VARIABLES
from tests.reference import PARITY

LATITUDE = np.linspace(-90, 90, 7)
LONGITUDE = np.arange(0.0, 360.0, 30.0)
TIME = np.datetime64("2020-02-29T18", "ns")

# The reference states carry no date; their time of year and of day are those of this one.
REFERENCE_START = np.datetime64("2022-01-01T06", "ns")


@pytest.mark.parametrize("case", PARITY)
@pytest.mark.parametrize("file", ["inputs", "forcings"])
def test_forcings_are_deepminds(case, file):
    with xr.open_dataset(PARITY[case] / f"{file}.nc", decode_timedelta=True) as reference:
        for step, lead in enumerate(reference["time"].values):
            computed = forcing_frame(
                tuple(FORCINGS),
                REFERENCE_START + lead,
                reference["lat"].values,
                reference["lon"].values,
            )
            for name in FORCINGS:
                expected = reference[name].values[0, step]
                # Clocks agree to the bit. Sunlight to 100 J m-2, 8e-5 of its standard deviation:
                # DeepMind computes it from a float32 day number, good to half a minute.
                atol = 100.0 if name == "toa_incident_solar_radiation" else 0.0
                np.testing.assert_allclose(computed[name].values, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("name", FORCINGS)
def test_a_forcing_is_in_the_catalogue_and_on_the_last_dimensions(name):
    values = FORCINGS[name](TIME, LATITUDE, LONGITUDE)
    assert name in VARIABLES
    assert values.dtype == np.float32
    assert values.shape == (LATITUDE.size, LONGITUDE.size)[2 - values.ndim :]


@pytest.mark.parametrize("name", FORCINGS)
def test_forcings_are_plausible(name):
    low, high = VARIABLES[name].bounds
    values = FORCINGS[name](TIME, LATITUDE, LONGITUDE)
    assert ((values >= low) & (values <= high)).all()


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_published_forcings_can_all_be_computed(task):
    frame = forcing_frame(task.forcings, TIME, LATITUDE, LONGITUDE)
    assert set(frame.data_vars) == set(task.forcings)
    assert frame["time"].values == TIME
    assert frame["toa_incident_solar_radiation"].dims == ("latitude", "longitude")
    assert frame["day_progress_sin"].dims == ("longitude",)
    assert frame["year_progress_sin"].dims == ()


def test_day_progress_is_the_local_mean_solar_time():
    noon = np.datetime64("1999-05-05T12", "ns")
    # rtol 1e-6: float32
    np.testing.assert_allclose(
        day_progress(noon, np.array([0.0, 90.0, 179.0, 270.0])),
        [0.5, 0.75, 0.5 + 179 / 360, 0.25],
        rtol=1e-6,
    )


def test_the_calendar_before_1970_runs_the_same_way():
    before, after = np.datetime64("1969-12-31T18", "ns"), np.datetime64("1970-01-02T18", "ns")
    np.testing.assert_array_equal(day_progress(before, LONGITUDE), day_progress(after, LONGITUDE))
    np.testing.assert_allclose(year_progress(before), 1 - 0.25 / 365.24219, rtol=1e-6)


def test_a_tropical_year_comes_round():
    # after 400 years, 146097 days, the calendar and 365.24219-day years differ by 0.12 days
    start, end = np.datetime64("1800-01-01", "ns"), np.datetime64("2200-01-01", "ns")
    np.testing.assert_allclose(year_progress(start), year_progress(end), atol=5e-4)


def test_what_cannot_be_computed_is_named():
    with pytest.raises(ValueError, match="computes sea_ice_cover; give them in the forcings file"):
        forcing_frame(["sea_ice_cover", "day_progress_sin"], TIME, LATITUDE, LONGITUDE)


def test_an_unknown_forcing_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'toa_incident_solar_radiation'"):
        forcing_frame(["toa_solar_radiation"], TIME, LATITUDE, LONGITUDE)
