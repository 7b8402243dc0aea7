"""The memory plan takes the fastest economy that fits."""

import jax
import pytest

from data.channels import Channels
from data.task import TASKS
from graphcast.machine.plan import Economy, fitting, fitting_update
from graphcast.network.model import ModelSpec
from graphcast.precision import FLOAT32
from mesh.graphs import MeshSpec, build_graphs
from mesh.grid import LatLonGrid

SPEC = ModelSpec(MeshSpec(4), latent_size=256, processor_steps=2)


@pytest.fixture(scope="module")
def graphs():
    return build_graphs(LatLonGrid.regular(2.0), SPEC.mesh)


def test_what_fits_is_chosen(graphs):
    channels = Channels(TASKS["graphcast_small"])
    roomy = fitting(SPEC, channels, graphs, FLOAT32, 2**40)
    tight = fitting(SPEC, channels, graphs, FLOAT32, roomy.memory.device - 1)
    assert roomy.economy.keep_edges
    assert not tight.economy.keep_edges
    assert tight.memory.device < roomy.memory.device


def test_what_cannot_fit_is_refused_with_what_would_help(graphs):
    channels = Channels(TASKS["graphcast_small"])
    with pytest.raises(ValueError, match="use `precision` bfloat16, more `devices`"):
        fitting(SPEC, channels, graphs, FLOAT32, 2**20)
    with pytest.raises(ValueError, match=r"an update needs .* use a smaller `batch`"):
        fitting_update(SPEC, channels, graphs, FLOAT32, 2**20)


def test_accelerators_get_the_largest_blocks_that_fit(graphs, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    channels = Channels(TASKS["graphcast_small"])
    roomy = fitting(SPEC, channels, graphs, FLOAT32, 2**40)
    tight = fitting(SPEC, channels, graphs, FLOAT32, 2**28)
    assert roomy.layout.mesh_senders.shape[0] == 1
    assert tight.layout.rows.blocks > roomy.layout.rows.blocks
    assert tight.memory.device <= 2**28


def test_an_interrupted_forecast_keeps_its_economy(graphs):
    channels, begun = Channels(TASKS["graphcast_small"]), Economy(512, 600, keep_edges=False)
    plan = fitting(SPEC, channels, graphs, FLOAT32, 2**40, economy=begun)
    assert plan.economy == begun
    assert plan.layout.rows.length <= 512
    with pytest.raises(ValueError, match=r"as the interrupted forecast planned it.*`overwrite`"):
        fitting(SPEC, channels, graphs, FLOAT32, plan.memory.device - 1, economy=begun)
