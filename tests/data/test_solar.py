"""Sunlight at the top of the atmosphere."""

import numpy as np
import pytest

from data.solar import days_since_2000, solar_irradiance, sun, toa_incident_solar_radiation

LATITUDE = np.linspace(-90, 90, 31)
LONGITUDE = np.arange(0.0, 360.0, 6.0)
TIMES = [
    np.datetime64(time, "ns")
    for time in (
        "1979-01-01T00",
        "1999-12-21T06",
        "2019-03-20T21:30",
        "2020-06-21T12",
        "2023-09-23T18",
        "2040-11-03T11",
    )
]


def trapezoid(time, bins=360):
    """DeepMind's way: the flux at the ends of 10-second bins."""
    days = days_since_2000(time) + np.linspace(-1 / 24, 0, bins + 1)
    where = sun(days)
    phi, lam = np.deg2rad(LATITUDE)[:, None, None], np.deg2rad(LONGITUDE)[:, None]
    height = np.sin(phi) * np.sin(where.declination) + np.cos(phi) * np.cos(
        where.declination
    ) * np.cos(where.greenwich_hour_angle + lam)
    flux = solar_irradiance(time) * np.maximum(height, 0) / where.distance**2
    return np.trapezoid(flux, dx=3600 / bins, axis=-1)


def area_mean(field):
    weights = np.cos(np.deg2rad(LATITUDE))
    return np.average(field.mean(axis=1), weights=weights)


@pytest.mark.parametrize("time", TIMES, ids=str)
def test_the_closed_form_is_the_limit_of_the_sum_over_instants(time):
    closed = toa_incident_solar_radiation(time, LATITUDE, LONGITUDE)
    # 5 J m-2 (1e-6 of noon): the sum's own error at the terminator is 2, the held declination's 3
    np.testing.assert_allclose(closed, trapezoid(time), atol=5.0, rtol=1e-6)


@pytest.mark.parametrize("time", TIMES, ids=str)
def test_the_globe_receives_a_quarter_of_the_solar_constant(time):
    received = area_mean(toa_incident_solar_radiation(time, LATITUDE, LONGITUDE))
    distance = float(sun(np.array([days_since_2000(time)])).distance[0])
    expected = solar_irradiance(time) / 4 / distance**2 * 3600
    # 0.3 %: the 6-degree sum over the globe
    np.testing.assert_allclose(received, expected, rtol=3e-3)


def test_the_polar_night_is_dark_and_the_polar_day_has_no_night():
    solstice = np.datetime64("2022-06-21T00", "ns")
    for hour in range(0, 24, 3):
        field = toa_incident_solar_radiation(
            solstice + np.timedelta64(hour, "h"), LATITUDE, LONGITUDE
        )
        assert (field[LATITUDE < -67] == 0).all()
        assert (field[LATITUDE > 67] > 0).all()
        assert (field >= 0).all()


def test_at_a_pole_all_longitudes_are_one_point():
    field = toa_incident_solar_radiation(TIMES[3], LATITUDE, LONGITUDE)
    # rtol 1e-6: float32
    np.testing.assert_allclose(field[-1], field[-1, 0], rtol=1e-6)
    # the height of the midsummer sun at the pole is the obliquity
    distance = float(sun(np.array([days_since_2000(TIMES[3])])).distance[0])
    expected = solar_irradiance(TIMES[3]) * np.sin(0.409093) / distance**2 * 3600
    np.testing.assert_allclose(field[-1, 0], expected, rtol=1e-4)


def test_the_sun_is_highest_at_the_hours_middle_meridian():
    # The middle of the hour is 11:30; on 15 April the equation of time is nearly nil.
    longitude = np.arange(0.0, 360.0, 0.5)
    time = np.datetime64("2022-04-15T12", "ns")
    field = toa_incident_solar_radiation(time, np.array([0.0]), longitude)
    assert abs(longitude[field[0].argmax()] - 7.5) <= 0.5


def test_any_way_of_writing_longitude_gives_the_same_light():
    a = toa_incident_solar_radiation(TIMES[2], LATITUDE, LONGITUDE)
    b = toa_incident_solar_radiation(TIMES[2], LATITUDE, LONGITUDE - 360)
    # atol 1 J m-2: float32 near 5e6
    np.testing.assert_allclose(a, b, atol=1.0)


def test_rows_of_the_output_follow_the_latitudes_given():
    a = toa_incident_solar_radiation(TIMES[3], LATITUDE, LONGITUDE)
    b = toa_incident_solar_radiation(TIMES[3], LATITUDE[::-1], LONGITUDE)
    np.testing.assert_array_equal(a[::-1], b)


def test_the_solar_constant_is_era5s_table():
    middle = np.datetime64("2021-07-02T12", "ns")  # half of a common year
    np.testing.assert_allclose(solar_irradiance(middle), 0.9965 * 1365.6918, rtol=1e-12)
    years = [np.datetime64(f"{year}-07-02T12", "ns") for year in (1951, 1995, 1996, 2009, 2022)]
    expected = [1365.7765, 1365.6996, 1365.6121, 1365.6121, 1365.6121]
    # 1e-5: in leap years half of the year is twelve hours earlier
    np.testing.assert_allclose(
        [solar_irradiance(year) for year in years], 0.9965 * np.array(expected), rtol=1e-5
    )
    # beyond the table its last value holds
    assert solar_irradiance(np.datetime64("2050-01-01", "ns")) == 0.9965 * 1365.6918


def test_declination_and_distance_follow_the_seasons():
    dates = ["2022-03-20T15:33", "2022-06-21T09:14", "2022-09-23T01:04", "2022-12-21T21:48"]
    days = np.array([days_since_2000(np.datetime64(date, "ns")) for date in dates])
    # 0.02 degrees: the series is of low order
    np.testing.assert_allclose(np.rad2deg(sun(days).declination), [0, 23.44, 0, -23.44], atol=0.02)
    perihelion = days_since_2000(np.datetime64("2022-01-04T07", "ns"))
    np.testing.assert_allclose(sun(np.array([perihelion])).distance, 0.98333, atol=1e-4)
