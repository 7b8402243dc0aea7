"""GraphCast: the network, its training, and forecasts with it.

The front door has the verbs of the whole project, each imported when it is used:

- `open_inputs`, `examine_file`, `prepare`: read analyses, look for faults, make a dataset of them
- `untrained`, `read_checkpoint`, `write_checkpoint`: weights
- `forecast`, `open_forecast`, `plan`: a forecast into a store, out of it, and the memory it needs
- `plot`: maps of a forecast
- `score`, `score_files`, `write_scores`: a forecast compared with analyses
- `train`: from examples to weights

The rooms of this package, in reading order, from the bottom:

- `precision` (dtypes) and `passes` (what a backward pass stores, sums over devices)
- `blocks`: the three graphs cut into blocks for the device
- `normaliser`: physical units to network inputs, network outputs to physical units
- `network`: the multi-layer perceptron, message passing, encoder, processor and decoder
- `rollout`: one step, and many; `loss`: the published objective over many
- `machine`: the memory plan, several devices, several hosts
- `checkpoints`: files of weights
- `packing`: labelled fields to arrays and back
- `forecaster`: a checkpoint ready for a grid, on a machine; Dataset in, Datasets out
- `training`: from examples to weights
- `operations`: a whole forecast, from files to a store

Up to `checkpoints` everything is arrays; labelled fields begin with `packing`.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from graphcast.shadowed import refuse_shadows

refuse_shadows()

__version__ = version("graphcast")

# Names, not imports: this package does not depend on `verification`, and its user may.
_HOMES = {
    "open_inputs": "data.sources",
    "examine_file": "data.doctor",
    "prepare": "data.preparation",
    "untrained": "graphcast.training.untrained",
    "read_checkpoint": "graphcast.checkpoints",
    "write_checkpoint": "graphcast.checkpoints",
    "Forecaster": "graphcast.forecaster",
    "PlacedForecaster": "graphcast.forecaster",
    "Machine": "graphcast.machine",
    "forecast": "graphcast.operations",
    "plan": "graphcast.operations",
    "train": "graphcast.training",
    "open_forecast": "verification.files",
    "plot": "data.maps.pictures",
    "score": "verification",
    "score_files": "verification.files",
    "write_scores": "verification.writing",
}
__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604  the stub says the same to type checkers


def __getattr__(name: str) -> Any:
    """The verb of a name, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"module 'graphcast' has no attribute {name!r}; it has {__all__}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
