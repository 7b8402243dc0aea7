"""The fast path against the textbook one, on jraph, forward and gradient."""

from functools import cache, partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from data.task import TASKS
from graphcast.blocks import arrange, blocking, in_blocks, in_groups, out_of_blocks
from graphcast.network.interaction import interact
from graphcast.network.mlp import random_mlp
from graphcast.network.model import ModelSpec, embed_geometry, model_template, parameter_count
from graphcast.network.reference import interaction, textbook_network, to_jraph
from graphcast.passes import Pass
from graphcast.precision import BFLOAT16, FLOAT32, MIXED, precision_named
from mesh.graphs import MeshSpec

# float32 sums of at most a few hundred terms of order one, in another order.
ROUNDING = 2e-5


def output(model, layout, inputs, how=Pass(FLOAT32), keep_edges=True):  # noqa: B008  frozen
    columns = in_blocks(np.asarray(inputs)[:, :-3], layout.rows)
    blocks = in_one_program(model, layout, columns, how, keep_edges)
    return out_of_blocks(blocks, len(inputs))


@partial(jax.jit, static_argnames=("how", "keep_edges"))
def in_one_program(model, layout, columns, how, keep_edges):
    def assemble(columns, structural):
        return jnp.concatenate([columns, structural], axis=-1)

    embedding = embed_geometry(model, layout, how, keep_edges=keep_edges)
    return model(columns, assemble, embedding, layout, how)


@pytest.fixture(scope="module")
def inputs(world):
    width = world.model.encoder.embed_grid.weights[0].shape[0]
    values = np.random.default_rng(1).normal(size=(world.grid.size, width)).astype(np.float32)
    values[:, -3:] = world.graphs.grid_features
    return jnp.asarray(values)


def test_network_equals_the_textbook_network(world, inputs):
    expected = textbook_network(world.model, world.graphs, inputs)
    np.testing.assert_allclose(
        output(world.model, world.layout, inputs), expected, atol=ROUNDING * abs(expected).max()
    )


@pytest.fixture(scope="module")
def gradient(world, inputs):
    """The gradient of the mean square output by each `Pass`; each is compiled once."""

    @cache
    def of(how=Pass(FLOAT32)):  # noqa: B008  frozen
        def mean_square(model):
            return jnp.square(output(model, world.layout, inputs, how)).mean()

        return jax.jit(jax.grad(mean_square))(world.model)

    return of


def test_gradient_equals_the_textbook_gradient(world, inputs, gradient):
    def mean_square(model):
        return jnp.square(textbook_network(model, world.graphs, inputs)).mean()

    theirs = jax.jit(jax.grad(mean_square))(world.model)
    for one, other in zip(jax.tree.leaves(gradient()), jax.tree.leaves(theirs), strict=True):
        # 100 × the forward's rounding: a gradient sums over all rows and steps.
        np.testing.assert_allclose(one, other, atol=100 * ROUNDING * (abs(other).max() + 1e-6))


@pytest.mark.parametrize("precision", [FLOAT32, MIXED])
def test_what_a_backward_pass_stores_changes_nothing(gradient, precision):
    stored, rematerialised = gradient(Pass(precision, "products")), gradient(Pass(precision))
    for one, other in zip(jax.tree.leaves(stored), jax.tree.leaves(rematerialised), strict=True):
        np.testing.assert_allclose(one, other, atol=ROUNDING * (abs(other).max() + 1e-6))


@pytest.mark.parametrize("precision", [MIXED, BFLOAT16])
def test_low_precision_gradient_is_near_the_float32_one(gradient, precision):
    exact, rounded = gradient(), gradient(Pass(precision))
    error = jax.tree.map(lambda one, other: one - other, rounded, exact)
    # twice as many roundings as the forward pass, whose bound below is 0.05
    assert optax.tree.norm(error) <= 0.1 * optax.tree.norm(exact)


