"""`forecast`: from files to a forecast store, in one call."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.sources.files.places import Places
from data.stores.forecast.form import WHOLE, Form
from data.time_range import AskedTimes, asked_init_times
from graphcast.machine.machine import Machine
from graphcast.operations.cluster.runtime import device_count, prepare_to_compile
from graphcast.operations.events import Inputs, Report, silent
from graphcast.operations.execution import execute
from graphcast.operations.making import Door
from graphcast.operations.run import Run
from graphcast.operations.starts import open_starts
from graphcast.operations.weights import Weights, open_weights


def forecast(  # noqa: PLR0913  what a forecast depends on
    *,
    checkpoint: str | Path | Weights,
    inputs: Places,
    steps: int,
    output: str | Path,
    init_time: str | np.datetime64 | Sequence[np.datetime64] | None = None,
    statistics: str | Path | None = None,
    forcings: str | Path | None = None,
    precision: str = "float32",
    devices: int | None = None,
    memory: int | None = None,
    deterministic: bool = False,
    examine: bool = True,
    force: bool = False,
    strict: bool = False,
    overwrite: bool = False,
    raw: bool = False,
    form: Form = WHOLE,
    report: Report = silent,
) -> Path:
    """Forecast from two analyses, into a Zarr store that survives being killed.

    The same call resumes an interrupted forecast, and ends in the same bytes. Graphs and compiled
    programs are cached in the user's cache folder.

    Args:
        checkpoint: a file of weights, or weights that are open already.
        inputs: a file, a Zarr store, a folder, a pattern or a URL with the frames at t - step and
            t, or several of them, which are read as one. Several entries become init times where
            their times differ, and members where they do not.
        steps: how far to forecast, in steps of the weights' task (6 h in published ones).
        output: the Zarr store, or the netCDF (.nc) or GRIB file (.grib2), to write.
        init_time: t (UTC), where the inputs hold several: a time, a sequence of times, or text as
            `data.time_range.asked_init_times` reads it, such as "latest".
        statistics: a folder of normalisation statistics, where the checkpoint carries none.
        forcings: a file, a store or a URL with forcings at later times; others are computed.
        precision: "float32", "mixed" or "bfloat16".
        devices: how many devices to use; None: one for each window, as far as there are devices.
        memory: bytes of each device to use; None: what it has free.
        deterministic: noted in the manifest; see `cluster.runtime.use_deterministic_kernels`.
        examine: whether the input doctor examines the frames, and stops at an error.
        force: go on after an error that it finds.
        strict: stop at a warning, too.
        overwrite: replace a forecast of that name.
        raw: keep what the model predicts below zero of rain, humidity and the like; otherwise it is
            0 in the store, which says how much was cut off.
        form: which part of the forecast is written, and what a GRIB file says of its origin.
        report: is called with each event; see `events`.

    Returns:
        The path of the store; `xarray.open_zarr` opens it.

    Raises:
        ValueError: weights, statistics, inputs or settings that no forecast can be made with.
        FileNotFoundError: there is no such file.
        FileExistsError: the output is there, or an interrupted forecast of something else is.

    Example:
        The README's example runs this function as it stands:

        ```python
        forecast(
            checkpoint="my.safetensors",
            inputs=analyses(),
            init_time="2024-06-03T18",
            steps=2,
            output="forecast.zarr",
        )
        ```
    """
    prepare_to_compile()
    weights = (
        checkpoint
        if isinstance(checkpoint, Weights)
        else open_weights(Path(checkpoint), None if statistics is None else Path(statistics))
    )
    door = _door(examine=examine, force=force, strict=strict)
    task = weights.checkpoint.task
    further = None if forcings is None else str(forcings)
    names = (inputs,) if isinstance(inputs, str | Path) else tuple(inputs)
    starts = open_starts(task, names, forcings=further, init_times=_asked(init_time))
    report(Inputs(tuple(map(str, names)), starts.times))
    run = Run(
        weights=weights.digest,
        task=task,
        grid=starts.grid,
        inputs=tuple(map(str, names)),
        forcings=further,
        init_times=starts.init_times,
        members=starts.members,
        steps=steps,
        precision=precision,
        deterministic=deterministic,
        raw=raw,
        zarr_format=form.zarr_format,
    )
    count = len(run.windows)
    return execute(
        run,
        weights.checkpoint,
        starts,
        Path(output),
        machine=Machine.for_windows(count, devices=device_count(devices, count), memory=memory),
        report=report,
        door=door,
        overwrite=overwrite,
        form=form,
    )


def _door(*, examine: bool, force: bool, strict: bool) -> Door:
    if strict and (force or not examine):
        raise ValueError(
            "`strict` stops at what the input doctor finds, and `force` and no examination go on"
            " after it; choose one"
        )
    if not examine:
        return "open"
    return "strict" if strict else "report" if force else "stop"


def _asked(times: str | np.datetime64 | Sequence[np.datetime64] | None) -> AskedTimes:
    if times is None:
        return None
    if isinstance(times, str):
        return asked_init_times(times)
    each = np.unique(np.atleast_1d(np.array(times, "datetime64[ns]")))
    return tuple(each)
