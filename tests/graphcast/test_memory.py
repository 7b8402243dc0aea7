"""The memory plan against what XLA plans for the compiled step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from data.channels import Channels
from data.task import TASKS
from graphcast.layout import arrange
from graphcast.memory import available_memory, fitting, step_memory
from graphcast.model import ModelSpec, random_model
from graphcast.normaliser import Normaliser
from graphcast.precision import BFLOAT16, FLOAT32
from graphcast.rollout import dynamics, next_frame
from mesh.graphs import MeshSpec, build_graphs
from mesh.grid import LatLonGrid

SPEC = ModelSpec(MeshSpec(4), latent_size=256, processor_steps=2)


@pytest.fixture(scope="module", params=[20480, 5120])
def sizes(request):
    """A grid of 2° with its mesh edges in one block, or in four."""
    graphs = build_graphs(LatLonGrid.regular(2.0), SPEC.mesh)
    return Channels(TASKS["graphcast_small"]), arrange(graphs, edge_block=request.param)


def compiled_bytes(channels, layout, precision, keep_edges):
    """What XLA says that the compiled step takes: arguments, output and temporaries."""
    targets, forcings, statics = map(len, (channels.targets, channels.forcings, channels.statics))

    def vector(width, dtype=jnp.float32):
        return jax.ShapeDtypeStruct((width,), dtype)

    def blocks(width):
        return jax.ShapeDtypeStruct((*layout.rows, width), jnp.float32)

    normaliser = Normaliser(
        *[vector(targets)] * 2,
        *[vector(forcings)] * 2,
        *[vector(statics)] * 2,
        vector(targets, bool),
        vector(targets),
    )
    model = jax.eval_shape(
        lambda key: random_model(SPEC, channels.input_width, targets, key=key), jax.random.key(0)
    )
    fixed = jax.eval_shape(
        lambda *arguments: dynamics(*arguments, precision, keep_edges=keep_edges),
        model,
        channels.input_order,
        layout,
        normaliser,
        blocks(statics),
    )
    lowered = next_frame.lower(
        fixed, blocks(targets), blocks(targets), (blocks(forcings),) * 3, precision=precision
    )
    found = lowered.compile().memory_analysis()
    return found.argument_size_in_bytes + found.output_size_in_bytes + found.temp_size_in_bytes


@pytest.mark.parametrize(("precision", "keep"), [(FLOAT32, True), (FLOAT32, False)])
def test_plan_is_within_15_percent_of_what_xla_plans(sizes, precision, keep):
    planned = step_memory(SPEC, *sizes, precision, keep_edges=keep).device
    np.testing.assert_allclose(planned, compiled_bytes(*sizes, precision, keep), rtol=0.15)


def test_what_fits_is_chosen(sizes):
    roomy = fitting(SPEC, *sizes, FLOAT32, 2**40)
    tight = fitting(SPEC, *sizes, FLOAT32, roomy.device - 1)
    assert roomy.keep_edges
    assert not tight.keep_edges
    assert tight.device < roomy.device


def test_what_cannot_fit_is_refused_with_what_would_help(sizes):
    with pytest.raises(ValueError, match="use --precision bfloat16, more --devices"):
        fitting(SPEC, *sizes, FLOAT32, 2**20)


def test_more_devices_need_less_on_each(sizes):
    one = step_memory(SPEC, *sizes, FLOAT32, keep_edges=False)
    four = step_memory(SPEC, *sizes, FLOAT32, keep_edges=False, devices=4)
    assert four.state * 4 == pytest.approx(one.state, rel=1e-6)
    assert four.weights == one.weights


def test_narrow_latents_take_less_memory_where_they_are_kept(sizes):
    wide = step_memory(SPEC, *sizes, FLOAT32, keep_edges=False)
    narrow = step_memory(SPEC, *sizes, BFLOAT16, keep_edges=False)
    assert narrow.geometry < wide.geometry


def test_this_machine_has_memory():
    assert available_memory() > 2**28
