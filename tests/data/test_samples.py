"""The sample that comes with the package."""

import hashlib

import numpy as np

from data.samples import analyses
from data.sources import open_inputs

# SHA-256 of the file as earthkit-data publishes it.
PUBLISHED = "27003e4854592132331a664e83996f67609679cbe57edabc889f80fe6245233f"


def test_the_sample_holds_eight_times_six_hours_apart():
    (dataset,) = open_inputs(analyses())
    assert dataset.sizes == {"time": 8, "level": 6, "latitude": 19, "longitude": 36}
    assert set(np.diff(dataset["time"].values)) == {np.timedelta64(6, "h")}
    assert dataset["time"].values[0] == np.datetime64("2024-06-03T00")
    assert dataset["level"].values.tolist() == [300, 400, 500, 700, 850, 1000]


def test_the_sample_is_the_published_file():
    assert hashlib.sha256(analyses().read_bytes()).hexdigest() == PUBLISHED


def test_the_sample_is_attributed_and_small():
    readme = analyses().with_name("README.md").read_text()
    assert analyses().name in readme
    assert "CC-BY-4.0" in readme
    assert "ECMWF" in readme
    assert analyses().stat().st_size < 2e6
