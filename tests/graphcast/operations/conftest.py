"""Weights and starts of a small world, without files of inputs."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from data.windows import Window, window
from graphcast.operations import Digest, Member, Run

from ..conftest import World


@dataclass
class MadeUpStarts:
    """Windows of analyses in memory, `offset` K warmer; records which windows were read."""

    world: World
    offset: float = 0.0
    asked: list[str] = field(default_factory=list)

    def window(self, init_time: np.datetime64, member: Member) -> Window:
        self.asked.append(f"{str(init_time)[8:13]} {member.number}")
        warmer = self.world.analyses + np.float32(self.offset + member.number)
        return window(warmer, self.world.checkpoint.task, init_time=init_time)


@pytest.fixture
def starts(world, monkeypatch, tmp_path) -> MadeUpStarts:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return MadeUpStarts(world)


@pytest.fixture
def run(world) -> Run:
    """Two init times of one member, two steps each."""
    times = world.analyses["time"].values
    return Run(
        weights=Digest("0" * 64, "random weights", "none"),
        task=world.checkpoint.task,
        grid=world.grid,
        inputs=("analyses in memory",),
        init_times=(times[1], times[2]),
        steps=2,
    )
