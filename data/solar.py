"""Sunlight at the top of the atmosphere, as ERA5 and DeepMind's models have it.

The Sun's position and distance are the low-order series of ECMWF's and Environment Canada's models
(SUCST, FCTAST, FCTTIM in GEM's physics), and the solar constant is the yearly table of IFS cycle
41r2, both as listed in google-deepmind/graphcast, solar_radiation.py. DeepMind sums 361 instants
of the hour. Here the integral is in closed form, the limit of that sum: at hour angle h the flux
through a horizontal plane is proportional to max(0, a + b cos h), where a = sin φ sin δ and
b = cos φ cos δ are nearly constant.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

# ERA5 accumulates over the hour that ends at the time stamp; so do models of any step.
PERIOD = np.timedelta64(1, "h")
# The declination is held constant over each tenth of the hour. It moves by at most 7e-6 rad in
# six minutes: fewer than 5 J m-2 at the terminator, 4e-6 of the field's standard deviation.
PIECES = 10

_J2000 = np.datetime64("2000-01-01T12:00", "ns")
_JULIAN_YEAR = 365.25  # days
_OBLIQUITY = 0.409093  # rad

# Solar irradiance at 1 au (W m-2), means of the years 1951, 1952, ...; before the scaling by
# 0.9965 that ECMWF applied to agree with newer observations. From 1996 a 13-year cycle repeats.
_IRRADIANCE_SCALE = 0.9965
_IRRADIANCE_FIRST_YEAR = 1951
_IRRADIANCE_TO_1995 = (
    *(1365.7765, 1365.7676, 1365.6284, 1365.6564, 1365.7773, 1366.3109, 1366.6681, 1366.6328),
    *(1366.3828, 1366.2767, 1365.9199, 1365.7484, 1365.6963, 1365.6976, 1365.7341, 1365.9178),
    *(1366.1143, 1366.1644, 1366.2476, 1366.2426, 1365.9580, 1366.0525, 1365.7991, 1365.7271),
    *(1365.5345, 1365.6453, 1365.8331, 1366.2747, 1366.6348, 1366.6482, 1366.6951, 1366.2859),
    *(1366.1992, 1365.8103, 1365.6416, 1365.6379, 1365.7899, 1366.0826, 1366.6479, 1366.5533),
    *(1366.4457, 1366.3021, 1366.0286, 1365.7971, 1365.6996),
)
_IRRADIANCE_CYCLE = (
    *(1365.6121, 1365.7399, 1366.1021, 1366.3851, 1366.6836, 1366.6022, 1366.6807, 1366.2300),
    *(1366.0480, 1365.8545, 1365.8107, 1365.7240, 1365.6918),
)
_IRRADIANCE_CYCLES = 3  # the table ends with 2034; later years keep its last value


class Sun(NamedTuple):
    """Position of the Sun, one value per instant."""

    declination: Float[np.ndarray, "*instants"]  # rad
    greenwich_hour_angle: Float[np.ndarray, "*instants"]  # rad, 0 when it is south of Greenwich
    distance: Float[np.ndarray, "*instants"]  # au


def sun(days: Float[np.ndarray, "*instants"]) -> Sun:
    """The Sun at `days` since 2000-01-01 12:00."""
    years = days / _JULIAN_YEAR
    mean_longitude = 4.8951 + 6.283076 * years
    orbit = 1.7535 + 6.283076 * years
    anomaly = 6.240041 + 6.283020 * years
    ecliptic_longitude = (
        4.8952
        + 6.283320 * years
        - 0.0075 * np.sin(orbit)
        - 0.0326 * np.cos(orbit)
        - 0.0003 * np.sin(2 * orbit)
        + 0.0002 * np.cos(2 * orbit)
    )
    equation_of_time = (  # seconds that a sundial is ahead of the clock
        591.8 * np.sin(2 * mean_longitude)
        - 459.4 * np.sin(anomaly)
        + 39.5 * np.sin(anomaly) * np.cos(2 * mean_longitude)
        - 12.7 * np.sin(4 * mean_longitude)
        - 4.8 * np.sin(2 * anomaly)
    )
    return Sun(
        declination=np.arcsin(np.sin(_OBLIQUITY) * np.sin(ecliptic_longitude)),
        greenwich_hour_angle=2 * np.pi * (days % 1.0 + equation_of_time / 86400.0),
        distance=1.0001 - 0.0163 * np.sin(orbit) + 0.0037 * np.cos(orbit),
    )


def solar_irradiance(time: np.datetime64) -> float:
    """ERA5's solar constant (W m-2 at 1 au), interpolated between the middles of years."""
    table = np.array(_IRRADIANCE_TO_1995 + _IRRADIANCE_CYCLES * _IRRADIANCE_CYCLE)
    middles = _IRRADIANCE_FIRST_YEAR + 0.5 + np.arange(table.size)
    year = time.astype("datetime64[Y]")
    start, end = (
        year.astype("datetime64[s]"),
        (year + np.timedelta64(1, "Y")).astype("datetime64[s]"),
    )
    fraction = (time.astype("datetime64[s]") - start) / (end - start)
    date = 1970 + year.astype(int) + fraction
    return float(_IRRADIANCE_SCALE * np.interp(date, middles, table))


