"""Two processes give what one gives with as many devices."""

import pickle
from dataclasses import replace

import jax
import numpy as np
import pytest

from data.channels import Channels
from graphcast.network.model import random_model

from ...two_processes import finished, on_two_processes, started

# One window split over all devices, of both hosts; and an update on samples spread over them.
SCRIPT = """
import pickle
import sys
from pathlib import Path

import jax
import numpy as np
from graphcast.forecaster import forecaster
from graphcast.machine.hosts import exchange, from_first, least, together
from graphcast.machine.lost import StoppedError
from graphcast.machine.machine import Machine
from graphcast.training import Phase, Recipe, train
from tests.graphcast.training.small import small_training

port, process, folder = sys.argv[1:]
if port != "alone":
    jax.distributed.initialize(f"localhost:{port}", 2, int(process))
checkpoint, grid, start, analyses = pickle.loads(Path(folder, "world").read_bytes())
ready = forecaster(checkpoint, grid).on(Machine(devices=4))
*_, (frame,) = ready.forecasts([start], 3)
made = {name: frame[name].values for name in frame}

recipe = Recipe((Phase("one", 1, peak=0.1),), batch=4)
state, problem, batches = small_training(checkpoint, grid, start, analyses, recipe)
losses = []
state = train(state, problem, batches, recipe, devices=4, report=lambda p: losses.append(p.loss))
gradient = jax.tree.leaves(state.optimiser[1].mu)
made |= {f"trained {i}": leaf for i, leaf in enumerate([np.float32(losses), *gradient])}
np.savez(f"{folder}/{port}-{process}.npz", **made)

if port != "alone":
    index = jax.process_index()
    assert exchange("ü" * index) == ("", "ü")
    assert least(2**40 + index) == 2**40
    sent = from_first(np.float32([-0.0, 1e-45, 3.5]) * (1 - index))
    assert sent.tobytes() == np.float32([-0.0, 1e-45, 3.5]).tobytes()
    try:
        with together():
            if index == 1:
                raise OSError("no such file")
            exchange()
    except (OSError, StoppedError) as error:
        print(error)
"""


@pytest.mark.slow
def test_two_processes_forecast_and_train_as_one_does(world, tmp_path):
    spec, channels = replace(world.checkpoint.spec, processor_steps=1), Channels(world.window.task)
    model = random_model(spec, channels.input_width, len(channels.targets), key=jax.random.key(0))
    checkpoint = replace(world.checkpoint, spec=spec, model=model)
    small = (checkpoint, world.grid, world.window, world.analyses)
    (tmp_path / "world").write_bytes(pickle.dumps(small))
    alone = started(SCRIPT, "alone", 0, tmp_path, devices=4)
    runs = [*on_two_processes(SCRIPT, tmp_path), *finished([alone])]
    assert [run.returncode for run in runs] == [0, 0, 0], [run.stderr for run in runs]
    one = np.load(tmp_path / "alone-0.npz")
    for process in (0, 1):
        (path,) = tmp_path.glob(f"[0-9]*-{process}.npz")
        made = np.load(path)
        assert sorted(made.files) == sorted(one.files)
        for name in one:
            # float32: the same program, but gloo may add what four devices have in another order
            np.testing.assert_allclose(made[name], one[name], rtol=1e-6, atol=1e-7, err_msg=name)
    assert "process 1 of 2 stopped: no such file" in runs[0].stdout
    assert "no such file" in runs[1].stdout
