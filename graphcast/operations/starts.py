"""What a forecast starts from: weights with their statistics, and windows that were looked at."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from data.channels import Channels
from data.doctor import Finding, examine_frames
from data.init_time import initial_time
from data.moments import read_moments, to_arrays
from data.sources import open_inputs
from data.stores.kind import kind_of
from data.windows import Window, window
from graphcast.checkpoints import Checkpoint
from graphcast.normaliser import normaliser
from mesh.grid import LatLonGrid

OTHER_RESOLUTION = 0.1  # from where on; below it are Gaussian rows and rounded descriptions


def with_statistics(checkpoint: Checkpoint, folder: Path | None) -> Checkpoint:
    """The checkpoint with the statistics it needs: its own, or those in the folder."""
    if folder is None:
        if checkpoint.moments is None:
            raise ValueError(
                "this checkpoint carries no normalisation statistics; give --statistics a folder "
                "with mean_by_level.nc, stddev_by_level.nc and diffs_stddev_by_level.nc"
            )
        return checkpoint
    moments = read_moments(folder)
    normaliser(Channels(checkpoint.task), moments)  # names what the task needs and they lack
    if checkpoint.moments is not None:
        own, given = to_arrays(checkpoint.moments), to_arrays(moments)
        if own.keys() != given.keys() or any((own[k] != given[k]).any() for k in own):
            raise ValueError(
                f"the checkpoint carries its own statistics, and those in {folder} are others; "
                "leave --statistics out"
            )
    return checkpoint.with_moments(moments)


def open_windows(
    checkpoint: Checkpoint, inputs: str, forcings: str | None, init_time: np.datetime64 | None
) -> list[Window]:
    """One checked window for each entry of the inputs, in the order of their init times."""
    entries = open_inputs(inputs, init_time=init_time)
    inits = [initial_time(entry, checkpoint.task.step, init_time) for entry in entries]
    given = [None] * len(entries) if forcings is None else _forcings_for(inits, forcings)
    windows = [
        _with_comment(window(entry, checkpoint.task, init_time=init, forcings=forcing), entry)
        for entry, init, forcing in zip(entries, inits, given, strict=True)
    ]
    return sorted(windows, key=lambda w: w.init_time)  # stable: members keep their order


def _forcings_for(init_times: list[np.datetime64], path: str) -> list[xr.Dataset]:
    """The forcings of each entry of the inputs; relative times count from its init time."""
    opened = {init: open_inputs(path, init_time=init) for init in set(init_times)}
    count = len(opened[init_times[0]])
    if count not in (1, len(init_times)):
        raise ValueError(
            f"--forcings has as many batch entries as --inputs, or one for all; "
            f"it has {count} and --inputs has {len(init_times)}"
        )
    return [opened[init][i % count] for i, init in enumerate(init_times)]


def _with_comment(start: Window, entry: xr.Dataset) -> Window:
    """The window with what a dataset of ours says of itself, such as a frame that stands twice."""
    comment = entry.attrs.get("comment")
    if kind_of(entry.attrs) != "analyses" or not comment:
        return start
    return replace(start, provenance=(*start.provenance, f"all variables: {comment}"))


def grid_of(start: Window) -> LatLonGrid:
    """The grid on which a window's frames are."""
    frame = start.frames
    return LatLonGrid.from_coordinates(frame["latitude"].values, frame["longitude"].values)


def resolution_finding(checkpoint: Checkpoint, start: Window) -> Finding | None:
    """A warning if the weights were trained at another grid spacing than the inputs have."""
    made_for = checkpoint.spec.resolution
    axes = (start.frames["latitude"].values, start.frames["longitude"].values)
    spacings = [float(np.diff(axis).max()) for axis in axes]
    if made_for and all(abs(spacing / made_for - 1) > OTHER_RESOLUTION for spacing in spacings):
        latitude, longitude = spacings
        return Finding(
            "resolution",
            "warning",
            f"the weights were made for a grid of {made_for:g}°, and the inputs are on one of "
            f"{latitude:g}° × {longitude:g}°, where nobody has tried them",
            "regrid the inputs, or choose weights for their resolution",
        )
    return None


def odd_findings(start: Window) -> list[Finding]:
    """Errors and warnings of the input doctor; impossible values were refused before."""
    findings = examine_frames(start.frames, start.task)
    return [finding for finding in findings if finding.severity != "note"]
