"""Make a resumable forecast: every lead of every window, each written as soon as it is computed.

**Which run may resume an interrupted forecast.** The manifest (`Run`, package versions, kind of
device) is in the store's fingerprint, so it must be equal. The values of the inputs are not in it,
because a window is read only when its turn comes. Before the first lead of a window is written, the
SHA-256 of its values joins the manifest in the store, under `inputs`. A run that resumes reads
again every window that has leads, compares, and refuses other values.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from data.stores.forecast.form import WHOLE, Form
from data.stores.forecast.header import ForecastHeader
from data.stores.forecast.store import interrupted_provenance
from data.stores.partial import partial_path
from data.stores.targets import local_path, refuse_existing
from data.variables import VARIABLES
from graphcast.checkpoints import Checkpoint
from graphcast.forecaster import forecaster
from graphcast.machine.hosts import exchange, is_first, process_count
from graphcast.machine.machine import Machine
from graphcast.machine.plan import Economy
from graphcast.operations.cluster.runtime import graph_cache
from graphcast.operations.cluster.shared_store import check_same, check_same_values, opened
from graphcast.operations.events import Noticed, Report, Standing, silent
from graphcast.operations.making import Door, Making
from graphcast.operations.provenance import provenance
from graphcast.operations.run import Run
from graphcast.operations.standing import ChangedInputsError, Finished, finished
from graphcast.operations.starts import Starts
from graphcast.operations.turns import Turn, turns_of
from graphcast.operations.weights import resolution_finding
from graphcast.precision import precision_named

REFERENCES = "Lam et al. 2023, doi:10.1126/science.adi2336"


def execute(  # noqa: PLR0913  what a forecast depends on
    run: Run,
    weights: Checkpoint,
    starts: Starts,
    output: Path,
    *,
    machine: Machine | None = None,
    report: Report = silent,
    door: Door = "stop",
    overwrite: bool = False,
    form: Form = WHOLE,
) -> Path:
    """Make a forecast, or resume one that was interrupted.

    Args:
        run: what to forecast. Devices, processes and economy are filled in from the machine.
        weights: the checkpoint of `run.weights`, with statistics.
        starts: the windows. Those of the first turn are read before the store is begun, each
            further one when its turn comes.
        output: the Zarr store, netCDF file (.nc) or GRIB file (.grib2) to write.
        machine: the devices, and how windows share them; None: one device.
        report: is called with each event, on process 0.
        door: what happens after an error that the input doctor finds in a window.
        overwrite: replace a forecast of that name, and begin again where inputs have changed.
        form: which part of the forecast is written, and what a GRIB file says of its origin.

    Returns:
        The path of the complete store or file.

    Raises:
        ValueError: values that no forecast can start from, a step that does not fit into memory,
            or a prediction that is not finite; leads that are written are kept.
        FileExistsError: the name is taken, or what was interrupted is another forecast.
        OSError: the place cannot be written.
    """
    local_path(output, "forecast")  # a name that cannot be written is refused at once
    machine = machine or Machine()
    report = report if is_first() else silent
    is_store = form.maker(output) is None  # other results cannot grow
    if not is_store and not overwrite and not partial_path(output).exists():
        refuse_existing(output, "forecast")
    run = replace(run, devices=machine.devices, processes=process_count())
    # before anything that only some processes might do
    check_same(forecast_header(run), overwrite=overwrite, door=door, is_store=is_store)
    found = finished(output) if is_store and not overwrite else None
    economy = found.run.economy if found else _interrupted_economy(output, overwrite=overwrite)
    run = replace(run, economy=economy)
    if found is not None:
        _check_standing(found, run)
        if found.run == run:
            return _left_alone(found, run, starts, machine, report)
    turns = turns_of(run, starts, machine.windows)
    ahead = [next(turns)]  # before a store is begun, and before memory is planned
    if finding := resolution_finding(weights, run.grid):
        report(Noticed((finding,)))
    ready = forecaster(
        weights, run.grid, precision=precision_named(run.precision), cache=graph_cache()
    ).on(machine, economy=economy)
    run = replace(run, economy=ready.plan.economy)
    header = forecast_header(run)
    making = Making(run, starts, ready, found, report, door)
    try:
        grows = found is not None
        with opened(output, header, form, overwrite=overwrite, grows=grows) as store:
            making.write(_in_turn(ahead, turns), store)
    except ChangedInputsError:
        if not overwrite:
            raise
        with opened(output, header, form, overwrite=True, anew=True) as store:
            making.write(turns_of(run, starts, machine.windows), store)
    return output


def forecast_header(run: Run) -> ForecastHeader:
    """The header of the store of a run, known before the first step."""
    variables = tuple(sorted(run.task.targets))
    return ForecastHeader(
        variables=variables,
        init_times=run.init_times,
        leads=run.leads,
        levels=run.task.levels,
        latitude=run.grid.latitude,
        longitude=run.grid.longitude,
        members=tuple(m.number for m in run.members) if len(run.members) > 1 else (),
        title="GraphCast forecast",
        source=f"GraphCast, weights: {run.weights.description or 'not described'}",
        # No clock time: two runs of one command give the same bytes.
        history=f"graphcast {version('graphcast')} forecast",
        references=REFERENCES,
        comment=f"Licence of the weights: {run.weights.license or 'not stated'}",
        provenance=provenance(**json.loads(run.to_json())),
        nonnegative=() if run.raw else tuple(v for v in variables if VARIABLES[v].is_amount),
        zarr_format=run.zarr_format,
    )


def _in_turn(ahead: list[Turn], turns: Iterator[Turn]) -> Iterator[Turn]:
    """The turn that was read ahead, then the others."""
    yield ahead.pop()
    yield from turns


def _check_standing(found: Finished, run: Run) -> None:
    """Refuse a finished forecast that is neither this one nor the beginning of it."""
    wanted = json.loads(forecast_header(run).provenance)
    same_making = forecast_header(found.run).fingerprint == found.fingerprint
    if found.run != run and not (found.begins(run) and same_making):
        found.refuse(wanted)


def _left_alone(
    found: Finished, run: Run, starts: Starts, machine: Machine, report: Report
) -> Path:
    """Check that the finished forecast started from the same values, and touch nothing."""
    header = forecast_header(run)
    for turn in turns_of(run, starts, machine.windows):
        for fault in turn.faults:
            raise fault.error
        check_same_values([record["sha256"] for record in turn.records])
        found.cells_of(turn, header)
        del turn
    report(Standing(header))
    return found.path


def _interrupted_economy(output: Path, *, overwrite: bool) -> Economy | None:
    """The economy of the interrupted forecast of this name on process 0; None if there is none."""
    flags = {} if overwrite else interrupted_provenance(output).get("flags", {})
    economy = json.loads(exchange(json.dumps(flags.get("economy")))[0])
    return None if economy is None else Economy(**economy)
