"""The archive that the tests of preparation share."""

import pytest

from tests.data.sources.loopback import archive, weather


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> str:
    return str(archive(tmp_path_factory.mktemp("source") / "era5.zarr", weather(12)))
