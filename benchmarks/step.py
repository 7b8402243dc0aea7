"""One forecast step and its gradient: seconds, memory, and the bound they approach.

    python benchmarks/step.py --size B --precision float32 --what forward
    python benchmarks/step.py --size C --what gradient --no-textbook
    python benchmarks/step.py --size D --precision mixed --memory 12GB --device gpu --no-textbook

Prints one JSON line. Blocks and kept terms are those that the memory plan chooses for the device.
`ratio` is the network's time over the textbook network's (concatenate, jraph, segment sums, about
as slow as DeepMind's code). The two run in turns in this process, so that the ratio holds on a
noisy machine. `matmul_share` is the time that the network's matrix products would take at the rate
of a plain product of the same shape, over the time of the whole step: the rest is memory traffic.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import time
from importlib.metadata import version
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from data.channels import Channels
from data.task import TASKS, Task
from forecast_cli.arguments import number_of_bytes
from graphcast.blocks import in_blocks
from graphcast.loss import Example, LossWeights, rollout_loss
from graphcast.machine.memory import available_memory
from graphcast.machine.plan import Plan, fitting, fitting_update
from graphcast.network.model import GraphCast, ModelSpec, random_model
from graphcast.network.reference import textbook_network
from graphcast.normaliser import Normaliser
from graphcast.operations.cluster.runtime import (
    give_back_after_compiling,
    use_deterministic_kernels,
)
from graphcast.passes import Pass
from graphcast.precision import PRECISIONS, Precision
from graphcast.rollout import dynamics, next_frame
from mesh.graphs import Graphs, MeshSpec, build_graphs
from mesh.grid import LatLonGrid


class Size(NamedTuple):
    """A forecast to be timed."""

    grid: LatLonGrid
    task: Task
    spec: ModelSpec


SMALL, FULL = TASKS["graphcast_small"], TASKS["graphcast"]
SIZES = {
    "A": Size(LatLonGrid.regular(6.0), SMALL, ModelSpec(MeshSpec(3), 64, 4)),
    "B": Size(LatLonGrid.regular(2.8125, poles=False), SMALL, ModelSpec(MeshSpec(4), 256, 8)),
    "C": Size(LatLonGrid.regular(1.0), SMALL, ModelSpec(MeshSpec(5), 512, 16)),
    "D": Size(LatLonGrid.regular(0.25), FULL, ModelSpec(MeshSpec(6), 512, 16)),
}


class Case(NamedTuple):
    """Graphs in blocks, a random model and random standardised weather of one size."""

    grid: LatLonGrid
    channels: Channels
    graphs: Graphs
    plan: Plan
    model: GraphCast
    normaliser: Normaliser
    frames: tuple
    forcings: tuple
    statics: np.ndarray

    def dynamics(self, precision: Precision):
        """All that stays the same from step to step, on the device."""
        economy, layout, _ = self.plan
        return dynamics(
            *(self.model, self.channels.input_order, layout, self.normaliser, self.statics),
            Pass(precision, keeps="nothing"),
            keep_edges=economy.keep_edges,
        )


def case_of(size: Size, precision: Precision, memory: int, steps: int | None = None) -> Case:
    """One size, planned for a forecast, or for the gradient over `steps` steps."""
    grid, task, spec = size
    graphs = build_graphs(grid, spec.mesh)
    channels = Channels(task)
    targets, forcings, statics = map(len, (channels.targets, channels.forcings, channels.statics))
    needs = (spec, channels, graphs, precision, memory)
    plan = fitting(*needs) if steps is None else fitting_update(*needs, steps=steps)
    rng = np.random.default_rng(0)

    def weather(width: int):
        rows = rng.standard_normal((grid.size, width), np.float32)
        return jax.device_put(in_blocks(rows, plan.layout.rows))

    return Case(
        grid,
        channels,
        graphs,
        plan,
        random_model(spec, channels.input_width, targets, key=jax.random.key(0)),
        Normaliser(
            *(np.zeros(targets, np.float32), np.ones(targets, np.float32)),
            *(np.zeros(forcings, np.float32), np.ones(forcings, np.float32)),
            *(np.zeros(statics, np.float32), np.ones(statics, np.float32)),
            fed=np.ones(targets, bool),
            increment=np.full(targets, 0.1, np.float32),
        ),
        frames=tuple(weather(targets) for _ in range(2)),
        forcings=tuple(weather(forcings) for _ in range(3)),
        statics=weather(statics),
    )


def forward(case: Case, precision: Precision):
    """(network, textbook): functions without arguments that run one step."""
    fixed = case.dynamics(precision)
    graphs = jax.device_put(case.graphs)
    textbook = jax.jit(textbook_network)

    def run_textbook():
        whole = jnp.zeros((case.grid.size, case.channels.input_width), jnp.float32)
        return textbook(case.model, graphs, whole)

    return lambda: next_frame(fixed, *case.frames, case.forcings, precision=precision), run_textbook


def gradient(case: Case, precision: Precision, steps: int):
    """(network, textbook): functions that compute the loss's gradient over `steps` steps."""
    grid, channels, layout = case.grid, case.channels, case.plan.layout
    rows = in_blocks(np.full((grid.size, 1), 1 / grid.size, np.float32), layout.rows)
    weights = LossWeights(rows[..., 0], channels.loss_weights.astype(np.float32))
    sample = Example(
        *case.frames,
        forcings=np.stack([case.forcings[0]] * (steps + 2)),
        targets=np.stack([case.frames[0]] * steps),
    )
    arguments = jax.device_put((layout, case.normaliser, case.statics, sample, weights))

    def loss(model, layout, normaliser, statics, sample, weights):
        fixed = dynamics(model, channels.input_order, layout, normaliser, statics, Pass(precision))
        return rollout_loss(fixed, sample, weights, Pass(precision))[0]

    network_gradient = jax.jit(jax.grad(loss))
    whole = jnp.zeros((grid.size, channels.input_width), jnp.float32)
    graphs = jax.device_put(case.graphs)

    def textbook_loss(model, graphs, inputs):
        total = 0.0
        network = jax.checkpoint(textbook_network) if steps > 1 else textbook_network
        for _ in range(steps):
            output = network(model, graphs, inputs)
            total += jnp.square(output).mean()
            inputs = inputs.at[:, : output.shape[1]].add(0.1 * output)
        return total

    textbook = jax.jit(jax.grad(textbook_loss))
    return (
        lambda: network_gradient(case.model, *arguments),
        lambda: textbook(case.model, graphs, whole),
    )


