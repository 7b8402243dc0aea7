"""Maps of errors: means over init times, in the units of the trade."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from data.channels import Channel
from tests.verification.made_up_weather import HOUR, forecast_of, truth
from verification import align
from verification.scorecard import error_maps, error_pictures


@pytest.fixture(scope="module")
def both():
    obs = truth()
    return align(forecast_of(obs, inits=(0, 1, 2), leads=(6, 12), error=3.0), obs, None)


def test_bias_and_rmse_are_means_over_init_times_at_each_point(both):
    errors = error_maps._errors(both, Channel("2m_temperature"), 12 * HOUR)
    assert errors.n == 3
    assert errors.bias.dims == ("latitude", "longitude")
    # 1e-4: a sum of two float32 temperatures
    np.testing.assert_allclose(errors.bias, 3.0, atol=1e-4)
    np.testing.assert_allclose(errors.rmse, 3.0, atol=1e-4)


def test_every_headline_field_has_a_map_of_each(both):
    pictures = error_pictures(both)
    assert [picture.title for picture in pictures] == [
        f"{name} of {field} at 12 h, 3 init times"
        for field in ("geopotential, 500 hPa", "2m temperature")
        for name in ("Bias", "RMSE")
    ]
    content = base64.b64decode(pictures[0].source.removeprefix("data:image/png;base64,"))
    assert len(content) < 100_000  # eight of them are below a third of the page's 3 MB
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (576, 400)
