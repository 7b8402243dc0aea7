"""The order of columns, against DeepMind's."""

import numpy as np
import pytest

from data.channels import Channel, Channels
from data.task import TASKS, Task

# Published offsets of GraphCast_small's 186 input columns: first column, number of columns.
SMALL_INPUT = {
    "10m_u_component_of_wind": (0, 2),
    "10m_v_component_of_wind": (2, 2),
    "2m_temperature": (4, 2),
    "day_progress_cos": (6, 2),
    "day_progress_sin": (8, 2),
    "geopotential": (10, 26),
    "geopotential_at_surface": (36, 1),
    "land_sea_mask": (37, 1),
    "mean_sea_level_pressure": (38, 2),
    "specific_humidity": (40, 26),
    "temperature": (66, 26),
    "toa_incident_solar_radiation": (92, 2),
    "total_precipitation_6hr": (94, 2),
    "u_component_of_wind": (96, 26),
    "v_component_of_wind": (122, 26),
    "vertical_velocity": (148, 26),
    "year_progress_cos": (174, 2),
    "year_progress_sin": (176, 2),
}
SMALL_FORCINGS = {
    "day_progress_cos": 178,
    "day_progress_sin": 179,
    "toa_incident_solar_radiation": 180,
    "year_progress_cos": 181,
    "year_progress_sin": 182,
}
STRUCTURAL = (183, 184, 185)

ODD = Task(
    name="precipitation out, sunlight only at the target time, no statics",
    inputs=("temperature", "2m_temperature", "day_progress_sin"),
    targets=("temperature", "2m_temperature", "total_precipitation_6hr", "10m_wind_speed"),
    forcings=("toa_incident_solar_radiation", "day_progress_sin", "sea_ice_cover"),
    levels=(500, 850),
)
BARE = Task("no forcings, no statics", ("temperature",), ("temperature",), (), (1000,))
ALL = [*TASKS.values(), ODD, BARE]


def pool_labels(channels):
    """The pool as the module's docstring draws it, built from the public parts alone."""
    return (
        [(c, "t-6h") for c in channels.targets]
        + [(c, "t") for c in channels.targets]
        + [(c, "t-6h") for c in channels.forcings]
        + [(c, "t") for c in channels.forcings]
        + [(c, "t+6h") for c in channels.forcings]
        + [(c, "static") for c in channels.statics]
        + [(i, "structural") for i in range(3)]
    )


def network_labels(channels):
    pool = pool_labels(channels)
    return [pool[i] for i in channels.input_order]


@pytest.mark.parametrize(
    ("name", "into", "out"),
    [
        ("graphcast", 474, 227),
        ("graphcast_small", 186, 83),
        ("graphcast_operational", 184, 83),
    ],
)
def test_published_widths(name, into, out):
    channels = Channels(TASKS[name])
    assert channels.input_width == into
    assert len(channels.targets) == out


def test_small_has_every_published_input_offset():
    task = TASKS["graphcast_small"]
    labels = network_labels(Channels(task))
    expected = {}
    for name, (first, width) in SMALL_INPUT.items():
        if width == 26:
            rows = [((name, level), time) for time in ("t-6h", "t") for level in task.levels]
        elif width == 2:
            rows = [((name, None), time) for time in ("t-6h", "t")]
        else:
            rows = [((name, None), "static")]
        expected |= dict(enumerate(rows, start=first))
    expected |= {at: ((name, None), "t+6h") for name, at in SMALL_FORCINGS.items()}
    expected |= {at: (i, "structural") for i, at in enumerate(STRUCTURAL)}
    assert dict(enumerate(labels)) == expected


def test_operational_reads_no_precipitation_and_is_else_the_same():
    small = network_labels(Channels(TASKS["graphcast_small"]))
    rain = Channel("total_precipitation_6hr")
    operational = Channels(TASKS["graphcast_operational"])
    assert network_labels(operational) == [label for label in small if label[0] != rain]
    assert rain in operational.targets
    assert rain not in [operational.targets[i] for i in operational.fed]


