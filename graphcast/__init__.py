"""GraphCast: the network, its training, and forecasts with it.

In reading order, from the bottom:

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

import lazy_loader

from graphcast.shadowed import refuse_shadows

refuse_shadows()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
