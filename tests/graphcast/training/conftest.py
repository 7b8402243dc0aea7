"""The small world with one processor round: its updates are compiled many times over."""

from dataclasses import replace

import pytest

from ..conftest import SPEC, World, make_world

ONE_ROUND = replace(SPEC, processor_steps=1)


@pytest.fixture(scope="package")
def world() -> World:
    return make_world(ONE_ROUND)