def days_since_2000(time: np.datetime64) -> float:
    """Days since 2000-01-01 12:00 (Julian date less 2451545)."""
    return float((time.astype("datetime64[ns]") - _J2000) / np.timedelta64(1, "D"))


def toa_incident_solar_radiation(
    time: np.datetime64, latitude: Float[np.ndarray, " lat"], longitude: Float[np.ndarray, " lon"]
) -> Float32[np.ndarray, "lat lon"]:
    """Energy through a horizontal plane above the air (J m-2) in the hour that ends at `time`."""
    seconds = PERIOD / np.timedelta64(1, "s")
    end = days_since_2000(time)
    edges = sun(end - seconds / 86400.0 * np.linspace(1, 0, PIECES + 1)).greenwich_hour_angle
    middles = sun(end - seconds / 86400.0 * (np.arange(PIECES, 0, -1) - 0.5) / PIECES)
    phi, lam = np.deg2rad(latitude.astype(np.float64)), np.deg2rad(longitude.astype(np.float64))
    energy = np.zeros((latitude.size, longitude.size))
    for piece in range(PIECES):
        # at midnight, Greenwich, the clock part of the hour angle falls from 2π to 0: unwrap
        first, length = edges[piece], (edges[piece + 1] - edges[piece]) % (2 * np.pi)
        lit = _lit_integral(phi, lam + first, length, middles.declination[piece])
        energy += lit / length / middles.distance[piece] ** 2
    return (energy * solar_irradiance(time) * seconds / PIECES).astype(np.float32)


def _lit_integral(
    phi: Float[np.ndarray, " lat"],
    first: Float[np.ndarray, " lon"],
    length: float,
    declination: float,
) -> Float[np.ndarray, "lat lon"]:
    """∫ max(0, a + b cos h) dh over hour angles from `first` to `first + length`, a length below π.

    The Sun is up while |h| < h0 (mod 2π), cos h0 = -a / b. `first` is brought to [-π, π); the
    interval may then overlap this day's light and the next day's.
    """
    a = (np.sin(phi) * np.sin(declination))[:, np.newaxis]
    b = (np.cos(phi) * np.cos(declination))[:, np.newaxis]
    h0 = np.arccos(np.clip(-a / np.maximum(b, np.finfo(float).tiny), -1.0, 1.0))
    start = (first + np.pi) % (2 * np.pi) - np.pi
    lit: np.ndarray = _primitive(a, b, h0, start + length) - _primitive(a, b, h0, start)
    tomorrow = np.flatnonzero(start + length > np.pi)  # few columns
    if tomorrow.size:
        wrapped = start[tomorrow] + length - 2 * np.pi
        dawn = -(a * h0 + b * np.sin(h0))
        lit[:, tomorrow] += _primitive(a, b, h0, wrapped) - dawn
    return lit


def _primitive(
    a: Float[np.ndarray, "lat 1"],
    b: Float[np.ndarray, "lat 1"],
    h0: Float[np.ndarray, "lat 1"],
    h: Float[np.ndarray, " lon"],
) -> Float[np.ndarray, "lat lon"]:
    """The primitive a h + b sin h, with h clipped to the day, -h0 to h0: constant at night."""
    clipped = np.clip(h, -h0, h0)
    primitive: np.ndarray = a * clipped + b * np.sin(clipped)
    return primitive