def test_interaction_equals_jraphs_interaction_network(world):
    edge_set, nodes = world.graphs.mesh, len(world.graphs.mesh_features)
    keys = jax.random.split(jax.random.key(3), 4)
    update_edges = random_mlp(24, [8], 8, key=keys[0])
    update_nodes = random_mlp(16, [8], 8, key=keys[1])
    vertex = jax.random.normal(keys[2], (nodes, 8))
    edge = jax.random.normal(keys[3], (len(edge_set.senders), 8))
    graph = to_jraph(edge_set, vertex, edges=edge)
    expected = interaction(update_edges, update_nodes)(graph)

    groups = in_groups(edge_set, nodes)
    cut = blocking(len(groups.receivers), 7)
    mesh, edges = interact(
        update_edges,
        update_nodes,
        vertex,
        jnp.asarray(in_blocks(np.asarray(edge)[groups.edges], cut)),
        jnp.asarray(in_blocks(groups.senders, cut, fill=nodes)),
        jnp.asarray(in_blocks(groups.receivers, cut, fill=nodes)),
        Pass(FLOAT32),
    )
    np.testing.assert_allclose(mesh, vertex + expected.nodes, atol=ROUNDING)
    found = out_of_blocks(edges, len(groups.edges)).reshape(-1, 8)[groups.edges.ravel() >= 0]
    order = groups.edges[groups.edges >= 0]
    np.testing.assert_allclose(found, (edge + expected.edges)[order], atol=ROUNDING)


@pytest.mark.parametrize(("grid_block", "edge_block"), [(1000, 1000), (31, 17)])
def test_block_sizes_change_nothing(world, inputs, grid_block, edge_block):
    layout = arrange(world.graphs, grid_block=grid_block, edge_block=edge_block)
    layout = jax.tree.map(jnp.asarray, layout)
    np.testing.assert_allclose(
        output(world.model, layout, inputs),
        output(world.model, world.layout, inputs),
        atol=ROUNDING * 10,
    )


def test_edge_terms_computed_in_the_step_change_nothing(world, inputs):
    recomputed = output(world.model, world.layout, inputs, keep_edges=False)
    np.testing.assert_allclose(recomputed, output(world.model, world.layout, inputs), atol=ROUNDING)


@pytest.mark.parametrize("keeps", ["nothing", "rounds"])
@pytest.mark.parametrize("precision", [MIXED, BFLOAT16])
def test_edges_of_a_kind_that_share_their_terms_change_nothing(world, inputs, precision, keeps):
    how = Pass(precision, keeps)
    layout = arrange(world.graphs, grid_block=70, edge_block=50, operands=precision.operands)
    shared = output(world.model, jax.tree.map(jnp.asarray, layout), inputs, how)
    separate = output(world.model, world.layout, inputs, how)
    np.testing.assert_allclose(shared, separate, atol=ROUNDING)


@pytest.mark.parametrize("precision", [MIXED, BFLOAT16])
def test_low_precision_is_near_float32_and_not_equal(world, inputs, precision):
    exact = output(world.model, world.layout, inputs)
    rounded = output(world.model, world.layout, inputs, Pass(precision))
    error = np.sqrt(jnp.square(rounded - exact).mean()) / exact.std()
    # bfloat16 has 8 significant bits (4e-3), and about ten layers of them follow each other.
    assert 1e-5 < error < 0.05


@pytest.mark.parametrize(
    ("task", "splits", "parameters"),  # of the published checkpoints
    [
        ("graphcast", 6, 36_348_131),
        ("graphcast_small", 5, 35_979_347),
        ("graphcast_operational", 6, 35_977_299),
    ],
)
def test_published_shapes_have_the_published_parameter_counts(task, splits, parameters):
    spec = ModelSpec(MeshSpec(splits), latent_size=512, processor_steps=16)
    assert parameter_count(model_template(spec, TASKS[task])) == parameters


def test_unused_mesh_update_has_no_influence(world, inputs):
    changed = eqx.tree_at(
        lambda model: model.decoder.unused_update_mesh.biases[0],
        world.model,
        replace_fn=lambda bias: bias + 5,
    )
    np.testing.assert_array_equal(
        output(changed, world.layout, inputs), output(world.model, world.layout, inputs)
    )


def test_an_mlp_ends_in_rows_of_mean_zero_and_variance_one():
    mlp = random_mlp(30, [50], 400, key=jax.random.key(0))
    biased = eqx.tree_at(lambda m: m.biases[-1], mlp, replace_fn=lambda bias: bias + 7)
    rows = biased(jax.random.normal(jax.random.key(1), (5, 30)), FLOAT32)
    np.testing.assert_allclose(rows.mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(rows.var(axis=-1), 1, rtol=1e-3)


def test_weights_start_with_the_published_spread():
    mlp = random_mlp(400, [300], 20, key=jax.random.key(0))
    # a normal truncated at two sigma has a standard deviation of 0.8796
    np.testing.assert_allclose(mlp.weights[0].std() * 20, 0.88, rtol=0.02)
    assert not mlp.biases[0].any()


def test_unknown_precision_lists_the_choices():
    with pytest.raises(ValueError, match="unknown precision 'half'; choose one of float32, mixed"):
        precision_named("half")
