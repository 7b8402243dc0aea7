"""Maps of fields: units of the trade, colours, words."""

import io

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from PIL import Image

from data.channels import Channel
from data.maps.appearance import shown
from data.maps.drawing import draw_map, levels, new_map
from data.maps.fields import at_leads, channel_named, chosen, converted
from data.maps.labels import latitude_label, longitude_label
from data.maps.pictures import Scene, animated, forecast_maps
from data.maps.projection import GLOBE, Extent
from tests.verification.made_up_weather import HOUR, forecast_of, truth


@pytest.fixture(scope="module")
def forecast():
    return forecast_of(truth(), inits=(0, 1), leads=(6, 12, 24)).assign_attrs(source="GraphCast")


@pytest.mark.parametrize(
    ("variable", "units", "value", "text", "number"),
    [
        ("geopotential", "m2 s-2", 54_000.0, "dam", 550.65),
        ("2m_temperature", "K", 283.15, "°C", 10.0),
        ("mean_sea_level_pressure", "Pa", 101_300.0, "hPa", 1013.0),
        ("total_precipitation_6hr", "m", -1e-5, "mm", 0.0),
        ("specific_humidity", "kg kg-1", 0.004, "g kg⁻¹", 4.0),
        ("my_field", "m2 s-2", 3.0, "m² s⁻²", 3.0),
        ("temperature", "degC", 20.0, "degC", 20.0),
    ],
)
def test_fields_are_shown_in_the_units_of_the_trade(variable, units, value, text, number):
    looks = shown(variable, units)
    field = xr.DataArray(np.full((2, 2), value), dims=("latitude", "longitude"))
    assert looks.units == text
    assert float(converted(field, looks)[0, 0]) == pytest.approx(number, rel=1e-5)


def test_a_difference_of_temperatures_is_in_kelvins_and_has_no_offset():
    error = shown("2m_temperature", "K").of_differences
    assert (error.units, error.offset, error.centred) == ("K", 0.0, True)
    assert shown("total_precipitation_6hr", "m").of_differences.least is None  # it may be negative


def test_colours_change_at_round_numbers_and_at_contours():
    assert 500 < levels(shown("geopotential", "m2 s-2", 500), (480.0, 600.0))[5] < 600
    assert set(levels(shown("geopotential", "m2 s-2", 500), (480.0, 600.0)) % 6) == {0.0}
    wind = levels(shown("u_component_of_wind", "m s-1"), (-12.0, 31.0))
    np.testing.assert_allclose(wind, -wind[::-1])  # calm is in the middle of the colours
    assert levels(shown("relative_humidity", "%"), (-3.0, 95.0))[0] == 0
    assert len(levels(shown("temperature", "K"), (5.0, 5.0))) > 1


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("z500", ("geopotential", 500)),
        ("Z 500", ("geopotential", 500)),
        ("geopotential:850", ("geopotential", 850)),
        ("geopotential 500 hPa", ("geopotential", 500)),
        ("2t", ("2m_temperature", None)),
        ("t2m", ("2m_temperature", None)),
    ],
)
def test_variables_are_found_by_the_names_that_people_type(forecast, text, channel):
    assert channel_named(text, forecast) == Channel(*channel)


def test_what_the_forecast_lacks_is_said_with_what_it_has(forecast):
    with pytest.raises(ValueError, match="`variable` is one that the forecast has, not 'q700'"):
        channel_named("q700", forecast)
    with pytest.raises(ValueError, match="geopotential is on 500, 850 hPa, not 300 hPa"):
        channel_named("z300", forecast)
    with pytest.raises(ValueError, match=r"`variable` z is on levels; say which, as z850 \(there"):
        channel_named("z", forecast)
    with pytest.raises(ValueError, match="the forecast has one member, so `member` 3 cannot"):
        chosen(forecast, Channel("2m_temperature"), member=3)
    with pytest.raises(ValueError, match="`init_time` is one that the forecast has, not 2020-01-0"):
        chosen(forecast, Channel("2m_temperature"), np.datetime64("2020-01-01", "ns"))
    field, _ = chosen(forecast, Channel("2m_temperature"))
    with pytest.raises(ValueError, match="`lead_time` is one that the forecast has, not 30 h; it "):
        at_leads(field, [30 * HOUR])
    with pytest.raises(ValueError, match="2m_temperature has no prediction_timedelta; give a fore"):
        chosen(forecast.isel(prediction_timedelta=0, drop=True), Channel("2m_temperature"))


@pytest.mark.parametrize("extent", [GLOBE, Extent(60.0, 90.0), Extent(25.0, 60.0, 145.0, 230.0)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_map_shows_each_value_at_its_place(extent, turned):
    """The colour at a grid point is the one of its value, whatever the order of the axes."""
    φ, λ = np.linspace(-90, 90, 37), np.arange(72) * 5.0
    field = xr.DataArray(
        np.outer(np.sin(np.deg2rad(φ)), np.ones(72)) + np.cos(np.deg2rad(λ)),
        {"latitude": φ, "longitude": λ},
    )
    if turned:
        west = field.assign_coords(longitude=(λ + 180) % 360 - 180).sortby("longitude")
        field = west.isel(latitude=slice(None, None, -1)).transpose("longitude", "latitude")
    figure = Figure(figsize=(4, 3))
    axes = new_map(figure, figure.add_gridspec(1, 1)[0], extent)
    drawn = draw_map(axes, field, shown("vorticity", "?"), extent, (-2.0, 2.0))
    assert drawn.zmin <= float(field.where(field.latitude >= extent.south).min()) + 0.1
    figure.savefig(io.BytesIO(), format="png")
    assert len(drawn.get_paths()) > 5


def test_a_sheet_names_forecast_times_units_and_source(forecast):
    leads = tuple(forecast.prediction_timedelta.values)
    figure = forecast_maps(forecast, Scene(Channel("geopotential", 500), leads))
    assert figure.get_suptitle() == ("geopotential, 500 hPa (dam), forecast from 2024-06-03 00 UTC")
    assert figure.axes[2].get_title(loc="left") == "+24 h, valid 2024-06-04 00 UTC"
    assert len(figure.axes) == 4  # three maps share one colour bar
    assert any("GraphCast" in text.get_text() for text in figure.texts)


def test_an_animation_has_a_frame_for_each_lead_time(forecast, tmp_path):
    leads = tuple(forecast.prediction_timedelta.values)
    scene = Scene(Channel("2m_temperature"), leads, Extent(35.0, 75.0, -12.5, 42.5))
    seen = []
    animated(forecast, scene, tmp_path / "a.gif", report=lambda *done: seen.append(done))
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.n_frames == 3
    assert seen[-1] == (3, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]
    with pytest.raises(ValueError, match=r"an animation is a file named .*, not .*a.png"):
        animated(forecast, scene, tmp_path / "a.png")


def test_places_are_labelled_as_on_maps():
    assert [longitude_label(λ) for λ in (-60.0, 0.0, 187.5, 180.0)] == [
        "60°W", "0°", "172.5°W", "180°",
    ]  # fmt: skip
    assert [latitude_label(φ) for φ in (-30.0, 0.0, 60.0)] == ["30°S", "0°", "60°N"]
