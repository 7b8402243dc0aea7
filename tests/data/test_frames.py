"""Packing and unpacking."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from data.channels import Channel, Channels
from data.forcings import forcing_frame
from data.frames import pack, unpack
from data.task import TASKS

SURFACE = ("2m_temperature", "land_sea_mask", "10m_u_component_of_wind")
UPPER = ("temperature", "geopotential")


@st.composite
def packed_arrays(draw):
    """Any channels (in any order, also split), any small grid, any float32 numbers."""
    levels = draw(st.lists(st.sampled_from((50, 500, 850)), min_size=1, unique=True))
    blocks = [[Channel(name)] for name in SURFACE] + [
        [Channel(name, level) for level in levels] for name in UPPER
    ]
    chosen = draw(st.lists(st.sampled_from(blocks), min_size=1, unique_by=str))
    channels = tuple(channel for block in chosen for channel in block)
    latitude = np.linspace(-80, 80, draw(st.integers(1, 4))).astype(np.float32)
    longitude = np.arange(draw(st.integers(1, 5)), dtype=np.float32) * 60
    seed = draw(st.integers(0, 2**32 - 1))
    shape = (latitude.size * longitude.size, len(channels))
    array = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return array, channels, latitude, longitude


@settings(deadline=None)  # the first example also pays for imports
@given(packed_arrays())
def test_pack_after_unpack_is_identity(case):
    array, channels, latitude, longitude = case
    frame = unpack(array, channels, latitude, longitude)
    np.testing.assert_array_equal(pack(frame, channels), array)


@settings(deadline=None)  # the first example also pays for imports
@given(packed_arrays(), st.randoms())
def test_pack_reads_labels_not_positions(case, random):
    array, channels, latitude, longitude = case
    frame = unpack(array, channels, latitude, longitude)
    order = list(range(len(channels)))
    random.shuffle(order)
    if "level" in frame.dims:
        frame = frame.isel(level=slice(None, None, -1))
    frame = frame.transpose("longitude", "latitude", ...)  # also dimension order does not matter
    shuffled = pack(frame, tuple(channels[i] for i in order))
    np.testing.assert_array_equal(shuffled, array[:, order])


@settings(deadline=None)  # the first example also pays for imports
@given(packed_arrays())
def test_unpack_after_pack_is_identity(case):
    frame = unpack(*case)
    again = unpack(pack(frame, case[1]), *case[1:])
    xr.testing.assert_identical(again, frame)


def test_a_grid_node_is_row_times_width_plus_column():
    channels = (Channel("temperature", 500), Channel("temperature", 850))
    values = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    frame = xr.Dataset(
        {"temperature": (("level", "latitude", "longitude"), values)},
        coords={"level": [500, 850], "latitude": [-45.0, 0.0, 45.0], "longitude": np.arange(4.0)},
    )
    packed = pack(frame, channels)
    for row in range(3):
        for column in range(4):
            np.testing.assert_array_equal(packed[row * 4 + column], values[:, row, column])


def test_unpack_gives_canonical_dimensions_and_units():
    channels = (Channel("temperature", 500), Channel("2m_temperature"))
    frame = unpack(np.zeros((6, 2)), channels, np.array([-1.0, 1.0]), np.array([0.0, 1.0, 2.0]))
    assert frame["temperature"].dims == ("level", "latitude", "longitude")
    assert frame["2m_temperature"].dims == ("latitude", "longitude")
    assert frame["2m_temperature"].attrs["units"] == "K"


def test_unpack_shares_no_memory():
    array = np.zeros((4, 1), dtype=np.float32)
    axis = np.array([0.0, 1.0])
    frame = unpack(array, (Channel("2m_temperature"),), axis, axis)
    assert not np.shares_memory(frame["2m_temperature"].values, array)


def test_clocks_are_repeated_over_the_globe():
    channels = Channels(TASKS["graphcast"]).forcings
    latitude, longitude = np.linspace(-90, 90, 5), np.arange(0.0, 360.0, 60.0)
    time = np.datetime64("2024-02-29T18", "ns")
    frame = forcing_frame([c.variable for c in channels], time, latitude, longitude)
    packed = pack(frame, channels).reshape(5, 6, len(channels))
    clocks = {c.variable: packed[..., i] for i, c in enumerate(channels)}
    assert len(np.unique(clocks["year_progress_sin"])) == 1
    assert (clocks["day_progress_cos"] == clocks["day_progress_cos"][:1]).all()
    assert len(np.unique(clocks["day_progress_cos"][0])) > 1


def test_every_missing_channel_is_named():
    frame = unpack(np.zeros((1, 1)), (Channel("temperature", 500),), np.zeros(1), np.zeros(1))
    wanted = (
        Channel("temperature", 500),
        Channel("temperature", 850),
        Channel("2m_temperature"),
        Channel("temperature"),
    )
    words = "does not have temperature 850 hPa, 2m_temperature, temperature$"
    with pytest.raises(ValueError, match=words):
        pack(frame, wanted)


def test_several_times_are_refused():
    frame = unpack(np.zeros((1, 1)), (Channel("2m_temperature"),), np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match=r"one time, .*2m_temperature has .* time; select one"):
        pack(frame.expand_dims("time"), (Channel("2m_temperature"),))


def test_a_frame_without_a_grid_is_refused():
    with pytest.raises(ValueError, match="lacks latitude and longitude"):
        pack(xr.Dataset(), ())


def test_an_array_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"need an array of shape \(6, 1\); this one is \(5, 1\)"):
        unpack(np.zeros((5, 1)), (Channel("2m_temperature"),), np.zeros(2), np.zeros(3))


def test_different_levels_are_refused():
    channels = (Channel("temperature", 500), Channel("geopotential", 850))
    with pytest.raises(ValueError, match="the same levels"):
        unpack(np.zeros((1, 2)), channels, np.zeros(1), np.zeros(1))
