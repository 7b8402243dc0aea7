"""Servers on the loopback interface, and waits that are short."""

from collections.abc import Iterator

import pytest

from data.sources.network import download
from tests.data.sources.loopback import Loopback, serving


@pytest.fixture
def short_waits(monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.5)
    monkeypatch.setattr(download, "FIRST_PAUSE", 0.01)


@pytest.fixture
def server(tmp_path) -> Iterator[Loopback]:
    (tmp_path / "www").mkdir()
    with serving(tmp_path / "www") as running:
        yield running