def products(size: str) -> int:
    """Multiply-adds in the matrix products of a forward step, geometry not counted."""
    grid, task, spec = SIZES[size]
    graphs = build_graphs(grid, spec.mesh)
    latent = spec.latent_size
    channels = Channels(task)
    grid_points, nodes = grid.size, len(graphs.mesh_features)
    to_mesh, on_mesh, to_grid = (
        len(edges.senders) for edges in (graphs.grid2mesh, graphs.mesh, graphs.mesh2grid)
    )
    square = latent * latent
    embed = grid_points * (channels.input_width * latent + square)
    encode = square * (3 * grid_points + to_mesh + 4 * nodes)
    process = square * spec.processor_steps * (2 * on_mesh + 5 * nodes)
    decode = square * (nodes + to_grid + 5 * grid_points)
    return embed + encode + process + decode + grid_points * latent * len(channels.targets)


def matmul_rate(size: str, precision) -> float:
    """Multiply-adds a second of a plain product of the network's commonest shape."""
    latent = SIZES[size][2].latent_size
    x = jnp.ones((8192, latent))
    weight = jnp.ones((latent, latent))
    run = jax.jit(precision.product)
    return 8192 * latent * latent / min(seconds(lambda: run(x, weight)) for _ in range(7))


def seconds(run) -> float:
    """Wall time of one run, finished."""
    start = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - start


def set_up(options: argparse.Namespace) -> None:
    """Let JAX use the device and the kernels that were asked for; its own choice otherwise."""
    give_back_after_compiling()
    if options.deterministic:
        use_deterministic_kernels()
    if options.device is not None:
        name = {"gpu": "cuda"}.get(options.device, options.device)
        jax.config.update("jax_platforms", name)


def peak_memory_gib() -> float:
    """The device's own peak, or on a CPU that of the process."""
    stats = jax.devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    if stats:
        return round(stats["peak_bytes_in_use"] / 2**30, 2)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def machine() -> dict[str, object]:
    """What a figure was measured on."""
    return {
        "device": jax.devices()[0].device_kind,
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.processor() or platform.machine(),
        "jax": version("jax"),
    }


def arguments_of(doc: str) -> argparse.ArgumentParser:
    """The options that every benchmark of the network has."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="A")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", help="plan for so much (12GB); what is there, if not given")
    parser.add_argument("--device", choices=["cpu", "gpu", "tpu"], help="JAX's choice otherwise")
    parser.add_argument("--deterministic", action="store_true", help="as `graphcast forecast` has")
    return parser


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--what", choices=["forward", "gradient"], default="forward")
    parser.add_argument("--steps", type=int, default=1, help="forecast steps of a gradient")
    parser.add_argument("--textbook", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    set_up(options)
    precision = PRECISIONS[options.precision]
    memory = number_of_bytes(options.memory) if options.memory else available_memory()
    if options.what == "forward":
        case = case_of(SIZES[options.size], precision, memory)
        network, textbook = forward(case, precision)
    else:
        case = case_of(SIZES[options.size], precision, memory, options.steps)
        network, textbook = gradient(case, precision, options.steps)
    compile_seconds = seconds(network)
    peak = peak_memory_gib()
    if options.textbook:
        seconds(textbook)
    pairs = [
        (seconds(network), seconds(textbook) if options.textbook else float("nan"))
        for _ in range(options.repeats)
    ]
    network_seconds = statistics.median(first for first, _ in pairs)
    passes = 1 if options.what == "forward" else 3 * options.steps
    bound = passes * products(options.size) / matmul_rate(options.size, precision)
    result = {
        "benchmark": f"step {options.what}",
        "size": options.size,
        "precision": options.precision,
        "deterministic": options.deterministic,
        "steps": options.steps,
        "seconds": round(network_seconds, 4),
        "first_run_seconds": round(compile_seconds, 2),
        "peak_memory_gib": peak,
        "planned_memory_gib": round(case.plan.memory.device / 2**30, 2),
        "edge_terms_kept": case.plan.economy.keep_edges,
        "gflop": round(2 * passes * products(options.size) / 1e9, 1),
        "matmul_share": round(bound / network_seconds, 2),
        **machine(),
    }
    if options.textbook:
        textbook_seconds = statistics.median(second for _, second in pairs)
        ratio = statistics.median(first / second for first, second in pairs)
        result |= {
            "textbook_float32_seconds": round(textbook_seconds, 4),
            "ratio": round(ratio, 3),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
