"""A forecast as a library verb: the command, the demo and a user's script all call it.

`forecast` goes from files to a forecast store in one call:

    from graphcast.operations import forecast

    store = forecast(
        checkpoint="GraphCast_small.npz",
        statistics="stats/",
        inputs="era5.zarr",
        init_time="2022-01-01T06",
        steps=40,
        output="forecast.zarr",
    )

It is a short form of these parts, which also serve other weights, inputs and machines:

- `run`: `Run`, the description of a forecast, which is also the manifest in its store.
- `weights`: a checkpoint with statistics and its `Digest`.
- `starts`: `Starts`, the windows that forecasts start from, each read when its turn comes.
- `execution`: `execute`, which makes the forecast of a `Run`, or resumes it.
- `events`: the reports of a running forecast.
- `planning`: `plan`, the memory that a forecast or an update needs.
- `provenance`: hashes and versions.
- `cluster`: caches, and one forecast of several processes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