def test_outputs_are_sorted_names_with_levels_fastest():
    targets = Channels(TASKS["graphcast_small"]).targets
    levels = TASKS["graphcast_small"].levels
    expected = [
        ("10m_u_component_of_wind", None),
        ("10m_v_component_of_wind", None),
        ("2m_temperature", None),
        *(("geopotential", level) for level in levels),
        ("mean_sea_level_pressure", None),
        *(("specific_humidity", level) for level in levels),
        *(("temperature", level) for level in levels),
        ("total_precipitation_6hr", None),
        *(("u_component_of_wind", level) for level in levels),
        *(("v_component_of_wind", level) for level in levels),
        *(("vertical_velocity", level) for level in levels),
    ]
    assert list(targets) == expected


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_input_order_reads_no_pool_column_twice(task):
    channels = Channels(task)
    assert len(set(channels.input_order)) == channels.input_width
    assert set(channels.input_order) <= set(range(len(pool_labels(channels))))


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_the_pool_columns_left_over_are_those_that_the_task_does_not_read(task):
    channels = Channels(task)
    unread = [
        label
        for column, label in enumerate(pool_labels(channels))
        if column not in channels.input_order
    ]
    expected = [
        (channel, time)
        for group in (channels.targets, channels.forcings)
        for time in ("t-6h", "t")
        for channel in group
        if channel.variable not in task.inputs
    ]
    assert unread == expected


def test_a_task_may_force_and_predict_what_it_does_not_read():
    t, t2 = "temperature", "2m_temperature"
    assert network_labels(Channels(ODD)) == [
        ((t2, None), "t-6h"),
        ((t2, None), "t"),
        (("day_progress_sin", None), "t-6h"),
        (("day_progress_sin", None), "t"),
        ((t, 500), "t-6h"),
        ((t, 850), "t-6h"),
        ((t, 500), "t"),
        ((t, 850), "t"),
        (("day_progress_sin", None), "t+6h"),
        (("sea_ice_cover", None), "t+6h"),
        (("toa_incident_solar_radiation", None), "t+6h"),
        (0, "structural"),
        (1, "structural"),
        (2, "structural"),
    ]
    assert [Channels(ODD).targets[i].variable for i in Channels(ODD).fed] == [t2, t, t]


def test_without_forcings_and_statics_only_the_weather_is_read():
    channels = Channels(BARE)
    assert channels.forcings == channels.statics == ()
    np.testing.assert_array_equal(channels.input_order, [0, 1, 2, 3, 4])


@pytest.mark.parametrize("name", TASKS)
def test_loss_weights_sum_to_the_variables_weights(name):
    # rtol: a sum of 227 float64 numbers
    np.testing.assert_allclose(Channels(TASKS[name]).loss_weights.sum(), 7.4, rtol=1e-13)


def test_the_stratosphere_has_the_papers_share_of_the_loss():
    channels = Channels(TASKS["graphcast"])
    high = [c.level is not None and c.level <= 50 for c in channels.targets]
    share = channels.loss_weights[high].sum() / channels.loss_weights.sum()
    # levels up to 50 hPa sum to 128, all 37 to 15548; six of 7.4 parts are upper-air
    np.testing.assert_allclose(share, 128 / 15548 * 6 / 7.4, rtol=1e-12)
    assert round(100 * share, 3) == 0.668 or round(100 * share, 2) == 0.67


def test_loss_weights_grow_with_pressure_and_average_to_one():
    levels = np.array(ODD.levels)
    upper = [c.variable == "temperature" for c in Channels(ODD).targets]
    weights = Channels(ODD).loss_weights[upper]
    np.testing.assert_allclose(weights, levels / levels.mean() / levels.size)


def test_equal_tasks_have_equal_hashable_channels():
    again = Task.from_json(ODD.to_json())
    assert Channels(again) == Channels(ODD)
    assert hash(Channels(again)) == hash(Channels(ODD))
    with pytest.raises(ValueError, match="read-only"):
        Channels(ODD).input_order[0] = 1


def test_a_channel_prints_its_level():
    assert str(Channel("temperature", 850)) == "temperature 850 hPa"
    assert str(Channel("2m_temperature")) == "2m_temperature"
