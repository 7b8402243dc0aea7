"""`Problem`: the arrays that training never changes, in the blocks of its memory plan."""

from typing import NamedTuple

from jaxtyping import Float, Int

from data.windows import Window
from graphcast.blocks import AnyArray, Layout
from graphcast.forecaster import Forecaster
from graphcast.loss import LossWeights
from graphcast.machine.machine import Machine
from graphcast.machine.plan import Plan, fitting_update
from graphcast.normaliser import Normaliser
from graphcast.precision import precision_named
from graphcast.training.recipe import Recipe


class Problem(NamedTuple):
    """Arrays that stay the same during training.

    Attributes:
        input_order: see `Channels.input_order`.
        layout: the graphs in blocks.
        normaliser: the statistics in columns.
        statics: static channels in blocks of grid points, physical units.
        weights: the weight of each squared error.
    """

    input_order: Int[AnyArray, " input_width"]
    layout: Layout
    normaliser: Normaliser
    statics: Float[AnyArray, "blocks rows statics"]
    weights: LossWeights


def plan_of_updates(ready: Forecaster, recipe: Recipe, machine: Machine) -> Plan:
    """The memory plan of a training run: the fastest one that fits the recipe's largest update.

    All phases share it, because blocks of another size round differently.

    Args:
        ready: the network on its grid.
        recipe: gives the precision, the samples of an update and their autoregressive steps.
        machine: the devices, each of which takes an equal share of the samples.

    Raises:
        ValueError: no plan fits; the message says how much memory is needed and what would help.
    """
    return fitting_update(
        ready.checkpoint.spec,
        ready.channels,
        ready.graphs,
        precision_named(recipe.precision),
        machine.available_memory(),
        steps=recipe.most_lead_steps,
        batch=-(-recipe.batch // machine.devices),
    )


def training_problem(ready: Forecaster, plan: Plan, window: Window) -> Problem:
    """The training problem of a network on its grid.

    Args:
        ready: the network on its grid.
        plan: how an update is cut into blocks (`plan_of_updates`).
        window: any of the training data, for its statics.
    """
    packing = ready.packing(plan.layout)
    return Problem(
        ready.channels.input_order,
        plan.layout,
        ready.normaliser,
        packing.statics(window),
        packing.loss_weights,
    )
