"""Make a resumable forecast: every lead of every window, each written as soon as it is computed.

**Which run may resume an interrupted forecast.** The manifest (`Run`, package versions, kind of
device) is in the store's fingerprint, so it must be equal. The values of the inputs are not in it,
because a window is read only when its turn comes. Before the first lead of a window is written, the
SHA-256 of its values joins the manifest in the store, under `inputs`. A run that resumes reads
again every window that has leads, compares, and refuses other values.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from data.doctor import examine_frames, refuse, telling
from data.stores.forecast.header import ForecastHeader
from data.stores.forecast.store import ForecastStore, interrupted_provenance
from data.windows import Window
from data.wording import hour
from graphcast.checkpoints import Checkpoint
from graphcast.forecaster import PlacedForecaster, forecaster
from graphcast.machine.hosts import exchange, is_first, process_count
from graphcast.machine.machine import Machine
from graphcast.machine.plan import Economy
from graphcast.operations.cluster.runtime import graph_cache
from graphcast.operations.cluster.shared_store import (
    SharedStore,
    check_same,
    check_same_values,
    opened,
)
from graphcast.operations.events import Noticed, Opened, Report, Started, Written, silent
from graphcast.operations.provenance import provenance, window_sha256
from graphcast.operations.run import Member, Run
from graphcast.operations.starts import Starts
from graphcast.operations.weights import resolution_finding
from graphcast.precision import precision_named

REFERENCES = "Lam et al. 2023, doi:10.1126/science.adi2336"


class ChangedInputsError(FileExistsError):
    """An interrupted forecast started from other values than the inputs have now."""


@dataclass(frozen=True)
class Turn:
    """Windows that are forecast side by side, read.

    Attributes:
        places: (init, member) of each window: its position in the store.
        members: the member of each.
        windows: the windows.
        records: the manifest's record of each: init time, SHA-256 and notes.
    """

    places: tuple[tuple[int, int], ...]
    members: tuple[Member, ...]
    windows: tuple[Window, ...]
    records: tuple[dict[str, Any], ...]


Doctor = Callable[[Turn, Report], None]
# Stop, or report it like a warning; with an open door nothing is examined.
Door = Literal["stop", "report", "open"]


def execute(
    run: Run,
    weights: Checkpoint,
    starts: Starts,
    output: Path,
    *,
    machine: Machine | None = None,
    report: Report = silent,
    door: Door = "stop",
    overwrite: bool = False,
) -> Path:
    """Make a forecast, or resume one that was interrupted.

    Args:
        run: what to forecast. Devices, processes and economy are filled in from the machine.
        weights: the checkpoint of `run.weights`, with statistics.
        starts: the windows. Those of the first turn are read before the store is begun, each
            further one when its turn comes.
        output: the Zarr store to write.
        machine: the devices, and how windows share them; None: one device.
        report: is called with each event, on process 0.
        door: what happens after an error that the input doctor finds in a window.
        overwrite: replace a forecast of that name, and begin again where inputs have changed.

    Returns:
        The path of the complete store.

    Raises:
        ValueError: values that no forecast can start from, a step that does not fit into memory,
            or a prediction that is not finite; leads that are written are kept.
        FileExistsError: the name is taken, or what was interrupted is another forecast.
        OSError: the place cannot be written.
    """
    machine = machine or Machine()
    doctor: Doctor = partial(_examine, force=door == "report") if door != "open" else _trust
    report = report if is_first() else silent
    turns = _turns(run, starts, machine.windows)
    ahead = [next(turns)]  # before a store is begun, and before memory is planned
    if finding := resolution_finding(weights, run.grid):
        report(Noticed((finding,)))
    ready = forecaster(
        weights, run.grid, precision=precision_named(run.precision), cache=graph_cache()
    ).on(machine, economy=_interrupted_economy(output, overwrite=overwrite))
    made = replace(
        run, devices=machine.devices, processes=process_count(), economy=ready.plan.economy
    )
    header = forecast_header(made)
    check_same(header)
    try:
        with opened(output, header, overwrite=overwrite) as store:
            _write(ready, _in_turn(ahead, turns), store, report, doctor)
    except ChangedInputsError:
        if not overwrite:
            raise
        with opened(output, header, overwrite=True, anew=True) as store:
            again = _turns(run, starts, machine.windows)
            _write(ready, again, store, report, doctor)
    return output


def forecast_header(run: Run) -> ForecastHeader:
    """The header of the store of a run, known before the first step."""
    return ForecastHeader(
        variables=tuple(sorted(run.task.targets)),
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
    )


# No function below may hold a turn while the next one is read: two windows would be in memory.


def _turns(run: Run, starts: Starts, side_by_side: int) -> Iterator[Turn]:
    """The windows of a run, as many at a time as the machine takes, read when asked for."""
    positions = list(np.ndindex(len(run.init_times), len(run.members)))
    for begin in range(0, len(positions), side_by_side):
        places = tuple((int(i), int(j)) for i, j in positions[begin : begin + side_by_side])
        yield _turn(run, starts, places)


def _turn(run: Run, starts: Starts, places: tuple[tuple[int, int], ...]) -> Turn:
    members = tuple(run.members[j] for _, j in places)
    windows = tuple(starts.window(run.init_times[i], run.members[j]) for i, j in places)
    for window in windows:
        window.check_forcings(run.steps)
    records = tuple(
        {
            "init_time": str(window.init_time),
            "sha256": window_sha256(window, window.init_time + run.leads[-1]),
            "notes": list(window.provenance),
        }
        for window in windows
    )
    return Turn(places, members, windows, records)


def _in_turn(ahead: list[Turn], turns: Iterator[Turn]) -> Iterator[Turn]:
    """The turn that was read ahead, then the others."""
    yield ahead.pop()
    yield from turns


def _write(
    ready: PlacedForecaster,
    turns: Iterator[Turn],
    store: ForecastStore | SharedStore,
    report: Report,
    doctor: Doctor,
) -> None:
    """Write every lead that the store lacks, and give the store its name."""
    header = store.header
    report(Opened(header, len(header.cells) - len(store.missing)))
    for turn in turns:
        _check_recorded(turn, store)
        _report_start(turn, report)
        if any(len(_committed(store, place)) < len(header.leads) for place in turn.places):
            _record(turn, store)
            doctor(turn, report)
            _write_turn(ready, turn, store, report)
        del turn
    store.finish()


def _write_turn(
    ready: PlacedForecaster, turn: Turn, store: ForecastStore | SharedStore, report: Report
) -> None:
    steps = len(store.header.leads)
    committed = [len(_committed(store, place)) for place in turn.places]
    first = min(committed)
    # The next step needs no more than the last two frames.
    done = [
        [store.read(lead, init=init, member=member) for lead in range(first)[-2:]]
        for init, member in turn.places
    ]
    predictions = ready.forecasts(turn.windows, steps, done=done, first=first)
    for lead, fields_of_each in enumerate(predictions, start=first):
        for index, fields in enumerate(fields_of_each):
            if lead >= committed[index]:  # an interrupted run may have left some windows ahead
                init, member = turn.places[index]
                store.write(lead, fields, init=init, member=member)
                start = turn.windows[index].init_time
                report(Written(start, turn.members[index], store.header.leads[lead]))
        exchange()  # a lead that one process could not write stops all of them


def _committed(store: ForecastStore | SharedStore, place: tuple[int, int]) -> tuple[int, ...]:
    init, member = place
    return store.committed_leads(init=init, member=member)


def _check_recorded(turn: Turn, store: ForecastStore | SharedStore) -> None:
    """Refuse windows whose leads in the store were computed from other values."""
    check_same_values([record["sha256"] for record in turn.records])
    recorded = json.loads(store.provenance).get("inputs", [])
    for place, record in zip(turn.places, turn.records, strict=True):
        if not _committed(store, place):
            continue
        if recorded[_position(store.header, place)]["sha256"] != record["sha256"]:
            member = f", member {place[1]}" if store.header.members else ""
            raise ChangedInputsError(
                "the interrupted forecast of this name holds leads of other inputs: those for "
                f"{hour(np.datetime64(record['init_time']))}{member} have changed since; give it "
                "the same ones, choose another output, or replace it (`overwrite`)"
            )


def _record(turn: Turn, store: ForecastStore | SharedStore) -> None:
    """Add the turn's windows to the manifest in the store."""
    manifest = json.loads(store.provenance)
    first = _position(store.header, turn.places[0])
    manifest["inputs"] = [*manifest.get("inputs", [])[:first], *turn.records]
    store.record(json.dumps(manifest, sort_keys=True))


def _position(header: ForecastHeader, place: tuple[int, int]) -> int:
    """The number of a window, counted as `_turns` does."""
    return place[0] * (len(header.members) or 1) + place[1]


def _report_start(turn: Turn, report: Report) -> None:
    for member, window in zip(turn.members, turn.windows, strict=True):
        report(Started(window.init_time, member, window.provenance))


def _examine(turn: Turn, report: Report, *, force: bool) -> None:
    """Stop at an error of the input doctor, or report it with the warnings.

    Every process examines, so that all of them stop.
    """
    for window in turn.windows:
        findings = examine_frames(window.frames, window.task)
        refuse(findings, "the input", force=force)
        if odd := telling(findings):
            report(Noticed(odd))


def _trust(turn: Turn, report: Report) -> None:
    """Examine nothing."""


def _interrupted_economy(output: Path, *, overwrite: bool) -> Economy | None:
    """The economy of the interrupted forecast of this name on process 0; None if there is none."""
    flags = {} if overwrite else interrupted_provenance(output).get("flags", {})
    economy = json.loads(exchange(json.dumps(flags.get("economy")))[0])
    return None if economy is None else Economy(**economy)
