import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mesh import sphere

LATITUDES = st.floats(-89, 89)
LONGITUDES = st.floats(0, 359)


@given(LATITUDES, LONGITUDES)
def test_degrees_of_unit_vectors_are_identity(latitude: float, longitude: float) -> None:
    vectors = sphere.unit_vectors(np.array([latitude]), np.array([longitude]))
    back = np.array(sphere.degrees(vectors)).T
    # 1e-10 degrees: arccos loses up to 1/sin(1 degree) of float64's 1e-14
    np.testing.assert_allclose(back, [[latitude, longitude]], atol=1e-10)


@given(LATITUDES, LONGITUDES)
def test_a_point_is_at_its_own_origin_with_north_upwards(latitude: float, longitude: float) -> None:
    point = np.array([latitude]), np.array([longitude])
    frame = sphere.local_frames(*point)
    step = 1e-3  # degrees
    position = sphere.unit_vectors(*point)
    north = sphere.unit_vectors(point[0] + step, point[1]) - position
    east = sphere.unit_vectors(point[0], point[1] + step) - position
    length = np.deg2rad(step)
    np.testing.assert_allclose(sphere.in_local_frames(position, frame), [[1, 0, 0]], atol=1e-12)
    # 2e-5 of the length: the chord of a 1e-3 degree arc leaves the tangent by half the arc
    np.testing.assert_allclose(
        sphere.in_local_frames(north, frame) / length, [[0, 0, 1]], atol=2e-5
    )
    np.testing.assert_allclose(
        sphere.in_local_frames(east, frame) / length / np.cos(np.deg2rad(latitude)),
        [[0, 1, 0]],
        atol=2e-5,
    )


def test_float32_stays_float32() -> None:
    latitude, longitude = np.float32([-90, 10, 90]), np.float32([0, 10, 20])
    vectors = sphere.unit_vectors(latitude, longitude)
    assert vectors.dtype == np.float32
    assert {part.dtype for part in sphere.degrees(vectors)} == {np.dtype(np.float32)}
