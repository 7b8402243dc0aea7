"""Smooth fields between the grids of two models."""

import numpy as np
import pytest

from data.planet.regridding import smoothly
from mesh.grid import LatLonGrid

COARSE, FINE = LatLonGrid.gaussian(16), LatLonGrid.gaussian(24)


def wave(grid, m):
    """A harmonic of the sphere: cos^m φ cos mλ."""
    φ, λ = np.deg2rad(grid.latitude)[:, None], np.deg2rad(grid.longitude)
    return np.cos(φ) ** m * np.cos(m * λ)


@pytest.mark.parametrize("m", [0, 1, 2, 5, 10])
def test_waves_survive_between_grids(m):
    result = smoothly(wave(FINE, m), FINE, COARSE)
    # Ten points to the shortest wave: (2π/10)⁴ / 384 of it is a spline's bound, 4e-4.
    np.testing.assert_allclose(result, wave(COARSE, m), atol=1e-3)


def test_one_wind_over_the_pole_stays_one_wind():
    """A uniform flow across the pole is cos λ in u at both sides of it: no kink, no sign lost."""
    u = np.cos(np.deg2rad(FINE.longitude)) * np.ones((len(FINE.latitude), 1))
    result = smoothly(u, FINE, COARSE, wind=True)
    np.testing.assert_allclose(
        result[-1], np.cos(np.deg2rad(COARSE.longitude)), atol=1e-3
    )  # as for waves


def test_levels_are_moved_one_by_one():
    two = np.stack([wave(FINE, 1), wave(FINE, 2)])
    result = smoothly(two, FINE, COARSE)
    np.testing.assert_array_equal(result[1], smoothly(two[1], FINE, COARSE))
