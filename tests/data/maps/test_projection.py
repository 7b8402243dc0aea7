"""Projections and coastlines."""

import numpy as np
import pytest

from data.maps.coastlines import coastlines, projected_coastlines
from data.maps.projection import GLOBE, Box, EqualEarth, Extent, Polar, projection_of


@pytest.mark.parametrize("projection", [EqualEarth(), Polar(north=True), Polar(north=False)])
def test_the_globe_and_the_poles_are_drawn_with_true_areas(projection):
    λ, φ = np.meshgrid(np.linspace(-150, 150, 11), np.linspace(-70, 70, 9))
    small = 1e-3  # degrees: the error of a difference over this distance is far below 1e-5
    x, y = projection(λ, φ)
    x_east, y_east = projection(λ + small, φ)
    x_north, y_north = projection(λ, φ + small)
    area = (x_east - x) * (y_north - y) - (y_east - y) * (x_north - x)
    on_sphere = np.cos(np.deg2rad(φ)) * np.deg2rad(small) ** 2
    np.testing.assert_allclose(area / on_sphere, area[4, 5] / on_sphere[4, 5], rtol=1e-4)


def test_the_extent_chooses_the_projection():
    assert projection_of(GLOBE) == EqualEarth(0.0)
    assert projection_of(Extent(-90.0, -60.0)) == Polar(north=False)
    assert projection_of(Extent(-20.0, 20.0)) == Box(0.0, 0.0)
    assert projection_of(Extent(25.0, 60.0, 145.0, 230.0)).centre == 187.5


def test_an_extent_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"from south to north .* got south 40, north 30"):
        Extent(40.0, 30.0)


def test_coastlines_are_within_the_globe_and_where_coasts_are():
    lines = coastlines()
    points = np.concatenate(lines)
    assert np.abs(points).max(axis=0).tolist() <= [180.0, 90.0]
    for name, λ, φ in (("Dover", 1.3, 51.1), ("Cape Horn", -67.3, -56.0), ("Tokyo", 139.8, 35.6)):
        away = np.hypot((points[:, 0] - λ) * np.cos(np.deg2rad(φ)), points[:, 1] - φ).min()
        assert away < 0.3, name  # degrees; generalised to 0.03, and the places are rounded


def test_no_coastline_runs_across_the_map():
    for centre in (0.0, 180.0, -100.0):
        longest = max(
            np.abs(np.diff(line[:, 0])).max() for line in projected_coastlines(Box(centre, 0.0))
        )
        assert longest < 15  # degrees between two points: the longest straight coast
