"""The sample that comes with the package."""

from pathlib import Path

import numpy as np
import pytest

from data.samples import analyses
from data.sources import open_inputs

SHARED = Path(__file__).parents[3] / "shared"


def test_the_sample_holds_eight_times_six_hours_apart():
    (dataset,) = open_inputs(analyses())
    assert dataset.sizes == {"time": 8, "level": 6, "latitude": 19, "longitude": 36}
    assert set(np.diff(dataset["time"].values)) == {np.timedelta64(6, "h")}
    assert dataset["time"].values[0] == np.datetime64("2024-06-03T00")
    assert dataset["level"].values.tolist() == [300, 400, 500, 700, 850, 1000]


def test_the_sample_is_the_published_file():
    published = SHARED / "data/analyses/ecmwf_ifs_10deg_6h_20240603-04.grib"
    if not published.exists():
        pytest.skip("the published file is not beside the checkout")
    assert analyses().read_bytes() == published.read_bytes()


def test_the_sample_is_attributed_and_small():
    readme = analyses().with_name("README.md").read_text()
    assert analyses().name in readme
    assert "CC-BY-4.0" in readme
    assert "ECMWF" in readme
    assert analyses().stat().st_size < 2e6
