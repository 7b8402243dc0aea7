"""Sigma levels to pressure levels and back: hydrostatic everywhere, sensible under the ground."""

import numpy as np
import pytest

from data.constants import STANDARD_GRAVITY, STANDARD_LAPSE_RATE
from data.planet.sigma import (
    DRY_AIR,
    SigmaFields,
    from_pressure_levels,
    mean_sea_level_pressure,
    on_pressure_levels,
    surface_pressure,
)

SIGMA = np.array([0.025, 0.095, 0.2, 0.34, 0.51, 0.685, 0.835, 0.95])
LEVELS = (50, 100, 200, 300, 500, 700, 850, 925, 1000)
EXPONENT = DRY_AIR * STANDARD_LAPSE_RATE / STANDARD_GRAVITY


def atmosphere(height: np.ndarray, sea_level: float = 1013.25e2, warm: float = 288.15):
    """A dry column of 6.5 K/km from sea level (going on above) over each height (m)."""
    height = np.atleast_2d(np.asarray(height, float))
    pressure = sea_level * (1 - STANDARD_LAPSE_RATE * height / warm) ** (1 / EXPONENT)
    on_sigma = SIGMA[:, None, None] * pressure
    temperature = warm * (on_sigma / sea_level) ** EXPONENT
    geopotential = STANDARD_GRAVITY / STANDARD_LAPSE_RATE * (warm - temperature)
    nothing = np.zeros_like(geopotential)
    flat = np.zeros_like(pressure)
    return SigmaFields(
        sigma=SIGMA,
        temperature=temperature,
        u=nothing + np.arange(8.0)[:, None, None],
        v=nothing,
        humidity=nothing,
        geopotential=geopotential,
        omega=nothing,
        surface_pressure=pressure,
        surface_geopotential=STANDARD_GRAVITY * height,
        land=flat,
        skin=flat,
        rain=flat,
    )


def test_a_standard_atmosphere_comes_back_on_pressure_levels():
    air = atmosphere(np.array([0.0, 500.0, 1500.0]))
    fields = on_pressure_levels(air, LEVELS)
    p = 100.0 * np.array(LEVELS)
    t = 288.15 * (p / 1013.25e2) ** EXPONENT
    # Linear in ln p between eight levels: a power law bends by (0.19 Δ ln p)² / 8 of T, 1 % at the
    # top where the levels are a factor of four apart, and 0.1 % below.
    np.testing.assert_allclose(fields.temperature[0], t[0], rtol=0.01)
    np.testing.assert_allclose(fields.temperature[2:], t[2:, None, None] + 0 * air.u[:7], rtol=2e-3)
    z = STANDARD_GRAVITY / STANDARD_LAPSE_RATE * (288.15 - t)
    np.testing.assert_allclose(fields.geopotential, z[:, None, None] + 0 * air.u[:1], atol=400)


def test_below_the_ground_the_profile_is_the_lapse_rate_exactly():
    air = atmosphere(np.array([1500.0]))  # ps is 846 hPa
    fields = on_pressure_levels(air, (850, 925, 1000))
    t = air.temperature[-1, 0, 0] * (1 + EXPONENT * (1 / 0.95 - 1))
    expected = t * (np.array([850e2, 925e2, 1000e2]) / air.surface_pressure[0, 0]) ** EXPONENT
    np.testing.assert_allclose(fields.temperature[:, 0, 0], expected, rtol=1e-12)
    np.testing.assert_array_equal(fields.u[:, 0, 0], 7.0)


def test_thickness_is_the_hydrostatic_integral_of_the_temperature_between():
    """Also across the surface: z on a fine ladder of levels against T on the same ladder."""
    air = atmosphere(np.array([800.0]))
    ladder = tuple(range(60, 1001))
    fields = on_pressure_levels(air, ladder)
    t, z = fields.temperature[:, 0, 0], fields.geopotential[:, 0, 0]
    thickness = DRY_AIR * (t[1:] + t[:-1]) / 2 * np.diff(np.log(ladder))
    # The model layers of this test are a power law, not the trapezium they are interpolated by:
    # their thickness differs by the same 1 % as the temperature.
    np.testing.assert_allclose(-np.diff(z), thickness, rtol=0.012)
    np.testing.assert_allclose(-np.diff(z)[-60:], thickness[-60:], rtol=1e-3)


def test_high_and_warm_ground_is_not_extrapolated_beyond_298_k():
    air = atmosphere(np.array([5000.0]), warm=310.0)
    fields = on_pressure_levels(air, (1000,))
    assert fields.temperature[0, 0, 0] < 299.0


@pytest.mark.parametrize("height", [0.0, 300.0, 1500.0, -200.0])
def test_sea_level_pressure_of_a_standard_atmosphere(height):
    result = mean_sea_level_pressure(atmosphere(np.array([height]), warm=285.0))
    # T* comes from 6.5 K/km in pressure to first order, the column is the power law: 0.2 hPa.
    np.testing.assert_allclose(result, 1013.25e2, atol=25)


def test_sea_level_pressure_at_the_sea_is_surface_pressure():
    air = atmosphere(np.array([0.0]))
    np.testing.assert_array_equal(mean_sea_level_pressure(air), air.surface_pressure)


def test_surface_pressure_is_found_again_from_pressure_levels():
    air = atmosphere(np.array([0.0, 120.0, 900.0, 2500.0, 4500.0]))
    fields = on_pressure_levels(air, LEVELS)
    result = surface_pressure(
        LEVELS,
        fields.geopotential,
        fields.temperature,
        fields.humidity,
        air.surface_geopotential,
    )
    # T is linear between pressure levels here and between sigma levels there: 1 hPa in mountains.
    np.testing.assert_allclose(result, air.surface_pressure, atol=120)


def test_lines_in_log_pressure_are_kept_above_the_top_and_between():
    p = 100.0 * np.array(LEVELS)
    line = (3.0 + 2.0 * np.log(p))[:, None, None]
    result = from_pressure_levels(line, LEVELS, SIGMA, np.array([[1000e2]]))
    np.testing.assert_allclose(result[:, 0, 0], 3.0 + 2.0 * np.log(SIGMA * 1000e2), rtol=1e-12)
