"""Points on the unit sphere: degrees, angles, vectors, and each point's local frame.

Every function keeps the dtype of its arguments. The network was trained on geometry computed in
float32 from float32 degrees, so callers pass float32, and its rounding is part of the result.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class LocalFrames(NamedTuple):
    """Rotation of each point to longitude 0, latitude 0 as sines and cosines, float64.

    `cos_azimuth, sin_azimuth` turn the point to longitude 0 about the z axis, then `cos_tilt,
    sin_tilt` bring it to the equator about the y axis. It arrives at (1, 0, 0), north along +z.
    """

    cos_azimuth: Float[np.ndarray, " points"]
    sin_azimuth: Float[np.ndarray, " points"]
    cos_tilt: Float[np.ndarray, " points"]
    sin_tilt: Float[np.ndarray, " points"]


def angles(
    latitude: Float[np.ndarray, " points"], longitude: Float[np.ndarray, " points"]
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Colatitude θ = π/2 - φ and azimuth λ, radians, of degrees."""
    return np.deg2rad(90 - latitude), np.deg2rad(longitude)


def unit_vectors(
    latitude: Float[np.ndarray, " points"], longitude: Float[np.ndarray, " points"]
) -> Float[np.ndarray, "points 3"]:
    """(cos λ sin θ, sin λ sin θ, cos θ) of degrees."""
    θ, λ = angles(latitude, longitude)
    return np.stack([np.cos(λ) * np.sin(θ), np.sin(λ) * np.sin(θ), np.cos(θ)], axis=-1)


def degrees(
    vectors: Float[np.ndarray, "points 3"],
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Latitude and longitude in [0, 360), degrees, of unit vectors."""
    x, y, z = vectors.T
    # A rounded pole may have |z| a bit above 1.
    return 90 - np.rad2deg(np.arccos(np.clip(z, -1, 1))), np.mod(np.rad2deg(np.arctan2(y, x)), 360)


def local_frames(
    latitude: Float[np.ndarray, " points"], longitude: Float[np.ndarray, " points"]
) -> LocalFrames:
    """The local frame of each point (degrees in): angles in their dtype, sines in float64."""
    θ, λ = angles(latitude, longitude)
    azimuth = λ.astype(np.float64)
    # The reference rounds this angle to float32 before it takes its sine in float64.
    tilt = (-θ + np.pi / 2).astype(np.float64)
    return LocalFrames(np.cos(azimuth), np.sin(azimuth), np.cos(tilt), np.sin(tilt))


def in_local_frames(
    vectors: Float[np.ndarray, "points 3"], frames: LocalFrames
) -> Float[np.ndarray, "points 3"]:
    """(up, east, north) components of each vector in the local frame of its point."""
    x, y, z = vectors.T
    along = frames.cos_azimuth * x + frames.sin_azimuth * y
    east = frames.cos_azimuth * y - frames.sin_azimuth * x
    up = frames.cos_tilt * along + frames.sin_tilt * z
    north = frames.cos_tilt * z - frames.sin_tilt * along
    return np.stack([up, east, north], axis=-1)
